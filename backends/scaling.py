"""The time of a fit to many clips, estimated from fits to few of them."""

import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
FEW = 500
"""Clips of the smaller of two fits that are timed; the other has twice as many."""
QUADRATIC, CUBIC = 2.0, 3.0  # growth of the time of a kernel machine with the number of clips


def seconds_of_fit(fit: Callable[[Array, Array], Any], X: Array, y: Array, n_clips: int) -> float | None:
    """Estimate the time of a fit of a kernel machine from two small ones, in s; None if few clips have one class.

    The time grows with a power of the number of clips, which the two fits show; at least its square, at most its cube.

    Args:
        fit: Function that fits a machine to embeddings and labels.
        X: Embeddings, `(n, n_features)`, from which the small fits draw clips.
        y: Labels, `(n,)`.
        n_clips: Number of clips of the fit that is estimated.
    """
    order = np.random.default_rng(0).permutation(len(X))
    seconds = []
    for n in (FEW, 2 * FEW):
        rows = order[:n]
        if len(np.unique(y[rows])) < 2:
            return None  # a class so rare that few clips say nothing
        start = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):
            fit(X[rows], y[rows])
        seconds.append(time.perf_counter() - start)
    power = math.log2(max(seconds[1], 1e-9) / max(seconds[0], 1e-9))
    return float(seconds[1] * (n_clips / (2 * FEW)) ** min(max(power, QUADRATIC), CUBIC))


def as_order(seconds: float) -> str:
    """Return a time of which only the order is known as text for people.

    Example:
        >>> as_order(8), as_order(700), as_order(50_000)
        ('less than a minute', 'about 10 minutes', 'about 14 hours')
    """
    if seconds < 60:
        return "less than a minute"
    number, unit = (seconds / 60, "minute") if seconds < 7200 else (seconds / 3600, "hour")
    rounded = int(float(f"{number:.1g}")) if unit == "minute" else round(number)
    return f"about {rounded} {unit}{'s' if rounded > 1 else ''}"
