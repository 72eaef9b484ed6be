"""How good predictions are: accuracy with its uncertainty, and two means that no large class dominates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score, recall_score

from .backends.base import Array

CONFIDENCE = 0.95
_DRAWS = 20_000


@dataclass(frozen=True)
class Scores:
    """Scores of one set of predictions, as fractions.

    Args:
        balanced_accuracy: Mean over classes of the share of a class's clips that are right, of all folds together.
        macro_f1: Mean over classes of F1, of all folds together.
        accuracy_low: Lower end of the 95 % bootstrap interval of the mean accuracy of the folds.
        accuracy_high: Its upper end.
    """

    balanced_accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float


def score(labels: Array, predictions: Array, fold_sizes: Sequence[int]) -> Scores:
    """Score predictions.

    The interval is the percentile bootstrap over clips within their folds (Efron 1979): to draw the n clips of a fold
    with replacement, of which a share p is right, is to draw the number of right ones from a binomial distribution.
    Excerpts of one recording are counted as if they were independent.

    Args:
        labels: `(n_clips,)`, fold by fold.
        predictions: `(n_clips,)`.
        fold_sizes: Number of clips of each fold; a single one where there are no folds.

    Example:
        >>> import numpy as np
        >>> scores = score(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), [4])
        >>> scores.balanced_accuracy, scores.accuracy_low, scores.accuracy_high
        (0.75, 0.25, 1.0)
    """
    ends = np.cumsum(fold_sizes)[:-1]
    shares = [right.mean() for right in np.split(labels == predictions, ends)]
    drawn = np.random.default_rng(0).binomial(fold_sizes, shares, size=(_DRAWS, len(shares))) / np.array(fold_sizes)
    low, high = np.quantile(drawn.mean(axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    options = {"labels": np.unique(labels), "average": "macro", "zero_division": 0}
    return Scores(
        balanced_accuracy=float(recall_score(labels, predictions, **options)),
        macro_f1=float(f1_score(labels, predictions, **options)),
        accuracy_low=float(low),
        accuracy_high=float(high),
    )
