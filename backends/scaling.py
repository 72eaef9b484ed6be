"""Estimation of the fit time for many clips from fits to small subsets."""

import math
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
FEW = 500
"""Number of clips of the smaller of the two timed fits; the larger one has twice as many."""
QUADRATIC, CUBIC = 2.0, 3.0  # assumed bounds of the exponent: fit time grows as n^2 to n^3


class Estimate(NamedTuple):
    """Estimated time of a fit.

    Args:
        seconds: Time of the fit, in s.
        power: Exponent of its growth with the number of clips.
    """

    seconds: float
    power: float


def seconds_of_fit(fit: Callable[[Array, Array], Any], X: Array, y: Array, n_clips: int) -> Estimate | None:
    """Estimate the time of fitting a kernel machine from two small fits; None if their clips are of one class.

    The time is assumed to grow with a power of the number of clips. The two fits determine the exponent, which is
    limited to between 2 and 3.

    Args:
        fit: Function that fits a machine to embeddings and labels.
        X: Embeddings, `(n, n_features)`; the small fits use a random subset of them.
        y: Labels, `(n,)`.
        n_clips: Number of clips of the fit whose time is estimated.
    """
    order = np.random.default_rng(0).permutation(len(X))
    seconds = []
    for n in (FEW, 2 * FEW):
        rows = order[:n]
        if len(np.unique(y[rows])) < 2:
            return None  # the other classes are too rare for a small fit
        start = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):
            fit(X[rows], y[rows])
        seconds.append(time.perf_counter() - start)
    power = min(max(math.log2(max(seconds[1], 1e-9) / max(seconds[0], 1e-9)), QUADRATIC), CUBIC)
    return Estimate(seconds[1] * (n_clips / (2 * FEW)) ** power, power)


def as_order(seconds: float) -> str:
    """Format a roughly known time as text.

    Example:
        >>> as_order(8), as_order(700), as_order(50_000)
        ('less than a minute', 'about 10 minutes', 'about 14 hours')
    """
    if seconds < 60:
        return "less than a minute"
    number, unit = (seconds / 60, "minute") if seconds < 7200 else (seconds / 3600, "hour")
    rounded = int(float(f"{number:.1g}")) if unit == "minute" else round(number)
    return f"about {rounded} {unit}{'s' if rounded > 1 else ''}"
