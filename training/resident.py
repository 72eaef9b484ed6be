"""Waveforms that live on the device of the network, so that a step copies nothing to it."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ..datamodules import Clip
from .order import BatchOrder

SHARE_OF_DEVICE = 1 / 16
"""Largest share of the memory of a GPU for waveforms, because several training runs may share it."""


def is_resident(device: torch.device, n_bytes: int) -> bool:
    """Return whether waveforms are kept on a device: on a GPU, if they take a small part of its memory.

    Args:
        device: Device of the network.
        n_bytes: Size of the waveforms.
    """
    if device.type != "cuda":
        return False
    free, total = torch.cuda.mem_get_info(device)
    return n_bytes <= min(SHARE_OF_DEVICE * total, free / 2)


def stacked(read: Callable[[Clip], Tensor], clips: Sequence[Clip], device: torch.device) -> Tensor:
    """Return the waveforms of clips on a device, `(len(clips), n_samples)`, or their spectrograms."""
    found = torch.empty(len(clips), *read(clips[0]).shape, device=device)
    for row, clip in zip(found, clips, strict=True):
        row.copy_(read(clip))
    return found


class ResidentBatches:
    """Batches of waveforms `(batch, n_samples)` with labels `(batch,)`, which are on the device of the network.

    Args:
        waveforms: Waveforms on the device, `(n_clips, n_samples)`.
        labels: Labels of the clips.
        batches: Lists of indices of clips, one for each batch.
        epoch: Function that returns the epoch.
        shift: Function that returns by how many samples a clip is shifted in an epoch, by its index and the epoch; None
            if no clip is shifted.
    """

    def __init__(
        self,
        waveforms: Tensor,
        labels: Sequence[int],
        batches: BatchOrder | list[list[int]],
        epoch: Callable[[], int] = lambda: 0,
        shift: Callable[[int, int], int] | None = None,
    ) -> None:
        self._waveforms, self._labels = waveforms, torch.tensor(labels, device=waveforms.device)
        self._batches, self._epoch, self._shift = batches, epoch, shift

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        epoch = self._epoch()
        if isinstance(self._batches, BatchOrder):
            self._batches.set_epoch(epoch)
        device, n_samples = self._waveforms.device, self._waveforms.shape[1]
        for batch in self._batches:
            index = torch.tensor(batch, device=device)
            found = self._waveforms[index]
            if self._shift is not None:
                shifts = torch.tensor([self._shift(each, epoch) for each in batch], device=device)
                places = (torch.arange(n_samples, device=device) - shifts[:, None]) % n_samples
                found = found.gather(1, places)
            yield found, self._labels[index]
