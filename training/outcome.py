"""Results of training: the selected networks as probes, and their predictions for each clip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..backends import Backend
from ..backends.guard import FailedCandidate
from ..datamodules import Clip
from ..datamodules.classes import classes_learned
from ..frontends import Frontend
from ..probes.calibration import Calibration, calibrated_on, label
from ..probes.selection import Selection
from .embedded import embeddings_of
from .heads import Head, layers_of
from .module import EndToEnd
from .parts import Part
from .sounds import Sounds


class AudioDigests(NamedTuple):
    """Digests of the audio of clips that were read, which a store of embeddings also has.

    Args:
        known: Digests by the ids of the clips.
    """

    known: Mapping[str, str]

    def audio_of(self, ids: Sequence[str]) -> list[str]:
        """Return the digest of the audio of each clip; empty for a clip that was not read.

        Args:
            ids: Ids of the clips.
        """
        return [self.known.get(clip_id, "") for clip_id in ids]


class Heard:
    """Readable clips, with the interface of `EmbeddedData`.

    Args:
        sounds: Sounds of the data set.

    Attributes:
        clips: Clips that could be read.
        learned: Clips outside the test split.
        tested: Clips of the test split.
        class_names: Names of the classes in the order of the labels; classes without training clips come last.
        store: Digests of the clips.
    """

    def __init__(self, sounds: Sounds) -> None:
        self.clips = sounds.clips
        self.learned = [clip for clip in self.clips if clip.split != "test"]
        self.tested = [clip for clip in self.clips if clip.split == "test"]
        known = classes_learned(self.clips)
        self.class_names = [*known, *sorted({clip.label for clip in self.clips}.difference(known))]
        self.n_learned = len(known)
        self.store = AudioDigests(sounds.audio)
        self._known: dict[str, NDArray[Any]] = {}

    def labels(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return labels of clips, as indices into the class names."""
        index = {name: number for number, name in enumerate(self.class_names)}
        return np.array([index[clip.label] for clip in clips])

    def keep(self, clips: Sequence[Clip], embeddings: NDArray[Any]) -> None:
        """Keep embeddings of the model that is saved."""
        self._known |= {clip.id: row for clip, row in zip(clips, embeddings, strict=True)}

    def embeddings(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return kept embeddings of clips, `(len(clips), n_features)`."""
        return np.stack([self._known[clip.id] for clip in clips])


@dataclass(frozen=True)
class Trained:
    """Trained network, as a frozen frontend and a fitted backend.

    Args:
        frontend: Frozen frontend.
        backend: Head as a backend.
        head: Name of the head.
    """

    frontend: Frontend
    backend: Backend
    head: Head

    @classmethod
    def of(cls, module: EndToEnd, weights: Mapping[str, Any], n_classes: int) -> "Trained":
        """Return the network of a module with the weights of a checkpoint.

        Args:
            module: Module whose frontend is calibrated as that of the checkpoint.
            weights: State of the module in the checkpoint.
            n_classes: Number of classes.
        """
        network = module.build(n_classes)
        network.load_state_dict({name.removeprefix("network."): tensor for name, tensor in weights.items()})
        return cls(*network.as_probe(), module.head)

    def embeddings(self, sounds: Sounds, clips: Sequence[Clip], device: torch.device) -> NDArray[Any]:
        """Return the features of clips for the backend, `(len(clips), n_features)`.

        Args:
            sounds: Sounds of the clips.
            clips: Clips.
            device: Device to compute on.
        """
        columns = self.frontend.columns(layers_of(self.head))
        found: NDArray[Any] = embeddings_of(self.frontend, sounds, clips, device)[:, columns]
        return found


@dataclass
class Scored:
    """Predictions for one part of the data, by the network that was selected for it.

    Args:
        part: Part of the data.
        validation: Accuracy of each learning rate on the validation clips; NaN for one that has failed.
        chosen: Index of the learning rate that was chosen.
        trained: The network with this learning rate.
        ended_at: Number of steps of its checkpoint.
        last_step: Number of steps of its training.
        clips: Clips that are scored.
        predictions: Indices of their predicted classes.
        held_out: Class scores of the clips, the kind of the scores, and the column of each true class; None if the
            backend has no scores.
        failed: Learning rates that have failed.
        first_epoch: Validation accuracy after the first epoch; None if it was not asked for.
    """

    part: Part
    validation: list[float]
    chosen: int
    trained: Trained
    ended_at: int
    last_step: int
    clips: list[Clip]
    predictions: NDArray[Any]
    held_out: tuple[NDArray[Any], str, NDArray[Any]] | None = None
    failed: list[FailedCandidate] = field(default_factory=list)
    first_epoch: float | None = None


def predict(trained: Trained, X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], Any]:
    """Return predictions of clips, and their class scores for a calibration.

    Args:
        trained: Trained network.
        X: Features of the clips.
        y: True labels of the clips.
    """
    if not len(X):
        return np.zeros(0, int), None
    labels, scores, kind = label(trained.backend, X)
    is_known = np.isin(y, trained.backend.classes_)
    if scores is None or not is_known.any():
        return labels, None
    return labels, (scores[is_known], kind, np.searchsorted(trained.backend.classes_, y[is_known]))


def selection_of(scored: Sequence[Scored], rates: Sequence[float], heard: Heard) -> Selection:
    """Convert the outcome to a `Selection`, as a search of a backend returns it.

    A learning rate counts as failed if it has failed in every part.

    Args:
        scored: Predictions of each part; the network of the last one is saved.
        rates: Learning rates that were tried.
        heard: Clips of the data set.
    """
    final, folds = scored[-1], scored[:-1]
    place_of = {clip.id: place for place, clip in enumerate(heard.learned)}
    counted = folds or [final]
    accuracies = [float(np.mean(heard.labels(each.clips) == each.predictions)) for each in counted]
    validation = np.array([each.validation for each in scored])
    working = [index for index in range(len(rates)) if np.isfinite(validation[:, index]).any()]
    failing = [rate for index, rate in enumerate(rates) if index not in working]
    means = np.nanmean(validation[:, working], axis=0)  # over the parts in which a learning rate has not failed
    held_out = [each.held_out for each in counted if each.held_out is not None]
    return Selection(
        protocol="nested" if folds else "holdout",
        model=final.trained.backend,
        candidates=[{"learning_rate": rates[index]} for index in working],
        candidate_scores=[float(mean) for mean in means],
        best=working.index(final.chosen),
        score_name="cv/accuracy" if folds else "val/accuracy",
        score=float(np.mean(accuracies)),
        scored=np.array([place_of[clip.id] for each in counted for clip in each.clips]),
        predictions=np.concatenate([each.predictions for each in counted]),
        fold_scores=accuracies if folds else [],
        fold_sizes=[len(each.clips) for each in counted],
        calibration=calibrated_on(held_out) if held_out else Calibration(),
        n_fits=len(rates) * len(scored),
        failed=[each for part in scored for each in part.failed if each.candidate["learning_rate"] in failing],
    )


def best_of(accuracies: Sequence[float], losses: Sequence[float]) -> int:
    """Return the index of the best learning rate: the highest validation accuracy, then the lowest loss.

    Args:
        accuracies: Validation accuracy of each learning rate; NaN if it failed.
        losses: Validation loss of each learning rate.
    """
    return max(_finite(accuracies), key=lambda index: (accuracies[index], -losses[index], -index))


def _finite(values: Sequence[float]) -> Iterator[int]:
    return (index for index, value in enumerate(values) if np.isfinite(value))
