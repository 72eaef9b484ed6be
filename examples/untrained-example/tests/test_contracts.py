import numpy as np
import pytest
import soundfile
import torch
from untrained.cli import main
from untrained.frontends.trained import load_weights
from untrained.proxies.scoring import score
from untrained.testing import check_datamodule, parametrize_with_checks
from untrained_example.cosine import CosineCentroids
from untrained_example.gated import Gated
from untrained_example.spoken_digits import SpokenDigits
from untrained_example.spread import ClassSpread


@parametrize_with_checks(Gated, CosineCentroids, ClassSpread)
def test_contract(check):
    check()


def test_the_frontend_trains(tmp_path):
    data = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000", "--data.clips_per_class", "5"]
    words = [*data, "--model.frontend", "gated", "--model.frontend.n_filters", "2", "--trainer.max_steps", "3"]
    assert main(["train", *words, "--trainer.default_root_dir", str(tmp_path)]) == 0
    (weights,) = tmp_path.rglob("frontend.safetensors")
    loaded, drawn = load_weights(Gated(n_filters=2), weights), Gated(n_filters=2)
    assert not torch.equal(loaded.first.weight, drawn.first.weight)


def test_the_proxy_measures_how_far_apart_classes_are():
    noise, labels = torch.randn(8, 4000, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2
    apart = noise * (1 + 9 * labels[:, None])
    near, far, equal = (
        score(Gated(n_filters=2), [(waveforms, labels)], [ClassSpread()])[0]
        for waveforms in (noise, apart, torch.zeros(8, 4000))
    )
    assert near.value < far.value
    assert equal.reason.endswith("the clips of each class have equal embeddings")


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
