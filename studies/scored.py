"""Correct and wrong predictions of several models on the same clips, for each seed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..probes.record import Predictions, units


class Scored(NamedTuple):
    """Predictions of several models on the same clips.

    Args:
        clips: Clips that all models were scored on.
        correct: For each model, 1 for correct and 0 for wrong predictions, `(n_seeds, n_clips)`.
    """

    clips: Predictions
    correct: list[NDArray[Any]]

    @property
    def groups(self) -> list[str]:
        """Group of each clip; a clip without a group is its own group."""
        return units(self.clips)

    @property
    def weights(self) -> NDArray[Any]:
        """Weight of each clip, `(n_clips,)`, with a mean of 1.

        Each fold has the same total weight, as in the mean accuracy over folds.
        """
        _, fold_of = np.unique(np.asarray(self.clips.folds), return_inverse=True)
        sizes = np.bincount(fold_of)
        return np.asarray(len(fold_of) / (len(sizes) * sizes[fold_of]))

    @property
    def can_be_tested(self) -> bool:
        """Whether there are at least two groups of clips, so that a variance can be estimated."""
        return len(set(self.groups)) > 1


def align(models: Sequence[Sequence[Predictions]]) -> Scored:
    """Restrict the predictions of models to the clips that all models were scored on.

    The clips differ if a frontend failed on a clip that other frontends could read.

    Args:
        models: Predictions of each seed, for each model; the result has no clips if there are no models.

    Example:
        >>> a = Predictions(["x", "y"], ["", ""], ["", ""], ["cat", "dog"], ["cat", "cat"])
        >>> b = Predictions(["y"], [""], [""], ["dog"], ["dog"])
        >>> align([[a], [b]]).correct
        [array([[0.]]), array([[1.]])]
    """
    several = [each for seeds in models for each in seeds]
    ids = set.intersection(*(set(each.ids) for each in several)) if several else set()
    rows = [row for row in zip(*several[0], strict=True) if row[0] in ids] if ids else []
    clips = Predictions(*map(list, zip(*rows, strict=True))) if rows else Predictions([], [], [], [], [])
    return Scored(clips, [np.array([_right(each, clips.ids) for each in seeds]) for seeds in models])


def _right(predictions: Predictions, ids: Sequence[str]) -> NDArray[Any]:
    """Return 1 for each clip with a correct prediction and 0 for the other clips, `(n_clips,)`."""
    right = {
        clip: float(label == predicted)
        for clip, label, predicted in zip(predictions.ids, predictions.labels, predictions.predicted, strict=True)
    }
    return np.array([right[clip] for clip in ids])
