"""Records of a fitted run: predictions by clip, scores by name, and candidates with their accuracies."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datamodules import Clip
from .embedded import EmbeddedData
from .metrics import score_predictions
from .record import Candidate, Predictions, format_arguments, units
from .selection import Selection


def predictions_of(selection: Selection, data: EmbeddedData) -> Predictions:
    """Return the predictions behind the score of a selection, each with the fold in which it was made."""
    clips = [data.learned[index] for index in selection.scored]
    # Clips have no folds if the train split was divided into inner folds because there is no validation split.
    parts = [str(part) for part in np.repeat(range(len(selection.fold_sizes)), selection.fold_sizes)]
    if selection.protocol == "holdout":
        folds = parts if len(selection.fold_sizes) > 1 else [""] * len(clips)
    else:
        folds = [str(clip.fold) for clip in clips]
    return predictions_for(clips, selection.predictions, data.class_names, folds)


def predictions_for(
    clips: Sequence[Clip], predicted: NDArray[Any], class_names: Sequence[str], folds: Sequence[str]
) -> Predictions:
    """Return predictions in the form in which a run records them.

    Args:
        clips: Predicted clips.
        predicted: Index of the predicted class of each clip, `(n_clips,)`.
        class_names: Names of the classes, by index.
        folds: Fold in which each clip was scored; empty if there is none.
    """
    return Predictions(
        ids=[clip.id for clip in clips],
        folds=folds,
        groups=[clip.group or "" for clip in clips],
        labels=[clip.label for clip in clips],
        predicted=[class_names[label] for label in predicted],
    )


def all_scores(name: str, accuracy: float, predictions: Predictions) -> dict[str, float]:
    """Return all scores of predictions by name, including the accuracy.

    Args:
        name: Name of the accuracy, such as `val/accuracy`; its prefix names the other scores as well.
        accuracy: Accuracy, as a fraction.
        predictions: Predictions to score.
    """
    kind = name.split("/")[0]
    labels, predicted = np.array(predictions.labels), np.array(predictions.predicted)
    scores = score_predictions(labels, predicted, predictions.folds, units(predictions))
    return {name: accuracy} | {f"{kind}/{key}": value for key, value in asdict(scores).items()}


def candidates_of(selection: Selection) -> list[Candidate]:
    """Return the candidates of a search with their accuracies."""
    scored = zip(selection.candidates, selection.candidate_scores, strict=True)
    return [
        Candidate(format_arguments(arguments), accuracy, index == selection.best)
        for index, (arguments, accuracy) in enumerate(scored)
    ]
