import copy

import pytest
import torch
from torch import nn
from untrained.frontends import Frontend, LogMel, Waveform
from untrained.frontends import names as aliases
from untrained.frontends.musical import Temporal
from untrained.frontends.vgg import VGG


class Tiny(Frontend):
    def __init__(self, n_filters: int = 3, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.convs = nn.ModuleList([nn.Conv1d(1, n_filters, 8, stride=4), nn.Conv1d(n_filters, 5, 3)])

    def feature_maps(self, x):
        first = self.convs[0](x[:, None]).relu()
        return [first, self.convs[1](first)]


class Child(Tiny):
    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(4, seed=seed)
        self.extra = nn.Linear(2, 2)


class Grandchild(Child):
    pass


@pytest.mark.parametrize("cls", [Tiny, Child, Grandchild, aliases.vgg, VGG])
def test_a_frontend_is_finalised_once(cls, monkeypatch):
    calls = []
    drawn = Frontend.reset_parameters
    monkeypatch.setattr(Frontend, "reset_parameters", lambda self, g: calls.append(self) or drawn(self, g))
    frontend = cls(seed=1)
    assert len(calls) == 1
    assert not frontend.training
    assert not frontend.train().training
    assert not any(parameter.requires_grad for parameter in frontend.parameters())
    assert all((bias == 0).all() for name, bias in frontend.named_parameters() if name.endswith("bias"))


def test_arguments_are_recorded_with_defaults():
    assert Tiny(7).arguments == {"n_filters": 7, "seed": 0}
    assert Grandchild(seed=3).arguments == {"seed": 3}


def test_seed_decides_the_weights_and_nothing_else_does():
    torch.manual_seed(0)
    first = VGG(4, seed=5)
    torch.manual_seed(1)
    Temporal(seed=9)
    second = VGG(4, seed=5)
    other = VGG(4, seed=6)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
    assert not torch.equal(first.convs[0].weight, other.convs[0].weight)


def test_sizes_are_found_without_running_on_real_data():
    frontend = Tiny()
    assert frontend.embedding_size == 8
    assert frontend.min_samples == 16  # three windows of 8, 4 apart
    assert frontend.feature_names[:4] == ["layer0.map0", "layer0.map1", "layer0.map2", "layer1.map0"]


def test_sizes_fall_back_to_zeros_where_meta_tensors_fail():
    class NeedsValues(Tiny):
        def feature_maps(self, x):
            float(x.sum())  # a meta tensor has no value
            return super().feature_maps(x)

    assert NeedsValues().min_samples == 16


def test_an_error_of_a_plug_in_is_shown():
    class Typo(Tiny):
        def feature_maps(self, x):
            return [self.convz(x)]

    with pytest.raises(RuntimeError, match="convz"):
        Typo()(torch.zeros(1, 100))

    class Empty(Frontend):
        pass

    with pytest.raises(TypeError, match="define it, or override forward"):
        Empty()(torch.zeros(1, 100))


def test_short_input_is_repeated():
    frontend = Tiny()
    short = torch.randn(2, 5)
    torch.testing.assert_close(frontend(short), frontend(short.repeat(1, 4)[:, :16]))
    with pytest.raises(ValueError, match="expected"):
        frontend(torch.zeros(2, 0))
    with pytest.raises(ValueError, match="expected"):
        frontend(torch.zeros(100))


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True])
def test_invalid_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=r"seed=.*expected an integer"):
        Tiny(seed=seed)


def test_representation_stays_float32_in_lower_precision():
    frontend = VGG(2).to(torch.bfloat16)
    assert frontend.convs[0].weight.dtype == torch.bfloat16
    assert frontend.representation.mel_spectrogram.mel_scale.fb.dtype == torch.float32
    torch.manual_seed(0)
    waveform = torch.randn(2, 4000)
    exact = VGG(2)(waveform)
    low = frontend(waveform)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, exact, rtol=0.05, atol=0.02 * exact.abs().max().item())
    with torch.autocast("cpu", torch.bfloat16):
        representation = VGG(2).represent(waveform)
    torch.testing.assert_close(representation, LogMel()(waveform))


def test_a_copy_gives_the_same_embeddings():
    frontend = VGG(2, seed=3)
    waveform = torch.randn(1, 4000)
    assert torch.equal(copy.deepcopy(frontend)(waveform), frontend(waveform))
