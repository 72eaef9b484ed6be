"""Embeddings of a frozen frontend, in place of the waveforms that a head would be trained on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datamodules import Clip
from ..frontends import Frontend
from ..frontends.outputs import embed
from ..frontends.precision import float32_products
from .sounds import Sounds

BATCH_ROWS = 32


def embeddings_of(frontend: Frontend, sounds: Sounds, clips: Sequence[Clip], device: torch.device) -> NDArray[Any]:
    """Return the embeddings of clips, `(len(clips), embedding_size)`, in float32.

    Args:
        frontend: Frozen frontend; it is on the CPU afterwards.
        sounds: Sounds of the clips.
        clips: Clips.
        device: Device to compute on.
    """
    moved = frontend.to(device)
    with torch.inference_mode(), float32_products():
        found = [embed(moved, batch.to(device)).float().cpu().numpy() for batch in sounds.batches(clips, BATCH_ROWS)]
    frontend.to("cpu")
    return np.concatenate(found) if found else np.zeros((0, frontend.embedding_size), np.float32)


class Embedded:
    """Embeddings of clips, with the interface of `Sounds`; they are computed when the first is asked for.

    A frozen frontend gives the same embedding of a clip in each epoch, so it computes each of them once.

    Args:
        sounds: Sounds of the clips.
        frontend: Frozen and calibrated frontend.
        clips: Clips to train and to validate on.
        device: Device to compute on.
    """

    keeps_all = True
    longer = None

    def __init__(self, sounds: Sounds, frontend: Frontend, clips: Sequence[Clip], device: torch.device) -> None:
        self._sounds, self._frontend, self._clips, self._device = sounds, frontend, clips, device
        self._known: dict[str, Tensor] = {}

    def waveform(self, clip: Clip) -> Tensor:
        """Return the embedding of a clip, `(embedding_size,)`."""
        if not self._known:
            rows = torch.from_numpy(embeddings_of(self._frontend, self._sounds, self._clips, self._device))
            self._known = {each.id: row for each, row in zip(self._clips, rows, strict=True)}
        return self._known[clip.id]
