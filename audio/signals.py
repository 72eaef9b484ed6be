"""Detection of anomalies in the samples of a file, before its channels are averaged."""

from functools import reduce
from typing import Any, Literal

import numpy as np

Remark = Literal["cancelling", "one-sided", "loud", "clipped", "offset", "unclosed", "uncounted"]
"""Anomaly of a file that can nevertheless be decoded.

- `cancelling`: the channels are in opposite phase, so that their mean is far quieter than each of them.
- `one-sided`: a channel is silent and another is not.
- `loud`: the peak is far above full scale.
- `clipped`: many samples are at the peak, which is full scale.
- `offset`: the mean of the samples is far from zero.
- `unclosed`: the header declares no samples, but the file contains some.
- `uncounted`: many bytes follow the samples that the header declares.
"""

TITLES: dict[Remark, tuple[str, str]] = {
    "unclosed": ("Clips with an unfinished header", "declared size 0; all audio after the header is read"),
    "uncounted": (
        "Clips with more audio than the header declares",
        "the excess is ignored; unfinished recording or damaged file",
    ),
    "loud": ("Clips with a peak far above full scale", "1; for example integers that were written as floats"),
    "cancelling": (
        "Clips with channels in opposite phase",
        "the mono mix is at least 20 dB quieter than the channels",
    ),
    "one-sided": ("Clips with a silent channel", "the mean of all channels is read"),
    "clipped": ("Clipped clips", "more than 1 % of the samples are at the peak"),
    "offset": ("Clips with a DC offset", "more than a tenth of the power"),
}
"""Title of the list of clips with each remark, and an explanation."""
NOTED: dict[Remark, str] = {
    "unclosed": "have an unfinished header (declared size 0; all audio after the header is read)",
    "uncounted": "contain more audio than the header declares (the excess is ignored; unfinished recording or damaged "
    "file)",
    "loud": "have a peak far above full scale (1), for example integers that were written as floats",
    "cancelling": "have channels in opposite phase (the mono mix is at least 20 dB quieter than the channels)",
}
"""Remarks that every run reports, because they most likely point to an error in the data; the text follows "clips"."""

FAR_BELOW = 0.01  # maximum power of the mean of cancelling channels, relative to the mean power of the channels: -20 dB
CANCELLING_SHARE = 0.1  # minimum share of the non-silent parts of a clip in which channels cancel
SILENT_CHANNEL = 1e-8  # maximum power of a silent channel, relative to the loudest channel: -80 dB
LOUD = 4.0  # minimum peak that is reported; mp3 decoders and resamplers exceed 1 by far less
FULL_SCALE = 0.99  # minimum peak of a clip that may be clipped
CLIPPED_SHARE = 0.01  # minimum share of samples at the peak of a clipped clip
OFFSET_SHARE = 0.1  # minimum share of the power that is due to a DC offset
LEAST_OFFSET = 1e-3  # minimum peak of a clip that is checked for a DC offset
SOUNDING = 1e-4  # minimum power of a non-silent part, relative to the loudest part: -40 dB
_N_PARTS = 50  # parts of a clip that are checked separately for cancelling channels
_N_LOOKED_AT = 8_000  # evenly spaced frames that are checked; checking all would take as long as decoding


def remarks_on(frames: "np.ndarray[Any, np.dtype[np.float32]]") -> tuple[Remark, ...]:
    """Return the anomalies of the samples of a file.

    Args:
        frames: Finite samples, (n_frames, n_channels) float32, with n_frames >= 1.

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
    """Return whether the mean of the channels is far quieter than the channels in a large enough share of a clip.

    Args:
        some: Samples, (n_channels, n_frames).
    """
    n_channels, n = some.shape
    n_parts = min(_N_PARTS, n)
    parts = some[:, : n - n % n_parts].reshape(n_channels, n_parts, -1)
    own = reduce(np.add, [np.einsum("pi,pi->p", channel, channel) for channel in parts]) / n_channels
    total = reduce(np.add, parts)
    mean = np.einsum("pi,pi->p", total, total) / n_channels**2
    sounding = own > SOUNDING * own.max()
    return bool((sounding & (mean < FAR_BELOW * own)).sum() > CANCELLING_SHARE * sounding.sum())
