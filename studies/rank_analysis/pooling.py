"""Correlations pooled over tasks by Fisher's z, and their differences, with intervals from the draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .ranks import QUANTILE, around, fisher
from .statistics import Statistic

LEAST_SHARE = 0.5
"""Least share of draws in which a statistic must be defined to have an interval."""


@dataclass(frozen=True)
class Pooled:
    """A correlation pooled over the tasks in which it can be estimated.

    Args:
        value: Estimate, tanh of the mean of atanh ρ over tasks.
        draws: Fisher's z, a mean over tasks, in each draw, `(n_draws,)`.
        n: Mean number of architectures in a task.
    """

    value: float
    draws: NDArray[Any]
    n: float

    def statistic(self, p: float = nan) -> Statistic:
        """Return the estimate with the interval tanh(z ± 1.96 sd), where sd is the standard deviation over draws.

        Noise is drawn on top of noisy scores, which lowers the correlations of the draws. Their spread is used, not
        their quantiles.

        Args:
            p: P-value.
        """
        found = around(self.value, spread(self.draws), self.n)
        return Statistic(found.value, found.low, found.high, p)


def pool(values: Sequence[float], draws: Sequence[NDArray[Any]], sizes: Sequence[int]) -> Pooled:
    """Pool a correlation over tasks. Tasks in which it is NaN are left out.

    Args:
        values: Correlation of each task.
        draws: Fisher's z of the correlation of each task in each draw, `(n_draws,)`.
        sizes: Number of architectures in each task.
    """
    known = [index for index, value in enumerate(values) if np.isfinite(value)]
    if not known:
        return Pooled(nan, np.full_like(draws[0], nan), nan)
    z = [fisher(values[index], sizes[index]) for index in known]
    value = values[known[0]] if len(known) == 1 else float(np.tanh(np.mean(z)))
    return Pooled(value, np.mean([draws[index] for index in known], axis=0), float(np.mean([sizes[i] for i in known])))


def spread(draws: NDArray[Any]) -> float:
    """Return the standard deviation of the finite draws; NaN if half of them or more are not finite."""
    finite = draws[np.isfinite(draws)]
    return float(np.std(finite, ddof=1)) if len(finite) > max(1, LEAST_SHARE * len(draws)) else nan


def difference(value: float, draws: NDArray[Any]) -> Statistic:
    """Return a difference of two correlations with the interval ± 1.96 sd and its two-sided p-value.

    Args:
        value: Estimate.
        draws: The difference in each draw, `(n_draws,)`.
    """
    error = spread(draws)
    if np.isnan(value) or np.isnan(error):
        return Statistic(value)
    p = float(2 * ndtr(-abs(value) / error)) if error else float(value == 0)
    return Statistic(value, value - QUANTILE * error, value + QUANTILE * error, p)
