"""Estimated differences between accuracies, and tests of their significance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isinf
from typing import Any

import numpy as np
from numpy.typing import NDArray

# scipy.stats also has these distributions, but its import takes most of a second.
from scipy.special import ndtr, ndtri, stdtr, stdtrit

POWER = 0.8


@dataclass(frozen=True)
class Estimate:
    """An estimated difference between two accuracies.

    Args:
        difference: Difference of the accuracies, as a fraction.
        standard_error: Standard error of the difference, above 0.
        degrees: Degrees of freedom of Student's t; infinite for a normal distribution.
        these_weights_alone: Whether the standard error ignores the variation over random weights. Conclusions then
            apply only to the weights that were drawn.

    Example:
        >>> estimate = Estimate(0.08, 0.03)
        >>> round(estimate.p, 4), round(estimate.detectable(0.05), 3)
        (0.0077, 0.084)
    """

    difference: float
    standard_error: float
    degrees: float = inf
    these_weights_alone: bool = False

    def __neg__(self) -> "Estimate":
        """Return the estimate with the sign of the difference reversed."""
        return replace(self, difference=-self.difference)

    @property
    def p(self) -> float:
        """Two-sided p-value of the null hypothesis that the difference is 0."""
        t = -abs(self.difference) / self.standard_error
        return float(2 * (ndtr(t) if isinf(self.degrees) else stdtr(self.degrees, t)))

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % confidence interval of the difference, without a correction for multiple tests."""
        quantile = float(ndtri(0.975) if isinf(self.degrees) else stdtrit(self.degrees, 0.975))
        return self.difference - quantile * self.standard_error, self.difference + quantile * self.standard_error

    def detectable(self, level: float) -> float:
        """Return the smallest true difference that a test at this level detects with 80 % power.

        This difference is (q(1 - level/2) + q(0.8)) standard errors, where q are quantiles (Cohen, Statistical power
        analysis for the behavioral sciences, 1988, ch. 2). The formula neglects rejections in the wrong direction and
        uses the central t distribution, which is inexact for few degrees of freedom.

        Args:
            level: Significance level of the test, two-sided.
        """
        ends = np.array([1 - level / 2, POWER])
        quantiles = ndtri(ends) if isinf(self.degrees) else stdtrit(self.degrees, ends)
        return float(quantiles.sum() * self.standard_error)


def corrected_t_test(differences: NDArray[Any], sizes: Sequence[int]) -> Estimate:
    """Estimate the mean difference of two models over the folds of a cross-validation.

    The models of different folds share most of their training clips, so a plain t-test rejects too often. The variance
    is enlarged by the factor of Nadeau & Bengio (Inference for the generalization error, Machine Learning 52, 2003):
    1/k + n_test/n_train instead of 1/k, with k - 1 degrees of freedom. The accuracy on a fold is a multiple of
    1/n_test, so the differences on a few folds may be equal by chance: the variance is at least that of rounding to one
    clip, 1/(12 n_test^2).

    Args:
        differences: Difference of the accuracies on each fold, `(k,)`.
        sizes: Number of clips of each fold, `(k,)`.

    Example:
        >>> import numpy as np
        >>> round(corrected_t_test(np.array([0.1, 0.2, 0.1, 0.3, 0.2]), [20] * 5).p, 3)
        0.033
    """
    k, n_test = len(differences), np.mean(sizes)
    factor = 1 / k + n_test / (np.sum(sizes) - n_test)
    variance = max(float(np.var(differences, ddof=1)), 1 / (12 * n_test**2))
    return Estimate(float(np.mean(differences)), float(np.sqrt(factor * variance)), k - 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for multiple comparisons by Holm's step-down method.

    See Holm, Scandinavian Journal of Statistics 6, 1979.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    least = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = least
    return corrected
