"""Loader of batches of waveforms from a list of clips and a function that reads a clip."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .. import audio
from ..audio.rounding import rounded
from ..errors import AudioError, PluginError
from .clip import Clip
from .contract import read_by
from .digests import Digests, audio_digest, file_digest, n_bytes_known_by, stamp_of
from .machine import CLIPS
from .options import require_at_least
from .remote_files import at_once

MAX_KEPT = 2**30  # maximum size in bytes of the generated audio that a process keeps in memory
Read = Callable[[Clip, int], audio.Decoded]
"""A function that reads a clip at a sample rate in Hz."""
Result = audio.Decoded | AudioError | PluginError
"""Result of reading a clip."""


class Place(Protocol):
    """Location of a cached waveform, which workers receive."""

    def read(self) -> tuple[audio.Decoded, Digests] | None:
        """Return the decoded clip with its digests; None if it cannot be read, so that its source is read."""


class Cache(Protocol):
    """Cache that loaders take waveforms from, and add decoded waveforms to."""

    def find(self, clip: Clip) -> Place | None:
        """Return the location of the waveform of a clip; None if it is not cached or the clip has changed."""

    def add(self, batch: "Batch") -> None:
        """Add the waveforms of a batch that do not come from the cache."""

    def flush(self) -> None:
        """Write the added waveforms."""


class Batch(NamedTuple):
    """Input of a predict step.

    Args:
        ids: Ids of the clips that could be read.
        waveforms: Waveforms, `(len(ids), n_samples)`.
        seconds: Duration of each whole clip, in s.
        failed: Id and error of each clip that could not be read.
        decoding: Time spent decoding, in s.
        remarks: Anomalies in the file of each clip that could be read.
        digests: Digests of the clips that could be read; may be empty.
        broken: Error of a datamodule that violates its contract; None if there is none.
        cached: Whether the waveform of each clip that could be read comes from the cache; may be empty.
    """

    ids: list[str]
    waveforms: Tensor
    seconds: list[float]
    failed: list[tuple[str, AudioError]]
    decoding: float = 0.0
    remarks: Sequence[Sequence[audio.Remark]] = ()
    digests: Sequence[Digests] = ()
    broken: PluginError | None = None
    cached: Sequence[bool] = ()


class ClipLoader:
    """Loader of batches of clips, which are read in this process or by worker processes.

    Args:
        read: Function that reads a clip; must be picklable if there are worker processes.
        num_workers: Number of worker processes that read; 0 reads in this process.
        keep: Whether workers stay alive from one list of clips to the next, until `close`. Generated audio is then
            kept in memory, up to 1 GiB per process, because all frontends of a study read the same clips.

    Raises:
        UsageError: The number of workers is negative.
    """

    def __init__(self, read: Read, num_workers: int = 0, *, keep: bool = False) -> None:
        require_at_least(0, num_workers=num_workers)
        self.num_workers = num_workers
        self._batches = _Batches()
        # Requests take the place of indices, so that workers need not know the clips in advance.
        self._loader: DataLoader[Any] = DataLoader(
            _Readings(read, MAX_KEPT if keep else 0),
            batch_sampler=self._batches,
            num_workers=num_workers,
            persistent_workers=keep and num_workers > 0,
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
        )

    def load(
        self, clips: Sequence[Clip], sample_rate: int, batch_size: int = CLIPS, cache: Cache | None = None
    ) -> "ClipLoader":
        """Set the clips to load, and return this loader, which yields them in order as instances of `Batch`.

        Args:
            clips: Clips to read.
            sample_rate: Sample rate of the waveforms in Hz.
            batch_size: Number of clips per batch.
            cache: Cache of the waveforms at this sample rate; None if there is none.

        Raises:
            UsageError: The batch size is below 1.
        """
        require_at_least(1, batch_size=batch_size)
        self._batches.set(clips, sample_rate, batch_size, cache)
        return self

    def close(self) -> None:
        """End the workers, even if another object, such as a trainer, still references this loader."""
        workers: Any = self._loader._iterator
        if self.num_workers and workers is not None:
            # PyTorch has no public method for this; Lightning calls the same private one.
            workers._shutdown_workers()
        del self._loader

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        cache = self._batches.cache
        for batch in map(_sound, self._loader):
            if cache is not None:
                cache.add(batch)
            yield batch
        if cache is not None:
            cache.flush()


class _Request(NamedTuple):
    clip: Clip
    sample_rate: int
    place: Place | None = None


class _Batches:
    """Batches of requests, which are created one by one, because there may be millions of clips.

    `cache.find` is called for a clip when its batch is requested.
    """

    def __init__(self) -> None:
        self.set([], 0, 1, None)

    def set(self, clips: Sequence[Clip], sample_rate: int, batch_size: int, cache: Cache | None) -> None:
        """Set the clips of the next iteration; the arguments are those of `ClipLoader.load`."""
        self._clips, self._rate, self._size, self.cache = clips, sample_rate, batch_size, cache

    def __len__(self) -> int:
        return -(-len(self._clips) // self._size)

    def __iter__(self) -> Iterator[list[_Request]]:
        clips, rate, size, cache = self._clips, self._rate, self._size, self.cache
        for start in range(0, len(clips), size):
            batch = clips[start : start + size]
            yield [_Request(clip, rate, cache.find(clip) if cache else None) for clip in batch]


class _Reading(NamedTuple):
    id: str
    result: Result
    seconds: float
    digests: Digests = Digests()
    is_cached: bool = False


class _Readings(Dataset[Any]):
    """Data set of the results of reading clips.

    Errors are returned as items, because an error raised in a worker would lose the rest of the batch.

    Args:
        read: Function that reads a clip.
        max_kept: Memory for generated audio, in bytes. The first clips are kept, because clips are always read in the
            same order.
    """

    def __init__(self, read: Read, max_kept: int) -> None:
        self._read = read
        self._room = max_kept
        self._kept: dict[tuple[str, int], tuple[Result, Digests]] = {}

    def __getitem__(self, request: _Request) -> _Reading:
        start = time.perf_counter()
        key = (request.clip.id, request.sample_rate)
        cached = request.place and request.place.read()
        if cached:
            return _Reading(request.clip.id, cached[0], time.perf_counter() - start, cached[1], is_cached=True)
        made = self._kept.get(key) or read_with_digests(self._read, request.clip, request.sample_rate)
        self._keep(request.clip, key, made)
        return _Reading(request.clip.id, made[0], time.perf_counter() - start, made[1])

    def __getitems__(self, requests: list[_Request]) -> list[_Reading]:
        return at_once(self.__getitem__, requests, [request.clip for request in requests])

    def _keep(self, clip: Clip, key: tuple[str, int], made: tuple[Result, Digests]) -> None:
        """Keep generated audio in memory if there is room; files are read again, because they may change."""
        if clip.path is None and key not in self._kept and isinstance(made[0], audio.Decoded):
            n_bytes = made[0].waveform.nbytes
            if n_bytes <= self._room:
                self._room -= n_bytes
                self._kept[key] = made


def read_with_digests(read: Read, clip: Clip, sample_rate: int) -> tuple[Result, Digests]:
    """Read a clip and compute its digests; an error is returned instead of raised.

    Args:
        read: Function that reads a clip, such as the method of a datamodule.
        clip: Clip to read.
        sample_rate: Sample rate of its waveform in Hz.
    """
    owner: Any = getattr(read, "__self__", None)  # the datamodule, if `read` is its method
    n_samples = owner.samples_at(sample_rate) if hasattr(owner, "samples_at") else None
    stamp = stamp_of(clip)
    decoded = read_by(type(owner).__name__, read, clip, sample_rate, n_samples)
    if not isinstance(decoded, audio.Decoded):
        return decoded, Digests()
    if getattr(owner, "cache", "") == "int16":  # rounded whether it is cached or not, so that results are the same
        decoded = decoded._replace(waveform=rounded(decoded.waveform))
    of_file = ""
    if clip.path is not None and stamp.size:
        n_bytes = n_bytes_known_by(stamp.size, decoded.seconds, len(decoded.waveform) / sample_rate)
        of_file = file_digest(clip.path, stamp, n_bytes)
        of_file = of_file if stamp_of(clip) == stamp else ""  # the file changed while it was read
    return decoded, Digests(of_file, audio_digest(decoded.waveform))


def _collate(items: list[_Reading]) -> Batch:
    read = [(item, item.result) for item in items if isinstance(item.result, audio.Decoded)]
    waveforms = np.stack([decoded.waveform for _, decoded in read]) if read else np.zeros((0, 1), np.float32)
    return Batch(
        ids=[item.id for item, _ in read],
        waveforms=torch.from_numpy(waveforms),
        seconds=[decoded.seconds for _, decoded in read],
        failed=[(item.id, item.result) for item in items if isinstance(item.result, AudioError)],
        decoding=sum(item.seconds for item in items),
        remarks=[decoded.remarks for _, decoded in read],
        digests=[item.digests for item, _ in read],
        cached=[item.is_cached for item, _ in read],
        broken=next((item.result for item in items if isinstance(item.result, PluginError)), None),
    )


def _sound(batch: Batch) -> Batch:
    """Return a batch after checking that the datamodule keeps its contract.

    Raises:
        PluginError: `read` raised an unexpected error, or returned something other than a waveform.
    """
    if batch.broken is not None:
        raise batch.broken
    return batch
