"""Remarks on the samples of a file, before its channels are averaged."""

from functools import reduce
from typing import Any, Literal

import numpy as np

Remark = Literal["cancelling", "one-sided", "loud", "clipped", "offset", "unclosed", "uncounted"]
"""What is odd about a file that can be decoded all the same.

- `cancelling`: the channels cancel, so that their mean is far quieter than they are.
- `one-sided`: a channel is silent, and another is not.
- `loud`: the peak is far above full scale.
- `clipped`: many samples are at the peak, which is full scale.
- `offset`: the mean of the samples is far from zero.
- `unclosed`: the header counts no samples, though some follow.
- `uncounted`: many bytes follow the samples that the header counts.
"""

TITLES: dict[Remark, str] = {
    "unclosed": "were not closed by the recorder (their header counts no samples; all that follow are read)",
    "uncounted": "hold more than their header counts, which is not read (not closed by the recorder, or damaged)",
    "loud": "have a peak far above full scale (1), such as integers that were written as floats",
    "cancelling": "have channels that cancel (their mean, which is what is read, is 20 dB quieter or more)",
    "one-sided": "have a silent channel beside another (the mean of both is read)",
    "clipped": "are clipped (more than 1 % of the samples are at the peak)",
    "offset": "have a constant offset (more than a tenth of the power)",
}
"""Remarks as titles of lists of clips."""
NOTED: tuple[Remark, ...] = ("unclosed", "uncounted", "loud", "cancelling")
"""Remarks that each run notes: on what most likely is a mistake."""

FAR_BELOW = 0.01  # power of the mean of channels, as a share of their own: 20 dB
CANCELLING_SHARE = 0.1  # of the parts of a sound that are not silent
SILENT_CHANNEL = 1e-8  # power, as a share of that of the loudest channel: 80 dB
LOUD = 4.0  # peak; decoders of mp3 and resamplers exceed 1 by far less
FULL_SCALE = 0.99  # peak of a sound that may be clipped
CLIPPED_SHARE = 0.01  # of the samples
OFFSET_SHARE = 0.1  # of the power
LEAST_OFFSET = 1e-3  # peak
SOUNDING = 1e-4  # power of a part that is not silent, as a share of the loudest: 40 dB
_N_PARTS = 50  # of a sound, in which channels may cancel
_N_LOOKED_AT = 8_000  # frames, evenly spread; a look at all would take as long as decoding does


def remarks_on(frames: "np.ndarray[Any, np.dtype[np.float32]]") -> tuple[Remark, ...]:
    """Return what is odd about samples.

    Args:
        frames: Samples that are finite, (n_frames, n_channels) float32, with n_frames >= 1.

    Example:
        >>> left = np.sin(np.arange(9000, dtype=np.float32) / 20) / 2
        >>> remarks_on(np.stack([left, -0.99 * left], axis=1))
        ('cancelling',)
        >>> remarks_on(np.stack([left, 0 * left], axis=1))
        ('one-sided',)
        >>> remarks_on(20_000 * left[:, None])
        ('loud',)
    """
    found: list[Remark] = []
    some = np.ascontiguousarray(frames[:: len(frames) // _N_LOOKED_AT | 1].T)
    n = some.shape[1]
    peak = max(float(some.max()), -float(some.min()))
    if peak == 0:
        return ()
    if peak > LOUD:
        some = some / np.float32(peak)  # squares of extreme samples would overflow
        found.append("loud")
    power = (np.einsum("ci,ci->c", some, some) / n).tolist()
    if len(power) > 1:
        if min(power) < SILENT_CHANNEL * max(power):
            found.append("one-sided")
        elif _cancel(some):
            found.append("cancelling")
    if LOUD >= peak > FULL_SCALE and np.mean(np.abs(some) > 0.999 * peak) > CLIPPED_SHARE:
        found.append("clipped")
    if n > 100 and peak > LEAST_OFFSET:
        offsets = some.sum(axis=1).tolist()
        if any((offset / n) ** 2 > OFFSET_SHARE * own for offset, own in zip(offsets, power, strict=True)):
            found.append("offset")
    return tuple(found)


def _cancel(some: "np.ndarray[Any, np.dtype[np.float32]]") -> bool:
    """Return whether the mean of channels, (n_channels, n_frames), is far quieter than they are in part of a sound."""
    n_channels, n = some.shape
    n_parts = min(_N_PARTS, n)
    parts = some[:, : n - n % n_parts].reshape(n_channels, n_parts, -1)
    own = reduce(np.add, [np.einsum("pi,pi->p", channel, channel) for channel in parts]) / n_channels
    total = reduce(np.add, parts)
    mean = np.einsum("pi,pi->p", total, total) / n_channels**2
    sounding = own > SOUNDING * own.max()
    return bool((sounding & (mean < FAR_BELOW * own)).sum() > CANCELLING_SHARE * sounding.sum())
