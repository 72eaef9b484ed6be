import numpy as np
import pytest
import soundfile
from untrained.testing import check_datamodule, parametrize_with_checks
from untrained_example.cosine import CosineCentroids
from untrained_example.gated import Gated
from untrained_example.spoken_digits import SpokenDigits


@parametrize_with_checks(Gated, CosineCentroids)
def test_contract(check):
    check()


@pytest.fixture
def digits(tmp_path):
    (tmp_path / "recordings").mkdir()
    for digit in range(2):
        for index in range(15):
            sound = np.sin(np.arange(3000) * (0.1 + 0.2 * digit + 0.001 * index))
            soundfile.write(tmp_path / "recordings" / f"{digit}_somebody_{index}.wav", sound, 8000)
    return tmp_path


def test_data(digits):
    data = SpokenDigits(str(digits))
    check_datamodule(data)
    splits = [clip.split for clip in data.listed if clip.label == "1"]
    assert sorted(splits) == ["test"] * 5 + ["train"] * 5 + ["validation"] * 5
