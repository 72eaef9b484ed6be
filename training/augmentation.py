"""Random changes of training clips, drawn for each seed, epoch and clip, so that batches and workers change nothing."""

import zlib

import numpy as np
import torch
from torch import Tensor


def generator(seed: int, epoch: int, clip_id: str) -> np.random.Generator:
    """Return the random generator of a clip in an epoch.

    Args:
        seed: Seed of the training run.
        epoch: Epoch, counted from 0.
        clip_id: Id of the clip.
    """
    return np.random.default_rng([seed, epoch, zlib.crc32(clip_id.encode(errors="surrogatepass"))])


def random_crop(waveform: Tensor, n_samples: int, n_own: int, rng: np.random.Generator) -> Tensor:
    """Return a random part of a waveform, `(n_samples,)`, which does not begin in the repetition or padding at its end.

    Args:
        waveform: Waveform with at least `n_samples` samples.
        n_samples: Number of samples of the part.
        n_own: Number of samples of the clip itself; the others repeat or pad it.
        rng: Random generator.
    """
    start = int(rng.integers(max(0, min(len(waveform), n_own) - n_samples) + 1))
    return waveform[start : start + n_samples]


def circular_shift(waveform: Tensor, rng: np.random.Generator) -> Tensor:
    """Return a waveform that starts at a random sample and continues with its beginning, `(n_samples,)`.

    Args:
        waveform: Waveform, `(n_samples,)`.
        rng: Random generator.
    """
    return torch.roll(waveform, shift_of(len(waveform), rng))


def shift_of(n_samples: int, rng: np.random.Generator) -> int:
    """Return by how many samples a waveform is shifted.

    Args:
        n_samples: Length of the waveform in samples.
        rng: Random generator.
    """
    return int(rng.integers(n_samples))
