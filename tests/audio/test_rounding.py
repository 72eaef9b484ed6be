import numpy as np
import pytest
from untrained.audio.rounding import from_int16, rounded, to_int16


def test_samples_of_16_bits_are_unchanged():
    samples = (np.random.default_rng(0).integers(-(2**15), 2**15, 5000) / 2**15).astype(np.float32)
    np.testing.assert_array_equal(rounded(samples), samples)
    np.testing.assert_array_equal(rounded(np.zeros(5, np.float32)), np.zeros(5))


@pytest.mark.parametrize("level", [1e-30, 1e-4, 0.3, 1, 7.3, 1e30])
def test_rounding_changes_little_and_only_once(level):
    samples = (level * np.random.default_rng(1).uniform(-1, 1, 5000)).astype(np.float32)
    codes, step = to_int16(samples)
    found = from_int16(codes, step)
    assert found.dtype == np.float32
    assert np.abs(found - samples).max() < np.abs(samples).max() / 32767
    np.testing.assert_array_equal(rounded(found), found)
