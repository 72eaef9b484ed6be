"""One extraction to a store: lock it, list the missing clips, keep computed embeddings, and commit them."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import Trainer

from ..datamodules.base import AudioDataModule, Batch
from ..datamodules.digests import Digests
from ..errors import AudioError, StoreError, UntrainedError
from ..frontends import Frontend
from .profile import Profile
from .recognition import adopt_known
from .shards import StoredClip
from .stopwatch import Stopwatch
from .store import EmbeddingStore


@dataclass
class _Buffer:
    """Computed rows that are not written yet."""

    clips: list[StoredClip] = field(default_factory=list)
    vectors: list[NDArray[Any]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    since: float = field(default_factory=time.perf_counter)


class Session:
    """One extraction to a store, from the lock to the commit; each process that shares the clips has its own session.

    Rank 0 holds the lock and commits the shards of all ranks. A single process raises a fatal error at once; several
    processes raise it on every rank, after the last barrier.

    Args:
        store: Store to write to.
        frontend: Frontend that computes the embeddings.
        datamodule: Data set whose clips are read.
        trainer: Trainer whose processes share the clips.
        force: Whether to compute stored clips again.

    Attributes:
        missing: Positions of the clips that were missing when the session began, among the sorted clips.
        selected: Positions of the clips to compute: all missing clips and, if there are fewer of them than devices,
            enough stored clips to give every device one.

    Raises:
        StoreError: On every rank, if another process writes to the store or the store is damaged.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        frontend: Frontend,
        datamodule: AudioDataModule,
        trainer: Trainer,
        *,
        force: bool = False,
    ) -> None:
        self._store, self._datamodule, self._trainer = store, datamodule, trainer
        self._stamps = datamodule.stamps()
        # Input duration per clip, in s.
        self._given = datamodule.samples_at(frontend.sample_rate) / frontend.sample_rate
        self._errors: list[UntrainedError] = []
        self._lock = contextlib.ExitStack()
        self.missing = self._begin(force=force)
        n_more = max(0, trainer.world_size - len(self.missing)) if trainer.world_size > 1 else 0
        others = np.setdiff1d(np.arange(min(len(self._stamps), len(self.missing) + n_more)), self.missing)[:n_more]
        self.selected = np.union1d(self.missing, others)
        self._buffer, self._profile, self._watch = _Buffer(), Profile(), Stopwatch(frontend)
        self._start = time.perf_counter()

    def _begin(self, *, force: bool) -> NDArray[np.int64]:
        """Lock the store and return the positions of the missing clips; rank 0 does so for all ranks."""
        missing = np.zeros(0, np.int64)
        refusal = ""
        if self._trainer.is_global_zero:
            try:
                self._lock.enter_context(self._store.locked())
                if force:
                    self._store.forget(self._stamps.ids)
                else:
                    self._store.commit()  # the shards of an interrupted extraction
                    adopt_known(self._store, self._datamodule)
                missing = self._store.missing(self._stamps)
            except (StoreError, OSError) as error:
                self._lock.close()
                refusal = str(error)
            except BaseException:  # such as Ctrl-C, after which nothing else would release the lock
                self._lock.close()
                raise
        missing, refusal = self._trainer.strategy.broadcast((missing, refusal))
        if refusal:
            raise StoreError(refusal)
        return np.asarray(missing)

    def add(self, embeddings: NDArray[Any], batch: Batch) -> None:
        """Keep the embeddings of a batch until they are written.

        Args:
            embeddings: Embeddings of the clips that could be read, `(len(batch.ids), embedding_size)`.
            batch: Batch of the clips.

        Raises:
            AudioError: In a single process, if a clip could not be read and the datamodule has `on_error="raise"`.
        """
        self._watch.read()
        failed = dict(batch.failed)
        known = batch.digests or [Digests()] * len(batch.ids)
        remarks = [" ".join(some) for some in batch.remarks or [()] * len(batch.ids)]
        read = zip(batch.ids, batch.seconds, known, remarks, embeddings, strict=True)
        for clip_id, seconds, digests, odd, vector in read:
            if np.isfinite(vector).all():
                row = StoredClip(clip_id, *self._stamps[clip_id], round(seconds, 3), *digests, odd)
                self._buffer.clips.append(row)
                self._buffer.vectors.append(vector)
            else:
                remedy = "check the clip for extreme samples, or skip it with --data.on_error skip"
                failed[clip_id] = AudioError(clip_id, "its embedding is not finite", remedy)
        self._buffer.failed |= {clip_id: error.reason for clip_id, error in failed.items()}
        self._errors += failed.values()
        self._count(batch)
        if self._trainer.world_size == 1:
            self._raise_first()

    def _count(self, batch: Batch) -> None:
        """Add a batch to the profile, except stored clips that were selected only to give every device a clip."""
        durations = dict(zip(batch.ids, batch.seconds, strict=True))
        computed = [min(durations[clip_id], self._given) for clip_id in batch.ids if self._was_missing(clip_id)]
        self._profile.n_clips += len(computed)
        self._profile.audio += sum(computed)
        self._profile.decoding += batch.decoding
        self._profile.wall = time.perf_counter() - self._start

    def _was_missing(self, clip_id: str) -> bool:
        position = self._stamps.position(clip_id)
        place = int(np.searchsorted(self.missing, position))
        return place < len(self.missing) and self.missing[place] == position

    def flush_if_due(self, flush_every: int, flush_seconds: float) -> None:
        """Write the rows in memory if there are many rows or if the last write was long ago.

        Args:
            flush_every: Number of rows in memory that triggers a write.
            flush_seconds: Time since the last write that triggers a write, in s.
        """
        if len(self._buffer.clips) >= flush_every or time.perf_counter() - self._buffer.since >= flush_seconds:
            with self._errors_collected():
                self.flush()

    def flush(self) -> None:
        """Write the rows in memory as a shard.

        Raises:
            StoreError: The shard cannot be written.
        """
        start, kept = time.perf_counter(), self._buffer
        if kept.clips or kept.failed:
            matrix = np.stack(kept.vectors) if kept.clips else np.zeros((0, self._store.embedding_size))
            self._store.append(kept.clips, matrix, kept.failed, self._trainer.global_rank)
        self._buffer = _Buffer()
        self._profile.writing += self._buffer.since - start

    def commit(self) -> None:
        """Write the remaining rows; rank 0 commits the shards of all ranks.

        Raises:
            AudioError: On every rank, if any rank could not read a clip and the datamodule has `on_error="raise"`.
            StoreError: On every rank, if any rank could not write.
        """
        strategy, ranks = self._trainer.strategy, range(self._trainer.world_size)
        with self._errors_collected():
            self.flush()
        self._profile.representation, self._profile.network = self._watch.representation, self._watch.network
        profiles = [strategy.broadcast(self._profile, src=rank) for rank in ranks]
        strategy.barrier()
        with self._errors_collected():
            if self._trainer.is_global_zero:
                self._store.compact()
                if any(profile.n_clips for profile in profiles):
                    self._store.keep_profile(Profile.combined(profiles).as_numbers())
        strategy.barrier()
        self._store.load()
        for rank in ranks if len(ranks) > 1 else ():
            self._errors += strategy.broadcast(self._errors, src=rank)
        self._raise_first()

    def close(self) -> None:
        """Remove the hooks from the frontend, and unlock the store."""
        self._watch.remove()
        self._lock.close()

    @contextlib.contextmanager
    def _errors_collected(self) -> Iterator[None]:
        """Defer errors of writing until the commit if other processes wait at a barrier."""
        try:
            yield
        except StoreError as error:
            if self._trainer.world_size == 1:
                raise
            self._errors.append(error)

    def _raise_first(self) -> None:
        is_fatal = StoreError if self._datamodule.on_error == "skip" else UntrainedError
        fatal = [error for error in self._errors if isinstance(error, is_fatal)]
        if fatal:
            raise min(fatal, key=str)
