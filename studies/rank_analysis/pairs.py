"""Pairs of architectures: which differ beyond chance, and how often the untrained order is the trained order."""

import warnings
from collections.abc import Sequence
from itertools import pairwise
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .analysis import Agreement, Band
from .compared import Task
from .data import RANDOM, TRAINED
from .ranks import LEAST, QUANTILE
from .scores import halves
from .statistics import SignificantPairs

BANDS = (0.0, 2.0, 5.0, 10.0, 20.0, inf)  # percentage points
N_BAND_DRAWS = 400
N_HALVES = 4  # number of splits of shared clips
STEP = 0.5  # percentage points between two places of the curve


def significant_pairs(task: Task) -> SignificantPairs:
    """Return Kendall's τ over pairs whose trained difference exceeds 1.96 standard errors over seeds and clips.

    The standard errors come from the draws, in which both architectures of a pair have the same clips.
    """
    y, u = task.values(TRAINED)[task.is_in], task.values(RANDOM)[task.is_in]
    if len(y) < LEAST:
        return SignificantPairs(nan, nan)
    covariance = np.cov(task.noise[TRAINED][:, task.is_in], rowvar=False)
    rows, columns = np.triu_indices(len(y), 1)
    variance = np.diag(covariance)[rows] + np.diag(covariance)[columns] - 2 * covariance[rows, columns]
    apart = y[rows] - y[columns]
    is_beyond = np.abs(apart) > QUANTILE * np.sqrt(np.maximum(variance, 0)) + 1e-12
    if not is_beyond.any():
        return SignificantPairs(nan, 0.0)
    agreement = np.sign(apart) * np.sign(u[rows] - u[columns])
    return SignificantPairs(float(agreement[is_beyond].mean()), float(is_beyond.mean()))


def agreement(tasks: Sequence[Task]) -> Agreement:
    """Return the probability that the better architecture untrained is the better one trained, given the difference.

    The pairs are those within a task, of all tasks. Untrained ties and trained ties count as half. For the band,
    designs are drawn as for the other intervals. Where u and y share clips, u comes from one half of the clips and y
    from the other, both ways and for a few splits, because the luck that they share would make the probability too
    high. Each pair then counts as many times, with a weight that adds up to 1.
    """
    parts = [_pairs(task) for task in tasks]
    difference, agrees, once, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    bands = [_band(low, high, difference, agrees, once) for low, high in pairwise(BANDS)]
    if not len(difference):
        nothing = np.empty(0)
        return Agreement(nothing, nothing, nothing, nothing, bands)
    places = np.arange(0, difference.max() + STEP, STEP)
    weights = tasks[0].draws.weights[:N_BAND_DRAWS]
    drawn = [isotonic(difference, agrees, once * one[rows] * one[columns], places) for one in weights]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of places that no draw reaches
        low, high = np.nanquantile(np.stack(drawn), [0.025, 0.975], axis=0)
    return Agreement(places, isotonic(difference, agrees, once, places), low, high, bands)


def _pairs(task: Task) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return difference in points, agreement, weight and both members of all pairs, `(n_ways * n_pairs,)` each."""
    used = np.flatnonzero(task.is_in)
    rows, columns = (used[index] for index in np.triu_indices(len(used), 1))
    u, y = (task.values(arm)[None] for arm in (RANDOM, TRAINED))
    if task.splits is not None:
        of_u, of_y = (halves(task.arms[arm], task.splits[:N_HALVES]) for arm in (RANDOM, TRAINED))
        u, y = np.concatenate(of_u), np.concatenate(of_y[::-1])
    apart = u[:, rows] - u[:, columns]
    agrees = (1 + np.sign(apart) * np.sign(y[:, rows] - y[:, columns])) / 2
    difference = np.round(100 * np.abs(apart), 9)
    of_pairs = (np.broadcast_to(one, apart.shape).ravel() for one in (1 / len(u), rows, columns))
    weight, first, second = of_pairs
    return difference.ravel(), agrees.ravel(), weight, first, second


def _band(low: float, high: float, difference: NDArray[Any], agrees: NDArray[Any], once: NDArray[Any]) -> Band:
    inside = (difference >= low) & (difference < high)
    share = float(np.average(agrees[inside], weights=once[inside])) if inside.any() else nan
    return Band(low, high, share, round(once[inside].sum()))


def isotonic(x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    """Return an increasing weighted least-squares regression of y on x, at some places; flat beyond the data.

    Args:
        x: Predictor, `(n,)`; equal values have the same prediction.
        y: Response, `(n,)`.
        weights: Weights, 0 or more, `(n,)`.
        places: Values of x, `(n_places,)`; between those of the data the regression is linear.

    Returns:
        Predictions, `(n_places,)`; NaN if all weights are 0.
    """
    from scipy.optimize import isotonic_regression

    values, index = np.unique(x, return_inverse=True)
    total = np.bincount(index, weights)
    known = total > 0
    if not known.any():
        return np.full(len(places), nan)
    mean = np.bincount(index, weights * y)[known] / total[known]
    fitted = isotonic_regression(mean, weights=total[known]).x
    return np.asarray(np.interp(places, values[known], fitted))
