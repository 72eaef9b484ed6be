"""Calibration of class scores to probabilities, by temperature scaling on held-out scores (Guo et al. 2017).

Scores are multiplied by one fitted number, the inverse temperature, before a softmax. One number needs few clips and
preserves the order of the scores. Scores that are already probabilities are first mixed with a uniform distribution,
whose share is fitted too. Otherwise the logarithms of zeros, which are frequent among the votes of a few neighbours,
would determine the temperature alone. The held-out scores are those of the chosen candidate on splits of its search.
`python benchmarks/calibration.py` measures the quality of the calibration.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ..backends.base import Backend, Splits
from ..backends.convergence import watch_convergence
from ..backends.guard import predicted, reason_of
from ..backends.rows import Matrix, Rows

PROBABILITY = "probability"  # kind of scores, as `Backend.class_scores` names it
MIN_CLIPS, ENOUGH_CLIPS = 50, 1000  # held-out clips: minimum for a calibration; number after which no split is added
_SMOOTHINGS = (0.001, 0.01, 0.1, 0.3)  # shares of the uniform distribution that are tried
_LOG_BOUNDS = (-15.0, 15.0)  # bounds of the logarithm of the inverse temperature


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration.

    Args:
        n_clips: Number of held-out clips with scores.
        inverse_temperature: Factor of the scores before the softmax; None if there are too few clips with scores.
        smoothing: Share of the uniform distribution that is mixed with scores that are probabilities.
    """

    n_clips: int = 0
    inverse_temperature: float | None = None
    smoothing: float = _SMOOTHINGS[0]


def calibrate(
    backend: Backend,
    candidate: Mapping[str, Any],
    X: Matrix | Callable[[int], Matrix],
    y: NDArray[Any],
    splits: Splits,
) -> Calibration:
    """Calibrate a candidate on clips that it was not fitted to.

    The candidate is fitted again on splits of the search, until `ENOUGH_CLIPS` held-out clips are scored. It was chosen
    on the same splits, so the probabilities are slightly too high.

    Args:
        backend: Backend that was searched.
        candidate: Arguments of the chosen candidate.
        X: Embeddings, `(n_clips, n_features)`; or a function that returns those of a split by its number.
        y: Labels, `(n_clips,)`.
        splits: Pairs of the indices of training clips and of held-out clips that the candidate was chosen on.
    """
    if sum(len(test) for _, test in splits) < MIN_CLIPS:
        return Calibration(sum(len(test) for _, test in splits), None)
    n_before = np.cumsum([0, *(len(test) for _, test in splits)])
    used = [split for split, n in zip(splits, n_before, strict=False) if n < ENOUGH_CLIPS]
    # Only one array at a time is in memory, and fits by batches may each take all memory that is allowed.
    n_jobs = -1 if isinstance(X, np.ndarray) else 1
    found = joblib.Parallel(n_jobs=n_jobs, prefer="threads")(
        joblib.delayed(_held_out)(backend, candidate, X(number) if callable(X) else X, y, train, test)
        for number, (train, test) in enumerate(used)
    )
    return calibrated_on([scored for scored in found if scored is not None])


def calibrated_on(held_out: Sequence[tuple[NDArray[Any], str, NDArray[Any]]]) -> Calibration:
    """Calibrate on class scores of held-out clips.

    Args:
        held_out: For each split, scores `(n_clips, n_classes)`, their kind, and the column of the true class of each
            clip.
    """
    n_clips = sum(len(places) for _, _, places in held_out)
    if n_clips < MIN_CLIPS:
        return Calibration(n_clips, None)
    of_probabilities = any(kind == PROBABILITY for _, kind, _ in held_out)
    tried = []
    for smoothing in _SMOOTHINGS if of_probabilities else _SMOOTHINGS[:1]:
        logits = [(_logits(scores, kind, smoothing), places) for scores, kind, places in held_out]
        tried.append((*fit_inverse_temperature(logits), smoothing))
    inverse_temperature, _, smoothing = min(tried, key=lambda found: found[1])
    return Calibration(n_clips, inverse_temperature, smoothing)


def fit_inverse_temperature(held_out: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[float, float]:
    """Return the inverse temperature that minimises the log loss, and the loss summed over clips.

    As in Platt scaling, the target of the true class is slightly below 1, so that perfect scores do not give
    probabilities of exactly 1.

    Args:
        held_out: Logits `(n_clips, n_classes)` of each split, with the column of the true class of each clip.

    Example:
        >>> logits = np.array([[2.0, 0.0]] * 4)
        >>> round(fit_inverse_temperature([(logits, np.array([0, 0, 0, 1]))])[0], 2)  # 3 of 4 are right
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

    found = minimize_scalar(loss, bounds=_LOG_BOUNDS, method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def label(model: Backend, X: Matrix) -> tuple[NDArray[Any], NDArray[Any] | None, str]:
    """Return labels with class scores that agree with them, and the kind of the scores.

    The predicted label of each clip gets the highest score. If a backend predicts a class other than the one with its
    highest score, the scores of both classes are exchanged. This happens for support vector machines, which predict
    the class that wins the most pairwise decisions, however narrowly.

    Args:
        model: Fitted backend.
        X: Embeddings, `(n_clips, n_features)`.

    Returns:
        Labels `(n_clips,)`; scores `(n_clips, n_classes)`, or None if the backend predicts labels only; and the kind of
        the scores.
    """
    labels = predicted(model, X)
    try:
        found = _scores_of(model, X)
        if found is None:
            return labels, None, ""
        shape, expected = np.shape(found[0]), (len(labels), len(model.classes_))
        if shape != expected:
            raise ValueError(f"shape {shape}, expected {expected}")
        if not np.isfinite(found[0]).all():
            raise ValueError(f"NaN or infinity for {np.sum(~np.isfinite(found[0]).all(axis=1))} of {len(labels)} clips")
    except Exception as error:  # a plug-in may raise any error; its labels are usable without scores
        text = f"class_scores() of backend {type(model).__name__} cannot be used ({reason_of(error)})"
        warnings.warn(f"{text}, so that labels have no scores and no calibration; correct class_scores()", stacklevel=2)
        return labels, None, ""
    scores, rows, given = found[0].copy(), np.arange(len(labels)), np.searchsorted(model.classes_, labels)
    highest = scores.argmax(axis=1)
    scores[rows, given], scores[rows, highest] = found[0][rows, highest], found[0][rows, given]
    return labels, scores, found[1]


def _scores_of(model: Backend, X: Matrix) -> tuple[NDArray[Any], str] | None:
    """Return `class_scores` of a backend, batch by batch for `Rows`."""
    if not isinstance(X, Rows):
        return model.class_scores(X)
    first = model.class_scores(X[np.arange(1)].read())
    return first and (X.collect(lambda rows: (model.class_scores(rows) or first)[0]), first[1])


def probabilities(
    scores: NDArray[Any], kind: str, inverse_temperature: float, smoothing: float = _SMOOTHINGS[0]
) -> NDArray[Any]:
    """Return calibrated probabilities, `(n_clips, n_classes)`.

    Args:
        scores: Class scores that `label` returns, `(n_clips, n_classes)`.
        kind: Kind of the scores, as `Backend.class_scores` names it.
        inverse_temperature: Factor of the scores, as `calibrate` returns it.
        smoothing: Share of the uniform distribution, as `calibrate` returns it.
    """
    return np.asarray(softmax(inverse_temperature * _logits(scores, kind, smoothing), axis=1))


def _logits(scores: NDArray[Any], kind: str, smoothing: float) -> NDArray[Any]:
    """Return the logarithms of smoothed probabilities; other scores are returned unchanged."""
    return np.log((1 - smoothing) * scores + smoothing / scores.shape[1]) if kind == PROBABILITY else scores


def _held_out(
    backend: Backend,
    candidate: Mapping[str, Any],
    X: Matrix,
    y: NDArray[Any],
    train: NDArray[Any],
    test: NDArray[Any],
) -> tuple[NDArray[Any], str, NDArray[Any]] | None:
    """Return scores of held-out clips, their kind, and the columns of the true classes; None without finite scores."""
    with watch_convergence():  # suppresses warnings, because the search has counted this fit
        model = backend.with_candidate(candidate).fit(X[train], y[train])
    test = test[np.isin(y[test], y[train])]
    _, scores, kind = label(model, X[test]) if len(test) else (None, None, "")
    if scores is None:
        return None
    return scores, kind, np.searchsorted(np.unique(y[train]), y[test])
