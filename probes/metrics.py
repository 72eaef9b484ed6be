"""Scores of predictions: interval of the accuracy, balanced accuracy and macro F1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
N_DRAWS = 10_000
BATCH_INDICES = 2_000_000  # number of indices drawn at a time, which limits memory


@dataclass(frozen=True)
class Scores:
    """Scores of one set of predictions, as fractions.

    Args:
        balanced_accuracy: Mean recall over classes, computed from all folds together.
        macro_f1: Mean F1 over classes, computed from all folds together.
        accuracy_low: Lower end of the 95 % bootstrap interval of the mean accuracy of the folds.
        accuracy_high: Upper end of the 95 % bootstrap interval of the mean accuracy of the folds.
    """

    balanced_accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float


def score_predictions(
    labels: NDArray[Any], predictions: NDArray[Any], folds: Sequence[object], groups: Sequence[object]
) -> Scores:
    """Score predictions.

    Args:
        labels: True labels, `(n_clips,)`.
        predictions: Predicted labels, `(n_clips,)`.
        folds: Fold of each clip; the same value for all clips if there are no folds.
        groups: Group of each clip, such as the recording that it comes from.

    Example:
        >>> import numpy as np
        >>> labels, predictions = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])
        >>> scores = score_predictions(labels, predictions, [1, 1, 1, 1], ["a", "b", "c", "d"])
        >>> scores.balanced_accuracy, scores.accuracy_low, scores.accuracy_high
        (0.75, 0.25, 1.0)
    """
    from sklearn.metrics import f1_score, recall_score  # takes a second, and a report does not need it

    low, high = interval(bootstrap((labels == predictions)[:, None], folds, groups))
    options = {"labels": np.unique(labels), "average": "macro", "zero_division": 0}
    return Scores(
        balanced_accuracy=float(recall_score(labels, predictions, **options)),
        macro_f1=float(f1_score(labels, predictions, **options)),
        accuracy_low=float(low[0]),
        accuracy_high=float(high[0]),
    )


def bootstrap(correct: NDArray[Any], folds: Sequence[object], groups: Sequence[object]) -> NDArray[Any]:
    """Draw the mean accuracy of the folds 10,000 times, by the bootstrap over groups within folds (Efron 1979).

    The groups of a fold are drawn with replacement, and all clips of a group are drawn together, because the
    predictions for excerpts of one recording are correlated. All columns use the same draws, so that differences
    between columns are paired.

    Args:
        correct: Share of the seeds for which each clip is classified correctly, from 0 to 1, `(n_clips, n_columns)`,
            with one column for each model.
        folds: Fold of each clip.
        groups: Group of each clip; a clip without a group is its own group.

    Returns:
        Accuracies as fractions, `(10000, n_columns)`, identical in each call.
    """
    rng = np.random.default_rng(0)
    fold_of, group_of = (np.unique(np.array(names, dtype=str), return_inverse=True)[1] for names in (folds, groups))
    n_folds = int(fold_of.max()) + 1
    total = np.zeros((N_DRAWS, correct.shape[1]))
    for fold in range(n_folds):
        inside = fold_of == fold
        _, position = np.unique(group_of[inside], return_inverse=True)
        n = int(position.max()) + 1
        right = np.zeros((n, correct.shape[1]))
        np.add.at(right, position, correct[inside])
        size = np.bincount(position, minlength=n)
        step = max(1, BATCH_INDICES // n)
        for start in range(0, N_DRAWS, step):
            rows = min(step, N_DRAWS - start)
            drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
            times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
            total[start : start + rows] += (times @ right) / (times @ size)[:, None]
    return total / n_folds


def interval(draws: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the lower and upper ends of the 95 % interval of draws, each `(n_columns,)`."""
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return low, high
