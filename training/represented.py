"""Log-mel spectrograms of clips, in place of the waveforms that a network would compute them from in each epoch."""

import torch
from torch import Tensor

from ..datamodules import Clip
from ..frontends import Frontend
from ..frontends.padding import repeat_up_to
from ..frontends.representations import LogMel
from .sounds import MAX_KEPT, Sounds


def can_represent(frontend: Frontend, sounds: Sounds, device: torch.device) -> bool:
    """Return whether the spectrograms of all clips are computed once: a frontend reads them, and they fit in memory.

    A GPU computes them in next to no time with each batch.

    Args:
        frontend: Frontend, calibrated.
        sounds: Sounds of the clips, which do not change at random.
        device: Device of the network.
    """
    if device.type != "cpu":
        return False
    if not (frontend.has_maps and type(frontend.representation) is LogMel and sounds.keeps_all):
        return False
    n_bytes: int = frontend.represent(_waveform(frontend, sounds, sounds.clips[0])).nbytes
    return n_bytes * len(sounds.clips) <= MAX_KEPT


class Represented:
    """Representations of clips, with the interface of `Sounds`; each is computed when it is asked for first.

    On a CPU, spectrograms of short clips take as long as a small network. They are computed for each clip alone, so
    they are those that a batch would have.

    Args:
        sounds: Sounds of the clips.
        frontend: Frontend, calibrated, whose representation and input scalars apply.
    """

    keeps_all = True
    longer = None

    def __init__(self, sounds: Sounds, frontend: Frontend) -> None:
        self._sounds, self._frontend = sounds, frontend
        self._known: dict[str, Tensor] = {}

    def waveform(self, clip: Clip) -> Tensor:
        """Return the representation of a clip, `(n_mels, n_frames)`."""
        if clip.id not in self._known:
            with torch.no_grad():
                self._known[clip.id] = self._frontend.represent(_waveform(self._frontend, self._sounds, clip))[0]
        return self._known[clip.id]


def _waveform(frontend: Frontend, sounds: Sounds, clip: Clip) -> Tensor:
    return repeat_up_to(sounds.waveform(clip)[None], frontend.min_samples)
