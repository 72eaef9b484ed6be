"""Datamodule for end-to-end training: batches of waveforms with labels."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..datamodules import AudioDataModule, Clip
from ..datamodules.classes import classes_learned
from ..datamodules.machine import CLIPS, Auto, workers_for
from ..errors import UsageError
from .augmentation import circular_shift, generator, random_crop, shift_of
from .embedded import Embedded
from .order import BatchOrder
from .parts import Part, parts_of
from .represented import Represented
from .resident import ResidentBatches, is_resident, stacked
from .sounds import Batches, Sounds

BATCH = 32
"""Default number of clips per batch in each process."""


class TrainingData(LightningDataModule):
    """Datamodule that reads batches of waveforms with labels from one part of a data set.

    Args:
        sounds: Sounds of the data set, their spectrograms, or their embeddings by a frozen frontend.
        part: Clips to train on, and to validate on.
        class_names: Names of the classes, in the order of the labels.
        seed: Seed of the order of batches.
        batch_size: Number of clips per batch in each process; `auto` is 32.
        num_workers: Number of worker processes that read; `auto` uses none if all waveforms are in memory.

    Example:
        >>> from untrained.datamodules.synthetic import Synthetic
        >>> data = TrainingData.of(Synthetic("events", clips_per_class=3, n_samples=4000), sample_rate=12_000)
        >>> data.class_names[:2]
        ['air_conditioner', 'bark']
    """

    def __init__(
        self,
        sounds: Sounds | Embedded | Represented,
        part: Part,
        class_names: Sequence[str],
        *,
        seed: int = 0,
        batch_size: int | Auto = "auto",
        num_workers: int | Auto = "auto",
    ) -> None:
        super().__init__()
        self.sounds, self.part, self.class_names, self.seed = sounds, part, list(class_names), seed
        self.batch_size = clips_in_a_batch(batch_size)
        self._num_workers = num_workers

    @classmethod
    def of(
        cls, datamodule: AudioDataModule, sample_rate: int, *, seed: int = 0, random_crop: float = 0
    ) -> "TrainingData":
        """Return the training data of a data set: its train and validation splits or, with folds, all folds.

        Args:
            datamodule: Data set.
            sample_rate: Sample rate of the frontend in Hz.
            seed: Seed of the order of batches.
            random_crop: Duration in s from which `EndToEnd` crops training clips; 0 if it crops none.
        """
        datamodule.require_classes()
        sounds = Sounds(datamodule, sample_rate, random_crop=random_crop)
        part = parts_of(sounds.clips, datamodule.seed)[-1]
        names, n_workers = classes_learned(sounds.clips), datamodule.num_workers
        return cls(sounds, part, names, seed=seed, batch_size=datamodule.batch_size, num_workers=n_workers)

    def waveforms(self) -> Batches:
        """Return the waveforms of the training clips in batches `(batch, n_samples)`, without labels."""
        return Batches(self.sounds.waveform, self.part.train, CLIPS)

    def train_dataloader(self) -> "Loader | ResidentBatches":
        """Return shuffled batches of the training clips, with the random changes that the module asks for.

        Raises:
            UsageError: The module crops clips at random, and the sounds hold no longer clips.
        """
        rank, world_size = self._place()
        module = None if self.trainer is None else self.trainer.lightning_module
        shifts, crops = getattr(module, "circular_shift", False), getattr(module, "random_crop", 0)
        if crops and self.sounds.longer is None:
            raise UsageError(
                f"random_crop={crops}: pass random_crop to TrainingData.of as well, which reads longer clips"
            )
        clips = self.part.train
        order = BatchOrder(len(clips), self.batch_size, self.seed, rank, world_size)
        waveforms = None if crops else self._resident(clips)
        if waveforms is not None:
            shift = partial(self._shift, clips, waveforms.shape[1]) if shifts else None
            return ResidentBatches(waveforms, self._labels(clips), order, self._current_epoch, shift)
        examples = self._examples(clips, shifts=shifts, crops=bool(crops))
        return Loader(examples, order, self._workers(), self._current_epoch)

    def val_dataloader(self) -> "Loader | ResidentBatches":
        """Return this process's share of the validation clips in batches; no clip is repeated.

        Raises:
            UsageError: There are fewer clips than processes.
        """
        rank, world_size = self._place()
        clips = self.part.validation
        refuse_small(self.part, self.batch_size, world_size)
        mine = list(range(rank, len(clips), world_size))
        batches = [mine[start : start + self.batch_size] for start in range(0, len(mine), self.batch_size)]
        waveforms = self._resident(clips)
        if waveforms is not None:
            return ResidentBatches(waveforms, self._labels(clips), batches)
        return Loader(self._examples(clips), batches, self._workers())

    def _resident(self, clips: Sequence[Clip]) -> Tensor | None:
        """Return the waveforms of clips on the device of the network; None if they do not fit there."""
        if self.trainer is None:
            return None
        device, all_clips = self.trainer.strategy.root_device, self.part.clips
        if not is_resident(device, len(all_clips) * self.sounds.waveform(all_clips[0]).nbytes):
            return None
        return stacked(self.sounds.waveform, clips, device)

    def _shift(self, clips: Sequence[Clip], n_samples: int, index: int, epoch: int) -> int:
        return shift_of(n_samples, generator(self.seed, epoch, clips[index].id))

    def _examples(self, clips: Sequence[Clip], *, shifts: bool = False, crops: bool = False) -> "_Examples":
        return _Examples(self.sounds, clips, self._labels(clips), self.seed, shifts=shifts, crops=crops)

    def _labels(self, clips: Sequence[Clip]) -> list[int]:
        index = {name: label for label, name in enumerate(self.class_names)}
        # A class without training clips has no output; the loss ignores such labels and the accuracy counts them.
        return [index.get(clip.label, UNKNOWN) for clip in clips]

    def _place(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _current_epoch(self) -> int:
        return 0 if self.trainer is None else self.trainer.current_epoch

    def _workers(self) -> int:
        if self._num_workers != "auto":
            return self._num_workers
        if self.sounds.keeps_all or self.trainer is None:
            return 0
        return workers_for(self.trainer.strategy.root_device.type, self.trainer.num_devices)


def clips_in_a_batch(batch_size: int | Auto) -> int:
    """Return the number of clips per batch in each process, which is 32 for `auto`."""
    return BATCH if batch_size == "auto" else batch_size


def refuse_small(part: Part, batch_size: int | Auto, n_processes: int) -> None:
    """Raise if there are too few clips for batches of all processes.

    Args:
        part: Clips to train and to validate on.
        batch_size: Number of clips per batch in each process; `auto` is 32.
        n_processes: Number of processes that share the clips.

    Raises:
        UsageError: There are too few.
    """
    BatchOrder(len(part.train), clips_in_a_batch(batch_size), 0, 0, n_processes)
    n_clips = len(part.validation)
    if n_clips < n_processes:
        raise UsageError(
            f"{n_clips} validation clips cannot be shared by {n_processes} devices; use --trainer.devices {n_clips} or "
            "fewer"
        )


UNKNOWN = -100
"""Label of clips whose class has no training clips; the loss ignores it."""


class Loader:
    """Batches of waveforms `(batch, n_samples)` with labels `(batch,)`.

    It wraps PyTorch's loader, whose batches Lightning would otherwise share among the processes a second time.

    Args:
        examples: Data set of waveforms with labels.
        batches: Lists of indices into the data set, one for each batch.
        num_workers: Number of worker processes that read.
        epoch: Function that returns the epoch. Lightning would set it, but one too high after it has resumed.
    """

    def __init__(
        self,
        examples: "_Examples",
        batches: BatchOrder | list[list[int]],
        num_workers: int,
        epoch: Callable[[], int] = lambda: 0,
    ) -> None:
        self._batches, self._epoch = _Requests(batches), epoch
        self._loader: DataLoader[Any] = DataLoader(
            examples,
            batch_sampler=self._batches,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        # A generator asks for the epoch with its first batch: Lightning makes iterators before it restores the epoch.
        self._batches.set_epoch(self._epoch())
        yield from self._loader


class _Requests:
    """Batches of indices with the epoch, which workers that live for several epochs would not know."""

    def __init__(self, batches: BatchOrder | list[list[int]]) -> None:
        self._batches, self._epoch = batches, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        if isinstance(self._batches, BatchOrder):
            self._batches.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in self._batches:
            yield [(index, self._epoch) for index in batch]


class _Examples(Dataset[tuple[Tensor, int]]):
    """Data set of waveforms with labels, by index and epoch."""

    def __init__(
        self,
        sounds: Sounds | Embedded | Represented,
        clips: Sequence[Clip],
        labels: Sequence[int],
        seed: int,
        *,
        shifts: bool,
        crops: bool,
    ) -> None:
        self._sounds, self._clips, self._labels, self._seed = sounds, clips, labels, seed
        self._shifts, self._longer = shifts, sounds.longer if crops else None

    def __getitem__(self, request: tuple[int, int]) -> tuple[Tensor, int]:
        index, epoch = request
        clip, longer = self._clips[index], self._longer
        waveform = self._sounds.waveform(clip)
        if not self._shifts and self._longer is None:
            return waveform, self._labels[index]
        rng = generator(self._seed, epoch, clip.id)
        if longer is not None and clip.id in longer.seconds:  # else only its start can be read
            n_own = round(longer.seconds[clip.id] * longer.sample_rate)
            waveform = random_crop(longer.waveform(clip), len(waveform), n_own, rng)
        return circular_shift(waveform, rng) if self._shifts else waveform, self._labels[index]
