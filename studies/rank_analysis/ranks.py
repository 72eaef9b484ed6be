"""Rank correlations of many weighted samples at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .statistics import Statistic

LEAST = 4
"""Smallest number of architectures with a correlation; three have only six orders."""
QUANTILE = 1.959963984540054  # 97.5 % of the normal distribution


def weighted_ranks(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return mid-ranks in samples in which each value occurs as often as its weight says.

    Args:
        values: Values, `(n,)`, or `(n_samples, n)` with other values in each sample. All NaN are ties of each
            other, and of -inf, and are ranked lowest.
        weights: Numbers of occurrences, 0 or more, `(n,)` or `(n_samples, n)`.

    Returns:
        Ranks from 1 on, with the larger of both shapes. All occurrences of a value have the same rank.

    Example:
        >>> import numpy as np
        >>> weighted_ranks(np.array([0.3, 0.1, 0.3]), np.array([1, 1, 2]))  # 0.1, 0.3, 0.3, 0.3
        array([3., 1., 3.])
    """
    shape = np.broadcast_shapes(values.shape, np.shape(weights))
    weights = np.broadcast_to(weights, shape)
    values = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(values, axis=-1)
    inner = np.take_along_axis(values, order, axis=-1)
    place = np.arange(shape[-1])
    is_new = np.ones(inner.shape, bool)
    is_new[..., 1:] = inner[..., 1:] != inner[..., :-1]
    first = np.maximum.accumulate(np.where(is_new, place, 0), axis=-1)  # place of the first and the last equal value
    is_last = np.ones(inner.shape, bool)
    is_last[..., :-1] = is_new[..., 1:]
    last = np.minimum.accumulate(np.where(is_last, place, shape[-1])[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(shape)
    if values.ndim == 1:
        ordered = weights[..., order]
        after = np.cumsum(ordered, axis=-1)
        ranks[..., order] = ((after - ordered)[..., first] + after[..., last] + 1) / 2
    else:
        ordered = np.take_along_axis(weights, order, axis=-1)
        after = np.cumsum(ordered, axis=-1)
        before = np.take_along_axis(after - ordered, first, axis=-1)
        mean = (before + np.take_along_axis(after, last, axis=-1) + 1) / 2
        np.put_along_axis(ranks, order, mean, axis=-1)
    return ranks


@dataclass(frozen=True)
class Frame:
    """Samples of architectures, with what their ranks are corrected for.

    Args:
        weights: Number of occurrences of each architecture, `(n,)` or `(n_samples, n)`.
        families: Indicators of the families in which ranks are centred, `(n, n_families)`; a column of ones centres
            them on the whole sample.
        given: Orthonormal, centred ranks of the covariates, `(n_samples, n)` each.
    """

    weights: NDArray[Any]
    families: NDArray[Any]
    given: Sequence[NDArray[Any]] = ()

    @classmethod
    def of(
        cls,
        weights: NDArray[Any],
        families: Sequence[str] | None = None,
        covariates: Sequence[NDArray[Any]] = (),
    ) -> "Frame":
        """Return a frame.

        Args:
            weights: Number of occurrences of each architecture, `(n,)` or `(n_samples, n)`.
            families: Family of each architecture if ranks are centred in each family.
            covariates: Values whose ranks are regressed out, `(n,)` each.
        """
        names = ["all"] * weights.shape[-1] if families is None else list(families)
        frame = cls(weights, (np.array(names)[:, None] == np.unique(names)).astype(float))
        for values in covariates:
            one = frame.ranks(values)
            # A covariate that the others determine is left out.
            frame = cls(weights, frame.families, [*frame.given, np.where(np.isfinite(one), one, 0)])
        return frame

    def part(self, samples: slice) -> "Frame":
        """Return the frame of some of the samples."""
        return Frame(self.weights[samples], self.families, [one[samples] for one in self.given])

    def ranks(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the corrected ranks of values, scaled so that their weighted squares add up to 1.

        Args:
            values: Values, `(n,)` or `(n_samples, n)`; those of weight 0 may be NaN.

        Returns:
            Ranks, 0 where the weight is 0; NaN in samples in which nothing is left of them, such as constant values.
        """
        ranks = weighted_ranks(values, self.weights)
        counts = np.maximum(self.weights @ self.families, 1)
        first = ranks - self.weights.sum(-1, keepdims=True) / 2
        ranks = ranks - ((self.weights * ranks) @ self.families / counts) @ self.families.T
        for other in self.given:
            ranks = ranks - (self.weights * ranks * other).sum(-1, keepdims=True) * other
        square = (self.weights * ranks**2).sum(-1, keepdims=True)
        is_left = square > 1e-9 * (self.weights * first**2).sum(-1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = ranks / np.where(is_left, np.sqrt(square), nan)
        return np.where(self.weights > 0, scaled, np.where(is_left, 0, nan))

    def rho(self, a: NDArray[Any], b: NDArray[Any]) -> Any:
        """Return Spearman's correlation of corrected ranks, a number for each sample; see `ranks`."""
        return np.clip((self.weights * a * b).sum(-1), -1, 1)

    def fisher(self, a: NDArray[Any], b: NDArray[Any]) -> Any:
        """Return Fisher's z of the correlation, a number for each sample."""
        return fisher(self.rho(a, b), self.weights.sum(-1))


def fisher(rho: Any, n: Any) -> Any:
    """Return atanh(ρ), kept finite: at most that of half a step of Spearman's ρ below 1, 1 - 6/(n(n² - 1)).

    Args:
        rho: Correlations.
        n: Number of architectures.
    """
    n = np.maximum(n, 3)
    limit = 1 - 6 / (n * (n**2 - 1))
    return np.arctanh(np.clip(rho, -limit, limit))


def spearman(a: NDArray[Any], b: NDArray[Any], is_in: NDArray[Any] | None = None) -> float:
    """Return Spearman's correlation of two arrays `(n,)`, over those of `is_in` in which both are finite."""
    is_in = np.isfinite(a) & np.isfinite(b) & (True if is_in is None else is_in)
    if is_in.sum() < LEAST:
        return nan
    frame = Frame.of(is_in.astype(float))
    return float(frame.rho(frame.ranks(a), frame.ranks(b)))


def tau_b(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return Kendall's τ-b, (C - D)/sqrt((n0 - n1)(n0 - n2)), of two arrays `(n,)`.

    n0 is the number of pairs, n1 and n2 the numbers of pairs that are tied in each array.
    """
    if len(a) < LEAST:
        return nan
    rows, columns = np.triu_indices(len(a), 1)
    of_a, of_b = np.sign(a[rows] - a[columns]), np.sign(b[rows] - b[columns])
    scale = float(np.sqrt((of_a**2).sum() * (of_b**2).sum()))
    return float((of_a * of_b).sum()) / scale if scale else nan


def bonett_wright(rho: float, n: int) -> Statistic:
    """Return ρ with the 95 % interval tanh(atanh ρ ± 1.96 sqrt((1 + ρ²/2)/(n - 3))).

    See Bonett & Wright, Psychometrika 65, 2000.
    """
    if n < LEAST:
        return Statistic(rho)
    return around(rho, float(np.sqrt((1 + rho**2 / 2) / (n - 3))), n)


def around(rho: float, error: float, n: float) -> Statistic:
    """Return ρ with the interval tanh(atanh ρ ± 1.96 `error`), where `error` is the standard error of atanh ρ."""
    z = float(fisher(rho, n))
    return Statistic(rho, float(np.tanh(z - QUANTILE * error)), float(np.tanh(z + QUANTILE * error)))
