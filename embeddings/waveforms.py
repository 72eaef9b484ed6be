"""Cache of the waveforms of a data set, so that each clip is decoded or generated once for all frontends and seeds.

The cache is a folder below the stores: `waveforms/DATASET-RATE-DIGEST/`. Waveforms are appended in files of about 64
MiB, each written atomically with a table of its clips. A later file overrides an earlier one, clip by clip.
"""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from os import getpid
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import Trainer

from ..audio.rounding import to_int16
from ..datamodules.base import AudioDataModule, Batch
from ..datamodules.clip import Clip, Stamp
from ..errors import StoreError
from ..files import UNFINISHED, digest, locked, plain, write_atomically
from .checked import DamagedError
from .heard import Say
from .provenance import waveform_fields
from .space import described, refusal
from .waveform_file import DTYPES, FORMAT, OtherError, Place, StoredWaveform, pack, unpack

FOLDER = "waveforms"
"""Folder of all caches, below the folder of all stores."""
FILE_BYTES = 2**26  # size at which a file is written
# Folders that a command with --force has written anew. Later extractions of the command read them.
_RENEWED: WeakKeyDictionary[AudioDataModule, set[Path]] = WeakKeyDictionary()


@contextlib.contextmanager
def cached_waveforms(
    root: Path,
    datamodule: AudioDataModule,
    sample_rate: int,
    clips: Sequence[Clip],
    *,
    say: Say,
    writes: bool = True,
    force: bool = False,
) -> Iterator["Waveforms | None"]:
    """Use the cache of a data set while clips are read: read the clips it holds, and add the others.

    A cache that cannot be used or written is reported; the clips are then decoded as without a cache.

    Args:
        root: Folder that holds all stores.
        datamodule: Data set of the clips.
        sample_rate: Sample rate of the waveforms, in Hz.
        clips: Clips that are going to be read.
        say: Function that shows a line of text to the user.
        writes: Whether this process may write.
        force: Whether to decode all clips again.

    Yields:
        The cache; None if there is none.
    """
    if datamodule.cache == "off" or not clips:
        yield None
        return
    cache = Waveforms(root, datamodule, sample_rate, say)
    try:
        cache.open(clips, writes=writes, force=force)
        datamodule.waveform_cache = cache
        yield cache
    finally:
        datamodule.waveform_cache = None
        cache.close()


class Waveforms:
    """Cache of the waveforms of a data set at one sample rate and length; see `cached_waveforms`.

    Args:
        root: Folder that holds all stores.
        datamodule: Data set of the clips.
        sample_rate: Sample rate of the waveforms, in Hz.
        say: Function that shows a line of text to the user.

    Attributes:
        folder: Folder of the cache.
        writes: Whether this process adds waveforms.
    """

    def __init__(self, root: Path, datamodule: AudioDataModule, sample_rate: int, say: Say) -> None:
        self._datamodule, self._say = datamodule, say
        self._dtype = "int16" if datamodule.cache == "int16" else "float32"
        self._n_samples = datamodule.samples_at(sample_rate)
        self._fields = plain(waveform_fields(datamodule, sample_rate))
        self._key = digest({"format": FORMAT, "dtype": self._dtype, **self._fields})
        self.folder = root / FOLDER / f"{datamodule.dataset_name}-{sample_rate}-{self._key[:12]}"
        self.writes = self._may_write = False
        self._lock = contextlib.ExitStack()
        self._places: dict[str, Place] = {}
        self._asked: dict[str, tuple[Clip, Stamp, Place | None]] = {}  # clips that are being read
        self._waiting: dict[str, tuple[StoredWaveform, NDArray[Any]]] = {}
        self._ignored: set[Path] = set()  # files that a command with --force does not read
        self._lost: dict[str, Place] = {}  # waveforms that could not be read, by the ids of their clips
        self._has_written = False

    def open(self, clips: Sequence[Clip], *, writes: bool, force: bool) -> None:
        """List the waveforms in the cache, report hits, and lock the cache if clips are going to be added.

        Args:
            clips: Clips that are going to be read.
            writes: Whether this process may write.
            force: Whether to decode all clips again.
        """
        damaged, self._may_write = self._list(), writes
        renewed = _RENEWED.setdefault(self._datamodule, set())
        if force and self.folder not in renewed:
            self._ignored, self._places = set(self.folder.glob("*.safetensors")), {}
            renewed.add(self.folder)
        n_hits = sum(self._stamped(clip)[1] is not None for clip in clips) if self._places else 0
        if n_hits:
            self._say(f"waveforms: {n_hits:,} of {len(clips):,} clips from the cache")
        if n_hits < len(clips) and writes:
            self._begin(len(clips) - n_hits, damaged)

    def _list(self) -> list[Path]:
        """List the waveforms in the cache, report files that cannot be used, and return those that are damaged."""
        found, problems = self._files()
        self._places = {place.row.id: place for places in found.values() for place in places}
        if problems:
            (path, error), *others = problems.items()
            is_other = isinstance(error, OtherError)
            what = f"is ignored: {error}; delete it" if is_other else f"is damaged ({error}); its clips are read again"
            more = f"; the same applies to {len(others)} more files" if others else ""
            self._say(f"note: {path} {what}{more}")
        return [path for path, error in problems.items() if not isinstance(error, OtherError)]

    def _files(self) -> tuple[dict[Path, list[Place]], dict[Path, DamagedError]]:
        """Return the places in each file of the cache, oldest file first, and the files that cannot be used."""
        found: dict[Path, list[Place]] = {}
        problems: dict[Path, DamagedError] = {}
        for path in sorted(set(self.folder.glob("*.safetensors")) - self._ignored):
            try:
                found[path] = unpack(path, self._key, self._dtype, self._n_samples)
            except DamagedError as error:
                problems[path] = error
        return found, problems

    def _begin(self, n_clips: int, damaged: Sequence[Path]) -> None:
        """Lock the cache and announce its size if clips can be added; otherwise say why they are not."""
        size, n_bytes = self._size(n_clips)
        why_not = refusal(self.folder, n_bytes, automatic=self._datamodule.cache == "auto")
        if why_not:
            self._say(f"note: waveforms are not cached: {size}, {why_not}")
            return
        try:
            self._lock.enter_context(locked(self.folder, "continue without writing, as this command does"))
            manifest = {"format": FORMAT, "dtype": self._dtype, **self._fields}
            write_atomically(self.folder / "manifest.json", json.dumps(manifest, indent=1).encode())
        except StoreError as error:
            self._lock.close()
            self._say(f"note: waveforms are not cached: {error}")
            return
        unfinished = list(self.folder.glob(f".*{UNFINISHED}"))
        if unfinished:
            self._say(f"note: waveforms: {len(unfinished)} unfinished files of an interrupted command are removed")
        for path in [*unfinished, *damaged]:
            path.unlink(missing_ok=True)
        self._say(f"waveforms: {size} -> {self.folder}")
        self.writes = True

    def _size(self, n_clips: int) -> tuple[str, int]:
        """Return the size of the waveforms of clips, as text and in bytes."""
        n_bytes = n_clips * self._n_samples * np.dtype(DTYPES[self._dtype][1]).itemsize
        return described(n_clips, self._n_samples, self._dtype, n_bytes), n_bytes

    def plan(self) -> str:
        """Return what a command would add to the cache, as text; empty if it would add nothing."""
        self._list()
        n_missing = sum(self._stamped(clip)[1] is None for clip in self._datamodule.listed)
        size, n_bytes = self._size(n_missing)
        why_not = refusal(self.folder, n_bytes, automatic=self._datamodule.cache == "auto")
        if self._datamodule.cache == "off" or not n_missing:
            return ""
        return f"waveforms are not cached: {size}, {why_not}" if why_not else f"waveforms: {size} -> {self.folder}"

    def find(self, clip: Clip) -> Place | None:
        """Return the place of the waveform of a clip; None if it is not cached or the clip's file has changed."""
        if not (self._places or self.writes):  # nothing to remember, however many clips there are
            return None
        stamp, place = self._stamped(clip)
        self._asked[clip.id] = clip, stamp, place
        return place

    def _stamped(self, clip: Clip) -> tuple[Stamp, Place | None]:
        """Return the stamp of a clip's file, and the place of its waveform."""
        stamp, place = self._datamodule.stamp(clip), self._places.get(clip.id)
        return stamp, place if place is not None and place.row.stamp == stamp else None

    def places(self, clips: Sequence[Clip]) -> dict[str, Place]:
        """Return the places of those of some clips that are cached, by id."""
        found = {clip.id: place for clip in clips if (place := self._stamped(clip)[1]) is not None}
        return {name: place for name, place in found.items() if self._lost.get(name) != place}

    def add(self, batch: Batch) -> None:
        """Add the waveforms of a batch that do not come from the cache.

        Args:
            batch: Batch of clips that `find` was asked for.
        """
        for clip_id, _ in batch.failed:
            self._asked.pop(clip_id, None)
        for index, clip_id in enumerate(batch.ids):
            asked = self._asked.pop(clip_id, None)
            if batch.cached[index] or asked is None:
                continue
            clip, stamp, place = asked
            if place is not None:
                self._lost[clip_id] = place
                if self._may_write and not self.writes:  # all clips seemed to be in the cache
                    self._begin(1, [])
                    self._may_write = False
            if self.writes and self._datamodule.stamp(clip) == stamp:  # the file may have changed while it was read
                self._add(batch, index, stamp)
        if sum(waveform.nbytes for _, waveform in self._waiting.values()) >= FILE_BYTES:
            self.flush()

    def _add(self, batch: Batch, index: int, stamp: Stamp) -> None:
        waveform, step = batch.waveforms[index].numpy(), 1.0
        if self._dtype == "int16":
            waveform, step = to_int16(waveform)
        clip_id, seconds, digests = batch.ids[index], batch.seconds[index], batch.digests[index]
        row = StoredWaveform(clip_id, *stamp, seconds, *digests, list(batch.remarks[index]), step)
        self._waiting[clip_id] = row, waveform.copy()

    def flush(self) -> None:
        """Write the added waveforms; if this fails, report it and continue without writing."""
        if not self._waiting:
            return
        rows, waveforms = zip(*self._waiting.values(), strict=True)
        self._waiting = {}
        path = self.folder / f"{time.time_ns():020d}-{getpid()}.safetensors"
        try:
            write_atomically(path, pack(self._key, rows, np.stack(waveforms)))
            found = unpack(path, self._key, self._dtype, self._n_samples)
        except (StoreError, DamagedError) as error:
            self.writes = False
            self._say(f"note: waveforms are no longer cached: {error}")
            return
        self._has_written = True
        self._places |= {place.row.id: place for place in found}

    def share(self, *, writes: bool) -> None:
        """List again what the first process has written since, and add waveforms if it has locked the cache.

        Args:
            writes: Whether the first process adds waveforms.
        """
        self.writes = writes
        if writes:
            self._list()

    def close(self) -> None:
        """Write the added waveforms, remove files whose clips are all in later ones, and unlock the cache."""
        self.flush()
        if self._lost:
            self._say(
                f"note: {len(self._lost):,} of the waveforms in {self.folder} were damaged, for example "
                f"{min(self._lost)!r}; their clips were decoded again"
            )
        if self._has_written:
            self._ignored = set()
            found, _ = self._files()
            last = {place.row.id: path for path, places in found.items() for place in places}
            for path in found.keys() - set(last.values()):
                path.unlink(missing_ok=True)
        self.writes = False
        self._lock.close()


def share_cache(datamodule: AudioDataModule, trainer: Trainer) -> None:
    """Let all processes that share the clips add waveforms to the cache that the first one has locked.

    All processes must call this function.

    Args:
        datamodule: Data set whose clips are read.
        trainer: Trainer whose processes share the clips.
    """
    if trainer.world_size == 1:
        return
    cache: Any = datamodule.waveform_cache
    if cache is not None:
        cache.flush()
    writes = trainer.strategy.broadcast(cache is not None and cache.writes)
    if cache is not None:
        cache.share(writes=writes)
