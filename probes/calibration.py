"""Calibration of class scores: probabilities from held-out scores by temperature scaling (Guo et al. 2017).

One number is fitted, the inverse temperature by which scores are multiplied before a softmax, so that it takes few
clips and keeps the order of the classes. The held-out scores are those of the chosen candidate on splits of its search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ..backends.base import Backend, Splits
from ..backends.convergence import watch_convergence

MIN_CLIPS, ENOUGH_CLIPS = 50, 1000  # held-out clips: too few to calibrate below, no more are used above
_LEAST_PROBABILITY = 1e-3  # so that the logarithm of a probability of 0 is finite
_LOG_BOUNDS = (-15.0, 15.0)  # of the inverse temperature


@dataclass(frozen=True)
class Calibration:
    """The outcome of a calibration.

    Args:
        n_clips: Number of held-out clips with scores.
        inverse_temperature: Factor of the scores before the softmax; None if there are too few clips, or no scores.
    """

    n_clips: int = 0
    inverse_temperature: float | None = None


def calibrate(
    backend: Backend, candidate: Mapping[str, Any], X: NDArray[Any], y: NDArray[Any], splits: Splits
) -> Calibration:
    """Calibrate a candidate on clips that it was not fitted to.

    The candidate is fitted again on as many splits of the search as give `ENOUGH_CLIPS`. It was chosen on the same
    splits, which makes the probabilities slightly too high.

    Args:
        backend: Backend that was searched.
        candidate: Arguments of the chosen candidate.
        X: Embeddings, `(n_clips, n_features)`.
        y: Labels, `(n_clips,)`.
        splits: Pairs of indices of train and test clips that the candidate was chosen on.
    """
    if sum(len(test) for _, test in splits) < MIN_CLIPS:
        return Calibration(sum(len(test) for _, test in splits), None)
    n_before = np.cumsum([0, *(len(test) for _, test in splits)])
    used = [split for split, n in zip(splits, n_before, strict=False) if n < ENOUGH_CLIPS]
    found = joblib.Parallel(n_jobs=-1, prefer="threads")(
        joblib.delayed(_held_out)(backend, candidate, X, y, train, test) for train, test in used
    )
    held_out = [scored for scored in found if scored is not None and len(scored[1])]
    n_clips = sum(len(places) for _, places in held_out)
    enough = n_clips >= MIN_CLIPS
    return Calibration(n_clips, fit_inverse_temperature(held_out) if enough else None)


def fit_inverse_temperature(held_out: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> float:
    """Return the inverse temperature of the least log loss.

    As in Platt's scaling, the target of the true class is a little below 1, so that perfect scores do not give
    probabilities of exactly 1.

    Args:
        held_out: For each split, logits `(n_clips, n_classes)`, and the column of the true class of each clip.

    Example:
        >>> logits = np.array([[2.0, 0.0]] * 4)
        >>> round(fit_inverse_temperature([(logits, np.array([0, 0, 0, 1]))]), 2)  # 3 of 4 are right
        0.35
    """
    n_clips = sum(len(places) for _, places in held_out)
    miss = 1 / (n_clips + 2)

    def loss(log_factor: float) -> float:
        total = 0.0
        for logits, places in held_out:
            logs = log_softmax(np.exp(log_factor) * logits, axis=1)
            true = logs[np.arange(len(places)), places]
            others = (logs.sum(axis=1) - true) / max(1, logs.shape[1] - 1)
            total -= float(((1 - miss) * true + miss * others).sum())
        return total

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_BOUNDS, method="bounded").x))


def probabilities(scores: NDArray[Any], kind: str, inverse_temperature: float) -> NDArray[Any]:
    """Return calibrated probabilities, `(n_clips, n_classes)`.

    Args:
        scores: Class scores of a backend, `(n_clips, n_classes)`.
        kind: Kind of the scores, as `Backend.class_scores` names it.
        inverse_temperature: Factor that `calibrate` has found.
    """
    return np.asarray(softmax(inverse_temperature * _logits(scores, kind), axis=1))


def _logits(scores: NDArray[Any], kind: str) -> NDArray[Any]:
    """Return probabilities as logarithms, and other scores unchanged."""
    return np.log(np.maximum(scores, _LEAST_PROBABILITY)) if kind == "probability" else scores


def _held_out(
    backend: Backend,
    candidate: Mapping[str, Any],
    X: NDArray[Any],
    y: NDArray[Any],
    train: NDArray[Any],
    test: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return logits of the test clips and the columns of their classes; None if the backend has no finite scores."""
    with watch_convergence():  # the search has counted this fit
        model = backend.with_candidate(candidate).fit(X[train], y[train])
    test = test[np.isin(y[test], y[train])]
    found = model.class_scores(X[test]) if len(test) else None
    if found is None or not np.isfinite(found[0]).all():
        return None
    return _logits(*found), np.searchsorted(model.classes_, y[test])
