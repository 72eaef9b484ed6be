"""Rounding of waveforms to 16 bits, with a scale for each waveform."""

import math

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = -(2**15), 2**15 - 1


def to_int16(waveform: NDArray[np.float32]) -> tuple[NDArray[np.int16], float]:
    """Return a waveform as 16-bit integers with the value of one step.

    The step is the smallest power of two with which no sample is clipped. Every sample changes by less than 1/32767 of
    the peak of the waveform. A waveform with at most 16 bits, such as one of an unresampled 16-bit file, is unchanged.

    Args:
        waveform: Waveform, `(n_samples,)`, finite.

    Example:
        >>> codes, step = to_int16(np.array([0, 0.5, -1], np.float32))
        >>> codes.tolist(), step == 2**-15
        ([0, 16384, -32768], True)
    """
    needed = max(float(waveform.max()) / HIGHEST, float(waveform.min()) / LOWEST)
    # Steps below the smallest normal float32 would lose bits.
    step = 2.0 ** max(-126, math.ceil(math.log2(needed))) if needed > 0 else 1.0
    return np.clip(np.round(waveform / np.float64(step)), LOWEST, HIGHEST).astype(np.int16), step


def from_int16(codes: NDArray[np.int16], step: float) -> NDArray[np.float32]:
    """Return the waveform of integers of `to_int16`, float32; multiplying by a power of two is exact.

    Args:
        codes: Integers, `(n_samples,)`.
        step: Value of one step.
    """
    return codes.astype(np.float32) * np.float32(step)


def rounded(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a waveform, `(n_samples,)`, after rounding it to 16 bits; rounding it again changes nothing."""
    return from_int16(*to_int16(waveform))
