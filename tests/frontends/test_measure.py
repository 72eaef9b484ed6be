import pytest
import torch
from torch import nn
from untrained import FRONTENDS
from untrained.frontends import Frontend, Waveform
from untrained.frontends.musical import Timbral
from untrained.frontends.vgg import VGG


@pytest.mark.parametrize("name", sorted(set(FRONTENDS.names()) - {"hear"}))  # it has a required argument
def test_description_adds_up(name):
    frontend = FRONTENDS.create(name)
    description = frontend.describe(20_000)
    assert description.n_samples == max(20_000, frontend.min_samples)
    assert description.embedding_size == frontend.embedding_size
    assert description.n_parameters == sum(p.numel() for p in frontend.parameters())
    assert sum(layer.n_parameters for layer in description.layers) == description.n_parameters
    assert sum(layer.flop for layer in description.layers) == description.flop
    printed = str(description).splitlines()
    assert len({len(line) for line in printed[-1:]} | {len(printed[1])}) == 1
    assert f"{description.flop:,}" in printed[-1]


@pytest.mark.parametrize("n_samples", [350_000, 400_000])
def test_described_shapes_equal_those_of_the_maps(n_samples):
    frontend = VGG(n_filters=2)
    maps = frontend.feature_maps(frontend.represent(torch.zeros(1, n_samples)))
    layers = [layer for layer in frontend.describe(n_samples).layers if layer.kind == "feature maps"]
    assert [layer.shape for layer in layers] == [tuple(layer.shape[1:]) for layer in maps]


def test_flop_by_hand():
    """Two operations for each multiply-add: outputs x filters x weights of a filter."""
    vgg = VGG(n_filters=5).describe(350_000)
    outputs = [96 * 1368, 48 * 342, 16 * 85, 8 * 17, 4 * 4]
    assert [layer.flop for layer in vgg.layers if layer.kind == "Conv2d"] == [
        2 * n * 5 * 9 * (1 if number == 0 else 5) for number, n in enumerate(outputs)
    ]
    timbral = Timbral(n_filters=1).describe(350_000)
    assert timbral.flop == 2 * 1368 * sum(
        (97 - height) * n * height * frames for height in (86, 38) for frames, n in ((7, 1), (3, 2), (1, 4))
    )


class Odd(Frontend):
    """A parameter outside modules, a layer used twice, a nested layer, and an unused one."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.block = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
        self.shared = nn.Linear(4, 4)
        self.idle = nn.Linear(10, 10)
        self.scale = nn.Parameter(torch.ones(7, 4))

    def reset_parameters(self, generator):
        pass

    def feature_maps(self, x):
        h = self.block(x[:, None]).mT
        return [self.shared(self.shared(h)).mT, (h @ self.scale.T).mT]


class NeedsValues(Odd):
    def feature_maps(self, x):
        float(x.sum())  # a meta tensor has no value
        return super().feature_maps(x)


@pytest.mark.parametrize("cls", [Odd, NeedsValues])
def test_unusual_layers_are_counted_once(cls):
    frontend = cls()
    description = frontend.describe(102)
    lines = {layer.name: layer for layer in description.layers}
    assert lines["block.0"].flop == 2 * 100 * 4 * 3
    assert "block" not in lines
    assert [layer.n_parameters for layer in description.layers if layer.name == "shared"] == [20, 0]
    assert lines["(outside modules)"].n_parameters == 28 + 110
    assert lines["(outside modules)"].flop == 2 * 100 * 4 * 7
    assert description.flop == 2 * 100 * (12 + 16 + 16 + 28)
    assert not frontend.block[0]._forward_hooks  # only a copy was run


def test_shared_weights_are_counted_once():
    class Tied(Frontend):
        def __init__(self, *, seed: int = 0) -> None:
            super().__init__(seed=seed)
            self.representation = Waveform()
            self.first, self.second = nn.Conv1d(1, 1, 9), nn.Conv1d(1, 1, 9)
            self.second.weight = self.first.weight

        def feature_maps(self, x):
            return [self.first(x[:, None]), self.second(x[:, None])]

    description = Tied().describe(100)
    assert description.n_parameters == sum(p.numel() for p in Tied().parameters()) == 11
    assert sum(layer.n_parameters for layer in description.layers) == 11


def test_a_frontend_without_feature_maps_is_described():
    class Level(Frontend):
        embedding_size, feature_names = 1, ["level"]

        def forward(self, waveform):
            return waveform.square().mean(1, keepdim=True)

    assert Level().min_samples == 1
    description = Level().describe(100)
    assert (description.embedding_size, description.n_parameters, description.layers) == (1, 0, [])

    class Unstated(Level):
        embedding_size = Frontend.embedding_size

    with pytest.raises(TypeError, match=r"Unstated overrides forward\(\), so it must state embedding_size"):
        Unstated().embedding_size  # noqa: B018


@pytest.mark.parametrize("n_samples", [0, -5])
def test_lengths_below_one_sample_are_refused(n_samples):
    with pytest.raises(ValueError, match=f"n_samples={n_samples}; expected 1 or more"):
        VGG(n_filters=2).describe(n_samples)
