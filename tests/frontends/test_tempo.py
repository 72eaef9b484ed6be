import numpy as np
import pytest
import torch
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.tempo import Tempo


@pytest.mark.parametrize("tempo", [60, 72, 87, 104, 120, 128.5, 140, 168, 180, 200])
def test_clicks(tempo):
    clicks = torch.zeros(1, 350_000)
    clicks[:, (torch.arange(0, 29, 60 / tempo) * 12_000).long()] = 1.0
    assert 2 ** Tempo()(clicks).item() == pytest.approx(tempo, rel=0.02)


def test_rhythms():
    """Most tempi of synthetic rhythms are found, and nearly all up to a factor of 2, 3 or 3/2."""
    data = Synthetic("rhythm", clips_per_class=6)
    made = [data.make(clip, 12_000) for clip in data.listed]
    found = np.array([2 ** Tempo()(torch.from_numpy(waveform)[None]).item() for waveform, _ in made])
    ratio = found / np.array([tempo for _, tempo in made])
    assert np.mean(np.abs(ratio - 1) < 0.04) > 0.7
    factors = np.array([1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3])
    assert np.mean(np.abs(ratio[:, None] / factors - 1).min(1) < 0.04) > 0.9


def test_tempo_in_a_study(untrained):
    one = "[{class_path: synthetic, init_args: {task: rhythm, clips_per_class: 4, folds: 3, n_samples: 60000}}]"
    arguments = ["--datamodules", one, "--frontends", "[tempo]", "--backends", "[nearest_class]", "--seeds", "[0, 1]"]
    arguments += ["--controls", "[]"]
    status, out, err = untrained("compare", "synthetic", *arguments)
    assert status == 0
    assert "[1/1]" in err
    assert "nearest_class" in out
