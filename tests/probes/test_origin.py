"""Trained weights in the frontend of a probe."""

import pytest
import torch
from untrained.errors import CheckpointError, UsageError
from untrained.frontends.musical import Temporal
from untrained.frontends.trained import save_weights
from untrained.frontends.vgg import VGG
from untrained.probes.probe import Probe


@pytest.fixture
def weights(tmp_path):
    trained = VGG(n_filters=2, seed=5)
    trained.input_scalars = (-30.0, 10.0)
    save_weights(trained, tmp_path / "frontend.safetensors")
    return str(tmp_path / "frontend.safetensors"), trained


def test_a_frontend_gets_the_weights_of_a_file(weights):
    path, trained = weights
    probe = Probe(VGG(n_filters=2), weights=path, pooling="max")
    waveform = torch.randn(1, 24_000)
    assert torch.equal(probe(waveform), Probe(trained, pooling="max")(waveform))
    assert not probe.frontend.is_random  # so that a study runs it once for all seeds
    assert probe.weights_name.startswith("trained-")
    assert Probe(VGG(n_filters=2)).weights_name == "random"


def test_options_without_effect_are_refused(weights):
    path, _ = weights
    with pytest.raises(ValueError, match="init='xavier' has no effect, because the weights are loaded"):
        Probe(VGG(n_filters=2), weights=path, init="xavier")
    with pytest.raises(UsageError, match="calibrate has no effect"):
        Probe(VGG(n_filters=2), weights=path, calibrate=True)
    with pytest.raises(CheckpointError, match="weights of frontend 'vgg', not of 'temporal'"):
        Probe(Temporal(n_filters=4), weights=path)
