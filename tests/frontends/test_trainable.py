"""Copies of a frontend that train, and frozen copies."""

import copy

import pytest
import torch
from torch import nn
from untrained import FRONTENDS, Frontend
from untrained.frontends import Waveform
from untrained.frontends.baselines import MFCC, LogMelStats
from untrained.frontends.hear import Hear
from untrained.frontends.musical import TimbralTemporal
from untrained.frontends.tempo import Tempo
from untrained.frontends.trainable import frozen, trainable
from untrained.frontends.vertical import Vertical7x86
from untrained.frontends.vgg import VGG
from untrained.frontends.weights import undrawn

OPTIONS = {
    "drawn": {"family": "temporal", "n_parameters": 12_000},
    "timbral_temporal": {"n_filters": 4},
    "temporal": {"n_filters": 4},
    "logmel_projection": {"n_features": 4},
}
with undrawn():
    RANDOM = [name for name in FRONTENDS.names() if name != "hear" and FRONTENDS.create(name).is_random]


class Normed(Frontend):
    """A convolution with BatchNorm and dropout, around another frontend."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.inner = VGG(n_filters=2)
        self.layers = nn.Sequential(nn.Conv1d(1, 3, 64, stride=32), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(0.5))

    def feature_maps(self, x):
        return [self.layers(x[:, None])]


@pytest.fixture(scope="module")
def clips():
    return 0.1 * torch.randn(2, 3000, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", RANDOM)
def test_every_frontend_trains(name, clips):
    """Plug-ins that are installed included."""
    options = OPTIONS.get(name, {"n_filters": 2})
    frontend = FRONTENDS.create(name, **options)
    weights = copy.deepcopy(frontend.state_dict())
    learning = trainable(frontend)
    learning.calibrate([clips])
    embedding = learning(clips)
    with torch.no_grad():
        torch.testing.assert_close(frozen(learning)(clips), embedding, rtol=1e-5, atol=1e-5 * embedding.abs().max())
    embedding.square().mean().backward()
    for key, parameter in learning.named_parameters():
        with torch.no_grad():
            parameter -= 0.01 * parameter.grad / parameter.grad.abs().max()
        assert not torch.equal(parameter, weights[key]), key
    assert all(torch.equal(value, weights[key]) for key, value in frontend.state_dict().items())


def test_training_mode_reaches_the_layers_inside(clips):
    frontend = Normed()
    learning = trainable(frontend)
    modules = [module for module in learning.modules() if module is not learning.representation]
    assert all(module.training for module in modules)
    assert not torch.equal(learning(clips), learning(clips))  # dropout
    assert not torch.equal(learning.layers[1].running_mean, torch.zeros(3))
    assert not any(module.training for module in learning.eval().modules())
    assert torch.equal(learning(clips), learning(clips))
    assert all(module.training for module in learning.train().modules())
    assert not any(module.training for module in frontend.train().modules())
    assert not any(parameter.requires_grad for parameter in frontend.parameters())
    assert torch.equal(frontend.layers[1].running_mean, torch.zeros(3))


def test_a_frozen_copy_stays_in_evaluation_mode(clips):
    learning = trainable(Normed())
    learning.input_scalars = (-30.0, 12.0)
    learning(clips).sum().backward()
    still = frozen(learning).train()
    assert not any(module.training for module in still.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in still.parameters())
    assert still.input_scalars == (-30.0, 12.0)
    assert learning.training
    assert learning.layers[0].weight.grad is not None
    assert torch.equal(still(clips), learning.eval()(clips))


def test_sizes_are_those_of_evaluation_mode():
    """One clip that leaves a single value for each channel is too few for BatchNorm in training mode."""
    assert trainable(Normed()).min_samples == Normed().min_samples == 64


def test_weights_that_were_not_drawn_yet_are_drawn():
    with undrawn():
        frontend = VGG(n_filters=2, seed=3)
    assert torch.equal(trainable(frontend).convs[0].weight, VGG(n_filters=2, seed=3).convs[0].weight)
    assert frontend.awaits_weights


@pytest.mark.parametrize("make", [MFCC, LogMelStats, Tempo, lambda: Hear("untrained.hear", "temporal")])
def test_a_frontend_with_nothing_to_train_is_refused_by_name(make):
    frontend = make()
    name = FRONTENDS.name_of(type(frontend))
    with pytest.raises(ValueError, match=rf"frontend '{name}'.* has no random weights.*nothing to train; choose"):
        trainable(frontend)


@pytest.mark.parametrize("cls", [Vertical7x86, TimbralTemporal])
def test_a_bias_trains_alone(cls, clips):
    learning = trainable(cls(n_filters=4))
    for name, parameter in learning.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))
    learning(clips).sum().backward()
    assert all(p.grad is not None for name, p in learning.named_parameters() if name.endswith("bias"))
