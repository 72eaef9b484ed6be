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
from .statistics import SignificantPairs

BANDS = (0.0, 2.0, 5.0, 10.0, 20.0, inf)  # percentage points
N_BAND_DRAWS = 400
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
    designs are drawn as for the other intervals. There is no cross-fitting: where u and y share clips, the probability
    is a little too high.
    """
    parts = [_pairs(task) for task in tasks]
    difference, agrees, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    bands = [_band(low, high, difference, agrees) for low, high in pairwise(BANDS)]
    if not len(difference):
        nothing = np.empty(0)
        return Agreement(nothing, nothing, nothing, nothing, bands)
    places = np.arange(0, difference.max() + STEP, STEP)
    weights = tasks[0].draws.weights[:N_BAND_DRAWS]
    drawn = [isotonic(difference, agrees, one[rows] * one[columns], places) for one in weights]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of places that no draw reaches
        low, high = np.nanquantile(np.stack(drawn), [0.025, 0.975], axis=0)
    return Agreement(places, isotonic(difference, agrees, np.ones(len(agrees)), places), low, high, bands)


def _pairs(task: Task) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return difference in points, agreement and both members of all pairs, ordered by the difference."""
    used = np.flatnonzero(task.is_in)
    rows, columns = (used[index] for index in np.triu_indices(len(used), 1))
    u, y = task.values(RANDOM), task.values(TRAINED)
    apart = u[rows] - u[columns]
    agrees = (1 + np.sign(apart) * np.sign(y[rows] - y[columns])) / 2
    return np.round(100 * np.abs(apart), 9), agrees, rows, columns


def _band(low: float, high: float, difference: NDArray[Any], agrees: NDArray[Any]) -> Band:
    inside = (difference >= low) & (difference < high)
    return Band(low, high, float(agrees[inside].mean()) if inside.any() else nan, int(inside.sum()))


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
