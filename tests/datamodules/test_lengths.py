"""Notices about clips that are longer or shorter than the input of a frontend."""

import pytest
from untrained.datamodules.lengths import length_notice, repetition_notice
from untrained.datamodules.synthetic import Synthetic
from untrained.datamodules.urbansound8k import UrbanSound8K
from untrained.errors import UsageError


@pytest.mark.parametrize(
    ("lengths", "fit_length", "notice"),
    [
        ([4.0, 4.03, 3.97], "repeat", ""),
        ([9.0] * 398, "repeat", "398 of 398 clips are longer than 4.0 s: only the first 4.0 s are used"),
        ([1.0, 4.0], "repeat", "1 of 2 clips are shorter than 4.0 s and are repeated up to 3 times"),
        ([2.0, 4.0], "repeat", "1 of 2 clips are shorter than 4.0 s and are repeated once"),
        ([2.0, 4.0], "zero", "1 of 2 clips are shorter than 4.0 s and are padded with zeros"),
    ],
)
def test_clips_of_another_length_are_counted(lengths, fit_length, notice):
    assert length_notice(lengths, 4.0, fit_length) == notice


def test_repetitions_inside_a_frontend_are_counted():
    assert repetition_notice("vgg", 27.3, 29.2) == ""
    assert repetition_notice("vgg", 27.3, 1.0).endswith("the 1.0 s that it reads of each clip 27 times")


def test_seconds_are_converted_at_the_sample_rate_of_the_frontend():
    data = Synthetic("events", seconds=1.5)
    assert (data.n_samples, data.samples_at(16_000)) == (18_000, 24_000)
    assert data.read(data.listed[0], 16_000).waveform.shape == (24_000,)
    assert UrbanSound8K("x").samples_at(16_000) == 48_000
    with pytest.raises(UsageError, match=r"n_samples=350000 and seconds=2.0 both set"):
        Synthetic("events", n_samples=350_000, seconds=2.0)
    with pytest.raises(UsageError, match="seconds=0; expected more than 0"):
        Synthetic("events", seconds=0)
