"""What carries embeddings from the predict loop to the store: a callback that writes what is missing there."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import BasePredictionWriter
from torch import Tensor

from ..backends.base import Array
from ..datamodules.base import AudioDataModule, Batch
from ..datamodules.clip import Stamp
from ..errors import AudioError, StoreError, UntrainedError, UsageError
from ..frontends import Frontend
from ..plain import digest
from .profile import Profile, Stopwatch
from .provenance import describe
from .store import EmbeddingStore, Row


def place(fields: Mapping[str, Any], datamodule: AudioDataModule) -> str:
    """Name of the folder of a store, from what decides its embeddings."""
    return f"{datamodule.dataset_name}-{fields['frontend']}-{digest(fields)[:12]}"


def open_store(
    root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str, *, damaged: bool = False
) -> EmbeddingStore:
    """Open the store of a frontend and a data set, which is made if need be.

    Args:
        root: Folder of all stores.
        frontend: Of the embeddings.
        datamodule: The clips.
        precision: Of the trainer.
        damaged: Whether to open it even if it is damaged.
    """
    fields = describe(frontend, datamodule, precision)
    return EmbeddingStore(root / place(fields, datamodule), fields, frontend.embedding_size, damaged=damaged)


class EmbeddingWriter(BasePredictionWriter):
    """Writes what the predict loop computes to a store, and lets it compute what is missing there alone.

    Args:
        root: Folder of all stores.
        flush_every: Rows kept in memory at most before they are written.
        flush_seconds: Longest time for which they are kept.

    Example:
        Extract and read embeddings without the command line::

            writer = EmbeddingWriter("embeddings")
            trainer = Trainer(callbacks=[writer])
            trainer.predict(Probe(frontend), datamodule=data, return_predictions=False)
            X = writer.store.read([clip.id for clip in data.listed])
    """

    def __init__(self, root: str | Path, flush_every: int = 512, flush_seconds: float = 30.0) -> None:
        for name, value in (("flush_every", flush_every), ("flush_seconds", flush_seconds)):
            if not value > 0:
                raise UsageError(f"{name}={value}; expected more than 0")
        super().__init__(write_interval="batch")
        self.root, self.flush_every, self.flush_seconds = Path(root), flush_every, flush_seconds
        self.store: EmbeddingStore
        self._stamps: dict[str, Stamp] = {}
        self._rows: list[Row] = []
        self._embeddings: list[Array] = []
        self._failed: dict[str, str] = {}
        self._errors: list[UntrainedError] = []
        self._missing: frozenset[str] = frozenset()
        self._stack = contextlib.ExitStack()
        self.is_locked = False  # by whoever uses it

    def open(
        self, frontend: Frontend, datamodule: AudioDataModule, precision: str, *, damaged: bool = False
    ) -> list[str]:
        """Open the store of a frontend and a data set, and list the clips that it lacks.

        Args:
            frontend: Of the embeddings.
            datamodule: The clips.
            precision: Of the trainer.
            damaged: Whether to open the store even if it is damaged.
        """
        self.store = open_store(self.root, frontend, datamodule, precision, damaged=damaged)
        self._stamps = datamodule.stamps()
        return self.store.missing(self._stamps)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Restrict the data to what is missing; rank 0 decides for all."""
        if stage != "predict":
            return
        datamodule: AudioDataModule = trainer.datamodule  # type: ignore[attr-defined]
        frontend: Frontend = pl_module.frontend  # type: ignore[assignment]
        self.open(frontend, datamodule, str(trainer.precision))
        self._rows, self._embeddings, self._failed, self._errors = [], [], {}, []
        if trainer.is_global_zero:
            if not self.is_locked:
                self._stack.enter_context(self.store.locked())
            self.store.merge()  # what an interrupted run has left
        missing = trainer.strategy.broadcast(self.store.missing(self._stamps))
        self._missing = frozenset(missing)
        refuse_more_devices_than_clips(trainer, datamodule)
        if len(missing) < trainer.world_size:  # every device needs a clip: compute some again
            present = sorted(self._stamps.keys() - set(missing))
            missing = [*missing, *present[: trainer.world_size - len(missing)]]
        datamodule.select(missing)
        self._profile, self._watch, self._start = Profile(), Stopwatch(frontend), time.perf_counter()
        self._flushed = self._start

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Tensor,
        batch_indices: Sequence[int] | None,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Keep a batch's rows, and write them when there are enough.

        Raises:
            AudioError: A clip could not be read and the datamodule says `on_error="raise"`.
        """
        embeddings = prediction.cpu().numpy()  # the one point where this process waits for a GPU
        self._watch.read()
        failed = dict(batch.failed)
        for clip_id, seconds, vector in zip(batch.ids, batch.seconds, embeddings, strict=True):
            if np.isfinite(vector).all():
                self._rows.append(Row(clip_id, *self._stamps[clip_id], round(seconds, 3)))
                self._embeddings.append(vector)
            else:
                failed[clip_id] = AudioError(
                    clip_id,
                    "its embedding is not finite",
                    "look for extreme samples, or skip it with --data.on_error skip",
                )
        self._failed |= {clip_id: error.reason for clip_id, error in failed.items()}
        self._errors += failed.values()
        computed = [
            seconds for clip_id, seconds in zip(batch.ids, batch.seconds, strict=True) if clip_id in self._missing
        ]
        self._profile.n_clips += len(computed)
        self._profile.audio += sum(computed)
        self._profile.decoding += batch.decoding
        self._profile.wall = time.perf_counter() - self._start
        if trainer.world_size == 1:  # with others waiting at a barrier, it is raised behind that
            self._raise_first(trainer)
        if len(self._rows) >= self.flush_every or time.perf_counter() - self._flushed >= self.flush_seconds:
            with self._ending_all(trainer):
                self._flush(trainer.global_rank)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the rest; rank 0 merges the shards of all.

        Raises:
            AudioError: On every rank, if a clip could not be read on any and the datamodule says `on_error="raise"`.
        """
        with self._ending_all(trainer):
            self._flush(trainer.global_rank)
        self._profile.representation, self._profile.network = self._watch.representation, self._watch.network
        profiles = [trainer.strategy.broadcast(self._profile, src=rank) for rank in range(trainer.world_size)]
        trainer.strategy.barrier()
        with self._ending_all(trainer):
            if trainer.is_global_zero:
                self.store.merge()
                if any(profile.n_clips for profile in profiles):
                    self.store.keep_profile(Profile.of_all(profiles).as_numbers())
        trainer.strategy.barrier()
        self.store.load()
        for rank in range(trainer.world_size if trainer.world_size > 1 else 0):
            self._errors += trainer.strategy.broadcast(self._errors, src=rank)
        self._raise_first(trainer)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Leave frontend and data as they were, and the store to others."""
        if stage == "predict":
            self._release(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Keep what was computed before a failure or an interrupt; Lightning calls no teardown then."""
        try:
            if hasattr(self, "_profile") and not isinstance(exception, StoreError):
                self._flush(trainer.global_rank)
        finally:
            self._release(trainer)

    def _release(self, trainer: Trainer) -> None:
        if hasattr(self, "_watch"):
            self._watch.remove()
        trainer.datamodule.select(None)  # type: ignore[attr-defined]
        self._stack.close()

    @contextlib.contextmanager
    def _ending_all(self, trainer: Trainer) -> Iterator[None]:
        """What cannot be written ends a single process at once, several behind their last barrier."""
        try:
            yield
        except StoreError as error:
            if trainer.world_size == 1:
                raise
            self._errors.append(error)

    def _raise_first(self, trainer: Trainer) -> None:
        datamodule: AudioDataModule = trainer.datamodule  # type: ignore[attr-defined]
        fatal = [error for error in self._errors if datamodule.on_error == "raise" or isinstance(error, StoreError)]
        if fatal:
            raise min(fatal, key=str)

    def _flush(self, rank: int) -> None:
        start = time.perf_counter()
        if self._rows or self._failed:
            matrix = np.stack(self._embeddings) if self._rows else np.zeros((0, self.store.embedding_size))
            self.store.append(self._rows, matrix, self._failed, rank)
        self._rows, self._embeddings, self._failed = [], [], {}
        self._flushed = time.perf_counter()
        self._profile.writing += self._flushed - start


def refuse_more_devices_than_clips(trainer: Trainer, datamodule: AudioDataModule) -> None:
    """Lightning would fail on it with a bare assertion.

    Raises:
        UsageError: The data set has fewer clips than the trainer has devices.
    """
    n_clips = len(datamodule.listed)
    if n_clips < trainer.world_size:
        raise UsageError(
            f"{n_clips} clips cannot be shared by {trainer.world_size} devices; "
            f"use --trainer.devices {n_clips} or fewer"
        )
