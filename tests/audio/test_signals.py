import numpy as np
import pytest
from untrained.audio.signals import remarks_on

T = np.arange(24_000, dtype=np.float32)
SINE = 0.5 * np.sin(T / 7)
NOISE = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
LATE = np.where(T < 12_000, SINE, -SINE)


@pytest.mark.parametrize(
    ("channels", "remarks"),
    [
        ([SINE], ()),
        ([SINE, SINE], ()),
        ([SINE, NOISE], ()),
        ([SINE, -0.99 * SINE], ("cancelling",)),
        ([SINE, LATE], ("cancelling",)),  # only in the second half
        ([SINE, 0.8 * SINE - NOISE], ()),
        ([SINE, 0 * SINE], ("one-sided",)),
        ([0 * SINE, 0 * SINE], ()),  # all silent
        ([32_768 * SINE], ("loud",)),
        ([1e30 * SINE, -1e30 * SINE], ("loud", "cancelling")),
        ([np.clip(4 * SINE, -1, 1)], ("clipped",)),
        ([1.1 * SINE], ()),
        ([0.1 * SINE + 0.3], ("offset",)),
        ([SINE, 0.1 * SINE + 0.3], ("offset",)),
        ([SINE + 0.01], ()),
        ([np.float32([0.5])], ()),  # one sample
        ([20_000 * SINE[:9000]], ("loud",)),  # so short that all samples are checked
    ],
)
def test_remarks(channels, remarks):
    frames = np.stack(channels, axis=1).astype(np.float32)
    before = frames.copy()
    assert remarks_on(frames) == remarks
    np.testing.assert_array_equal(frames, before)  # the samples are still needed for the embedding
