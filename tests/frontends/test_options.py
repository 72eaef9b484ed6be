"""Options of every frontend: distribution of the weights, pooling, layers."""

import pytest
import torch
from torch import nn
from untrained import FRONTENDS
from untrained.frontends import Frontend, Waveform
from untrained.frontends.baselines import MFCC, LogMelStats
from untrained.frontends.vgg import VGG

INITS = ["he_truncated", "he_normal", "xavier", "orthogonal", "pytorch"]


class Plugin(Frontend):
    """A plug-in with attribute names that could collide with ours."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.init, self.layers, self.reference = "own", "own", "own"
        self.filters, self.input = nn.ModuleList([nn.Identity()]), nn.Identity()
        self.conv = nn.Conv1d(1, 64, 100, stride=50)
        self.pooling = nn.MaxPool1d(2)
        self.linear = nn.Linear(64, 30)

    def feature_maps(self, x):
        h = self.pooling(self.filters[0](self.conv(self.input(x)[:, None])).relu())
        return [h, self.linear(h.mean(2))]


@pytest.fixture(scope="module")
def waveform():
    return torch.randn(3, 4000, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "name", [name for name in FRONTENDS.names() if FRONTENDS.get(name).forward is Frontend.forward]
)
def test_every_frontend_has_these_options(name, waveform):
    frontend = FRONTENDS.create(name)
    embedding = frontend(waveform)
    for init in INITS[1:]:
        changed = frontend.with_options(init=init)(waveform)
        assert changed.isfinite().all()
        assert not torch.allclose(changed, embedding)
    assert frontend.with_options(pooling="max")(waveform).shape == embedding.shape
    both = frontend.with_options(pooling="mean_std")
    assert both(waveform).shape == (3, 2 * frontend.embedding_size) == (3, both.embedding_size)
    assert len(set(both.feature_names)) == both.embedding_size


@pytest.mark.parametrize("make", [Plugin, lambda: VGG(n_filters=3)], ids=["plugin", "vgg"])
def test_feature_names_describe_the_pooling(make, waveform):
    frontend = make()
    maps = frontend.feature_maps(frontend.represent(waveform.repeat(1, 90)))
    statistics = {
        "": lambda values: values.mean(),
        ".mean": lambda values: values.mean(),
        ".std": lambda values: values.std(correction=0),
        ".max": lambda values: values.max(),
    }
    for pooling in ("mean", "mean_std", "max", "mean_max"):
        changed = frontend.with_options(pooling=pooling)
        embedding = changed(waveform.repeat(1, 90))
        for column, name in zip(embedding.T, changed.feature_names, strict=True):
            layer, index, *ending = name.split(".")
            of_map = maps[int(layer.removeprefix("layer"))][:, int(index.removeprefix("map"))]
            expected = torch.stack([statistics["".join(f".{e}" for e in ending)](clip) for clip in of_map])
            torch.testing.assert_close(column, expected, rtol=1e-4, atol=1e-5)


def test_a_copy_is_changed_and_the_original_is_not():
    frontend = VGG(n_filters=2, seed=1)
    assert frontend.with_options() is frontend
    weight = frontend.convs[0].weight.clone()
    size = frontend.embedding_size
    changed = frontend.with_options(init="xavier", pooling="mean_std")
    assert changed.options == ("xavier", "mean_std")
    assert frontend.options == ("he_truncated", "mean")
    assert torch.equal(frontend.convs[0].weight, weight)
    assert frontend.embedding_size == size
    assert changed.with_options() is changed
    assert changed.with_options(pooling="max").options == ("xavier", "max")
    again = changed.with_options("he_truncated", "mean")
    assert torch.equal(again.convs[0].weight, weight)
    assert again.embedding_size == size


def test_weights_that_are_drawn_again_are_frozen():
    class Scaled(Plugin):
        def reset_parameters(self, generator):
            super().reset_parameters(generator)
            self.scale = nn.Parameter(torch.rand(3, generator=generator))

    changed = Scaled().with_options(init="xavier")
    assert not any(parameter.requires_grad for parameter in changed.parameters())
    assert not changed.training


def test_a_size_that_a_class_states_follows_the_pooling():
    class Stated(Plugin):
        embedding_size = 94

    changed = Stated().with_options(pooling="mean_std")
    assert changed.embedding_size == len(changed.feature_names) == len(changed.columns("all")) == 188
    assert changed(torch.randn(1, 4000)).shape == (1, 188)


@pytest.mark.parametrize("value", [nn.Identity(), 16])
@pytest.mark.parametrize("name", ["columns", "describe", "represent"])
def test_attributes_that_hide_methods_are_refused(name, value):
    class Hiding(Plugin):
        def __init__(self, *, seed: int = 0) -> None:
            super().__init__(seed=seed)
            setattr(self, name, value)

    with pytest.raises(TypeError, match=rf"Hiding: its attribute '{name}' hides Frontend.{name}.*rename it"):
        Hiding()


def test_pooling_keeps_weights_that_were_loaded():
    frontend = VGG(n_filters=2)
    frontend.load_state_dict(VGG(n_filters=2, seed=8).state_dict())
    assert torch.equal(frontend.with_options(pooling="max").convs[0].weight, VGG(n_filters=2, seed=8).convs[0].weight)


@pytest.mark.parametrize("cls", [MFCC, LogMelStats])
def test_options_are_refused_without_feature_maps(cls):
    frontend = cls()
    for name, value in (("init", "xavier"), ("pooling", "max")):
        with pytest.raises(
            ValueError, match=rf"{cls.__name__} overrides forward.*{name}='{value}' does not apply.*leave out"
        ):
            frontend.with_options(**{name: value})
    with pytest.raises(ValueError, match="layers='last' does not apply"):
        frontend.columns("last")
    assert frontend.columns("all") == list(range(frontend.embedding_size))


def test_init_is_refused_where_it_changes_nothing():
    class Pretrained(Plugin):
        def reset_parameters(self, generator):
            pass

    with pytest.raises(ValueError, match="Pretrained draws no weights that init='xavier' could change; leave out init"):
        Pretrained().with_options(init="xavier")
    assert Pretrained().with_options(pooling="max").options.pooling == "max"


@pytest.mark.parametrize(("name", "value"), [("init", "zeros"), ("pooling", "median")])
def test_unknown_options_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name}='{value}'; expected one of"):
        VGG(n_filters=2).with_options(**{name: value})
