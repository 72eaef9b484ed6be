"""How good predictions are: accuracy with its uncertainty, and two means that no large class dominates."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom
from sklearn.metrics import balanced_accuracy_score, f1_score

from .backends.base import Array

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Scores:
    """Scores of one set of predictions, as fractions.

    Args:
        balanced_accuracy: Mean over classes of the share of a class's clips that are right.
        macro_f1: Mean over classes of F1.
        accuracy_low: Lower end of the 95 % bootstrap interval of the accuracy over all clips.
        accuracy_high: Its upper end.
    """

    balanced_accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float


def score(labels: Array, predictions: Array) -> Scores:
    """Score predictions.

    The interval is the percentile bootstrap over clips (Efron 1979). To draw n clips with replacement, of which a share
    p is right, is to draw their number from a binomial distribution, whose quantiles are taken: no draw is needed.
    Excerpts of one recording are counted as if they were independent.

    Args:
        labels: `(n_clips,)`.
        predictions: `(n_clips,)`.

    Example:
        >>> import numpy as np
        >>> score(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
        Scores(balanced_accuracy=0.8333333333333333, macro_f1=0.7333333333333334, accuracy_low=0.25, accuracy_high=1.0)
    """
    n = len(labels)
    low, high = binom.ppf([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], n, np.mean(labels == predictions)) / n
    present = np.unique(labels)
    return Scores(
        balanced_accuracy=float(balanced_accuracy_score(labels, predictions)),
        macro_f1=float(f1_score(labels, predictions, labels=present, average="macro", zero_division=0)),
        accuracy_low=float(low),
        accuracy_high=float(high),
    )
