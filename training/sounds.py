"""Cache of the waveforms of a data set, which are read once before training."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..audio import Decoded
from ..datamodules import AudioDataModule, Clip
from ..datamodules.listing import Clips
from ..datamodules.loader import ClipLoader, read_with_digests
from ..datamodules.machine import CLIPS
from ..embeddings.checked import DamagedError
from ..embeddings.heard import Say
from ..embeddings.waveform_file import Place
from ..embeddings.waveforms import cached_waveforms
from ..errors import AudioError, DataError, UntrainedError, UsageError
from ..terminal import bar

MAX_KEPT = 2**30  # bytes of waveforms in the memory of a process


class Sounds:
    """Waveforms of a data set, which are read once.

    Args:
        datamodule: Data set of the clips.
        sample_rate: Sample rate of the waveforms in Hz.
        num_workers: Number of processes that read.
        max_kept: Maximum memory in bytes for waveforms that are not cached on disk; others are read again when they are
            used.
        stores: Folder that holds all stores, with the cache of waveforms on disk; by default, there is no such cache.
        say: Function that shows a line of text to the user.
        writes: Whether this process may add waveforms to the cache on disk.
        random_crop: Duration in s of the longer waveforms from which training clips are cropped; 0 if there are none.
        force: Whether to decode all clips again, although their waveforms are cached.

    Attributes:
        clips: Clips that could be read.
        failed: Reason why each other clip could not be read, by id.
        audio: Digest of the audio of each clip, by id.
        seconds: Duration of each whole clip that could be read in s, by id.
        longer: Longer waveforms of the clips that may be trained on; None if there are none.
        keeps_all: Whether all waveforms are in memory or cached on disk.

    Raises:
        AudioError: A clip cannot be read and the datamodule has `on_error="raise"`.
        DataError: No clip can be read.
        UsageError: The data has another sample rate, or the longer waveforms would not be longer.
    """

    def __init__(
        self,
        datamodule: AudioDataModule,
        sample_rate: int,
        num_workers: int = 0,
        max_kept: int = MAX_KEPT,
        *,
        stores: Path | None = None,
        say: Say = lambda text: None,
        writes: bool = True,
        random_crop: float = 0,
        force: bool = False,
    ) -> None:
        if datamodule.sample_rate not in (None, sample_rate):
            raise UsageError(
                f"--data.sample_rate {datamodule.sample_rate} does not match the frontend, which expects {sample_rate} "
                "Hz; remove the option"
            )
        self._datamodule = copy.copy(datamodule)
        self._datamodule.trainer = None
        self.sample_rate, self.seed = sample_rate, datamodule.seed
        self.failed: dict[str, str] = {}
        self.audio: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._places: dict[str, Place] = {}
        listed = datamodule.listed
        using = (
            cached_waveforms(stores, self._datamodule, sample_rate, listed, say=say, writes=writes, force=force)
            if stores
            else None
        )
        with using or nullcontext() as cache:
            self._read_all(
                ClipLoader(self._datamodule.read, num_workers).load(listed, sample_rate, CLIPS, cache), max_kept
            )
        if cache is not None:
            self._places = cache.places(listed)
        self._kept = {clip_id: kept for clip_id, kept in self._kept.items() if clip_id not in self._places}
        self.clips = [clip for clip in listed if clip.id in self.audio]
        if not self.clips:
            raise DataError(
                f"{datamodule.dataset_name}: none of its {len(listed)} clips can be read; run "
                "`untrained check data` for the reasons"
            )
        self.keeps_all = all(clip.id in self._kept or clip.id in self._places for clip in self.clips)
        self.longer: Sounds | None = None
        if random_crop:
            more = self._longer(random_crop)
            options: Any = {"stores": stores, "say": say, "writes": writes, "force": force}
            self.longer = Sounds(more, sample_rate, num_workers, max_kept, **options)
            self.keeps_all = self.keeps_all and self.longer.keeps_all

    def _longer(self, seconds: float) -> AudioDataModule:
        """Return a copy of the datamodule with longer waveforms of the clips that may be trained on."""
        found = copy.copy(self._datamodule)
        given = found.samples_at(self.sample_rate) / self.sample_rate
        if seconds <= given:
            raise UsageError(
                f"random_crop={seconds:g} is not longer than the clips, which last {given:g} s; give more seconds, or "
                "shorten the clips with --data.seconds"
            )
        found.seconds, found.on_error = seconds, "skip"  # clips whose later part is broken are not cropped
        found.listed = Clips.of(clip for clip in self.clips if clip.split in (None, "train"))
        return found

    def _read_all(self, loader: ClipLoader, room: int) -> None:
        """Read all clips, and keep those in memory that do not come from the cache on disk, up to a number of bytes."""
        with bar("reading sounds", len(self._datamodule.listed)) as advance:
            for batch in loader:
                if batch.failed and self._datamodule.on_error == "raise":
                    raise batch.failed[0][1]
                self.failed |= {clip_id: error.reason for clip_id, error in batch.failed}
                self.seconds |= dict(zip(batch.ids, batch.seconds, strict=True))
                self.audio |= {
                    clip_id: digests.audio for clip_id, digests in zip(batch.ids, batch.digests, strict=True)
                }
                for clip_id, waveform, cached in zip(batch.ids, batch.waveforms.numpy(), batch.cached, strict=True):
                    if not cached and waveform.nbytes <= room:
                        room -= waveform.nbytes
                        self._kept[clip_id] = waveform.copy()
                advance(len(batch.ids) + len(batch.failed))
        loader.close()

    def waveform(self, clip: Clip) -> Tensor:
        """Return the waveform of a clip, `(n_samples,)`.

        Raises:
            UntrainedError: The file can no longer be read.
        """
        if clip.id in self._kept:
            return torch.from_numpy(self._kept[clip.id])
        if clip.id in self._places:
            try:
                return torch.from_numpy(self._places[clip.id].waveform())
            except DamagedError:  # for example, the user has deleted the cache
                del self._places[clip.id]
        found, _ = read_with_digests(self._datamodule.read, clip, self.sample_rate)
        if not isinstance(found, Decoded):
            raise UntrainedError(str(found)) if isinstance(found, AudioError) else found
        return torch.from_numpy(found.waveform)

    def batches(self, clips: Sequence[Clip], batch_size: int = CLIPS) -> "Batches":
        """Return waveforms of clips in batches `(batch, n_samples)`, which can be read several times."""
        return Batches(self.waveform, clips, batch_size)


class Batches:
    """Waveforms in batches, which can be read several times.

    Args:
        read: Function that returns the waveform of a clip.
        clips: Clips to read.
        batch_size: Maximum number of clips per batch. Batches are of nearly equal size, so that none has a single clip.
    """

    def __init__(self, read: Callable[[Clip], Tensor], clips: Sequence[Clip], batch_size: int) -> None:
        self._read, self._clips = read, clips
        n_batches = max(1, min(-(-len(clips) // batch_size), len(clips) // 2))
        self._parts = np.array_split(np.arange(len(clips)), n_batches) if clips else []

    def __iter__(self) -> Iterator[Tensor]:
        for part in self._parts:
            yield torch.stack([self._read(self._clips[index]) for index in part])
