"""Correlations pooled over tasks by Fisher's z, and their differences, with intervals from the draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .draws import variance
from .ranks import QUANTILE, around, fisher
from .statistics import Statistic

Estimated = tuple[float, NDArray[Any], int]
"""A correlation of one task: the estimate, Fisher's z in each draw, and the number of architectures."""


@dataclass(frozen=True)
class Pooled:
    """A correlation pooled over the tasks in which it can be estimated.

    Args:
        value: Estimate, tanh of the mean of atanh ρ over tasks.
        draws: Fisher's z, a mean over tasks, in each draw, `(n_all_draws,)`.
        n: Mean number of architectures in a task.
    """

    value: float
    draws: NDArray[Any]
    n: float

    def statistic(self, p: float = nan) -> Statistic:
        """Return the estimate with the interval tanh(z ± 1.96 sd), where sd is `spread` of the draws.

        `spread` puts draws of architectures and of clips together.

        Args:
            p: P-value.
        """
        found = around(self.value, spread(self.draws), self.n)
        return Statistic(found.value, found.low, found.high, p)


def pool(values: Sequence[float], draws: Sequence[NDArray[Any]], sizes: Sequence[int]) -> Pooled:
    """Pool a correlation over tasks. Tasks in which it is NaN are left out.

    Args:
        values: Correlation of each task.
        draws: Fisher's z of the correlation of each task in each draw, `(n_all_draws,)`.
        sizes: Number of architectures in each task.
    """
    known = [index for index, value in enumerate(values) if np.isfinite(value)]
    if not known:
        return Pooled(nan, np.full_like(draws[0], nan), nan)
    z = [fisher(values[index], sizes[index]) for index in known]
    value = values[known[0]] if len(known) == 1 else float(np.tanh(np.mean(z)))
    return Pooled(value, np.mean([draws[index] for index in known], axis=0), float(np.mean([sizes[i] for i in known])))


def pool_both(a: Sequence[Estimated], b: Sequence[Estimated]) -> tuple[Pooled, Pooled]:
    """Pool two correlations over the tasks in which both can be estimated, so that they can be compared.

    Args:
        a: A correlation of each task.
        b: Another correlation of each task.
    """
    known = [index for index in range(len(a)) if np.isfinite(a[index][0] + b[index][0])] or [0]
    first, second = (pool(*zip(*(each[index] for index in known), strict=True)) for each in (a, b))
    return first, second


def spread(draws: NDArray[Any]) -> float:
    """Return the standard error of a statistic from its draws, the root of their `variance`."""
    return float(np.sqrt(variance(draws)))


def difference(value: float, draws: NDArray[Any]) -> Statistic:
    """Return a difference of two correlations with the interval ± 1.96 sd and its two-sided p-value.

    Args:
        value: Estimate.
        draws: The difference in each draw, `(n_all_draws,)`.
    """
    error = spread(draws)
    if np.isnan(value) or np.isnan(error):
        return Statistic(value)
    p = float(2 * ndtr(-abs(value) / error)) if error else float(value == 0)
    return Statistic(value, value - QUANTILE * error, value + QUANTILE * error, p)
