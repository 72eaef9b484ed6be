"""Scores of a frozen frontend with random weights: a backend on its embeddings, and the same with one change."""

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.base import clone

from ...backends import Backend
from ...backends.guard import predicted
from ...backends.standardized import Standardized
from ...datamodules import AudioDataModule, Clip
from ...datamodules.classes import classes_learned
from ...frontends import Frontend
from ...probes.selection import select
from ...training.data import TrainingData
from ...training.embedded import embeddings_of
from ...training.module import calibrated
from ...training.parts import Part, parts_of
from ...training.pool import Place
from ...training.sounds import Sounds
from .items import Item
from .results import Record

N_COLUMNS = 112  # number of features of the arm `random-columns`


class Heard(NamedTuple):
    """Clips of a data set that could be read.

    Args:
        sounds: Their waveforms.
        part: Training and validation clips.
        names: Names of the classes in the order of the labels.
    """

    sounds: Sounds
    part: Part
    names: list[str]

    @classmethod
    def of(cls, place: Place, datamodule: AudioDataModule, name: str, sample_rate: int, stores: Path | None) -> "Heard":
        """Return the clips of a data set, which each process reads once."""
        sounds = place.sounds_of(datamodule, name, sample_rate, stores)
        return cls(sounds, parts_of(sounds.clips, datamodule.seed)[-1], classes_learned(sounds.clips))

    def labels(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return the labels of clips as indices into the names."""
        index = {name: number for number, name in enumerate(self.names)}
        return np.array([index.get(clip.label, -1) for clip in clips])

    def calibrated(self, frontend: Frontend, device: torch.device) -> Frontend:
        """Return a copy of a frontend whose input is normalised by the training clips, as in a training."""
        return calibrated(frontend, TrainingData(self.sounds, self.part, self.names), device)


@dataclass(frozen=True)
class FrozenJob:
    """Scores of one architecture with one seed on one task.

    Args:
        item: Key of the result without changes.
        frontend: Frontend with random weights.
        backend: Backend that learns from its embeddings.
        datamodule: Data set.
        tested: Ids of the test clips in the order of the predictions.
        names: Names of the classes in the order of the labels.
        changes: Changes of the embeddings that are scored too.
        stores: Folder with the cache of waveforms.
        machine: Description of the machine.
    """

    item: Item
    frontend: Frontend
    backend: Backend
    datamodule: AudioDataModule
    tested: Sequence[str]
    names: Sequence[str]
    changes: Sequence[str]
    stores: Path | None
    machine: dict[str, Any]

    def carry_out(self, place: Place) -> list[Record]:
        """Return the records of the arm `random` and of its changes."""
        start = time.perf_counter()
        heard = Heard.of(place, self.datamodule, self.item.task, self.frontend.sample_rate, self.stores)
        learned = heard.part.clips
        readable = {clip.id: clip for clip in heard.sounds.clips if clip.split == "test"}
        tested = [readable[clip_id] for clip_id in self.tested if clip_id in readable]
        frontend = heard.calibrated(self.frontend, place.device)
        clips = [*learned, *tested]
        embeddings = embeddings_of(frontend, heard.sounds, clips, place.device)
        index = {name: number for number, name in enumerate(self.names)}
        found: list[Record] = []
        for change in ("", *self.changes):
            item = self.item._replace(arm=f"{self.item.arm}-{change}" if change else self.item.arm)
            try:
                X = self._changed(change, frontend, heard, clips, embeddings, place.device)
                validation, labels = self._fitted(X, heard, learned, standardize=change != "raw")
            except Exception as error:  # a plug-in may raise anything
                if not change:
                    raise
                found.append(Record(item, error=f"{type(error).__name__}: {error}", machine=self.machine))
                continue
            predicted = dict(zip((clip.id for clip in tested), labels, strict=True))
            of_class = {clip_id: index.get(heard.names[int(label)], -1) for clip_id, label in predicted.items()}
            record = Record(
                item,
                predicted=[of_class.get(clip_id, -1) for clip_id in self.tested],
                validation=validation,
                seconds=round(time.perf_counter() - start, 3),
                machine=self.machine,
            )
            found.append(record)
            start = time.perf_counter()
        return found[::-1]  # the arm `random` last, because with it the item counts as done

    def prepare(self, say: Any) -> None:
        """Decode the data set once, before several processes would each decode it."""
        Sounds(self.datamodule, self.frontend.sample_rate, stores=self.stores, say=say)

    def _changed(
        self,
        change: str,
        frontend: Frontend,
        heard: Heard,
        clips: Sequence[Clip],
        embeddings: NDArray[Any],
        device: torch.device,
    ) -> NDArray[Any]:
        """Return the embeddings after a change, `(n_clips, n_features)`."""
        if change == "last":
            last: NDArray[Any] = embeddings[:, frontend.columns("last")]
            return last
        if change == "columns":
            rng = np.random.default_rng([zlib.crc32(self.item.architecture.encode()), self.item.seed])
            drawn: NDArray[Any] = embeddings[:, np.sort(rng.permutation(embeddings.shape[1])[:N_COLUMNS])]
            return drawn
        if change == "mean_std":
            return embeddings_of(frontend.with_options(pooling="mean_std"), heard.sounds, clips, device)
        return embeddings

    def _fitted(
        self, X: NDArray[Any], heard: Heard, learned: Sequence[Clip], *, standardize: bool
    ) -> tuple[float, NDArray[Any]]:
        """Return the validation accuracy of the chosen candidate, and its predictions of the other clips."""
        backend: Any = clone(self.backend)
        backend = Standardized(backend) if standardize else backend
        n, y = len(learned), heard.labels(learned)
        with parallel_config("sequential"):  # other jobs run at the same time
            selection = select(backend, X[:n], y, learned, "holdout", self.datamodule.seed)
        return float(selection.score), predicted(selection.model, X[n:])
