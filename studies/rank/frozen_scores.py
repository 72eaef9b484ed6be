"""Scores of a frozen frontend with random weights: a backend on its embeddings, and the same with one change."""

import time
import zlib
from collections.abc import Iterator, Sequence
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
        changes: Changes of the embeddings that are scored too.
        stores: Folder with the cache of waveforms.
        machine: Description of the machine.
    """

    item: Item
    frontend: Frontend
    backend: Backend
    datamodule: AudioDataModule
    tested: Sequence[str]
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
        found: list[Record] = []
        for arm, columns, standardize, X in self._arms(frontend, heard, clips, embeddings, place.device):
            validation, labels = self._fitted(X[:, columns], heard, learned, standardize=standardize)
            label_of = dict(zip((clip.id for clip in tested), labels, strict=True))
            record = Record(
                self.item._replace(arm=arm),
                predicted=[int(label_of.get(clip_id, -1)) for clip_id in self.tested],
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

    def _arms(
        self,
        frontend: Frontend,
        heard: Heard,
        clips: Sequence[Clip],
        embeddings: NDArray[Any],
        device: torch.device,
    ) -> Iterator[tuple[str, Any, bool, NDArray[Any]]]:
        """Yield name, columns, whether features are standardised, and embeddings of each arm."""
        every = slice(None)
        yield self.item.arm, every, True, embeddings
        if "raw" in self.changes:
            yield f"{self.item.arm}-raw", every, False, embeddings
        if "last" in self.changes:
            yield f"{self.item.arm}-last", frontend.columns("last"), True, embeddings
        if "columns" in self.changes:
            n = embeddings.shape[1]
            rng = np.random.default_rng([zlib.crc32(self.item.architecture.encode()), self.item.seed])
            yield f"{self.item.arm}-columns", np.sort(rng.permutation(n)[:N_COLUMNS]), True, embeddings
        if "mean_std" in self.changes:
            both = frontend.with_options(pooling="mean_std")
            yield f"{self.item.arm}-mean_std", every, True, embeddings_of(both, heard.sounds, clips, device)

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
