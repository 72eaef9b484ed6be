"""The frontends of the study against the original code's numbers, and against its description in plain NumPy."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from untrained import FRONTENDS
from untrained.frontends import LogMel
from untrained.frontends.baselines import LogMelProjection, LogMelStats
from untrained.frontends.frame_level import FrameLevel, FrameLevelMany
from untrained.frontends.musical import Temporal, Timbral, TimbralTemporal
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.vertical import Vertical7x86, Vertical7x96
from untrained.frontends.vgg import VGG

ALL = sorted(set(FRONTENDS.names()) - {"hear"})  # which has no default
CNNS = [name for name in ALL if hasattr(FRONTENDS.get(name), "filters")]
# Features at both sizes, from the table of the study's frontends.
FEATURES = {
    "vgg": (160, 3585),
    "vertical_7x96": (160, 3585),
    "vertical_7x86": (160, 3585),
    "timbral": (112, 3584),
    "temporal": (112, 3584),
    "timbral_temporal": (112, 3584),
    "sample_level": (161, 3584),
    "frame_level": (160, 3584),
    "frame_level_many": (160, 3584),
}
# The shortest inputs in samples: for a spectrogram half a window of padding, or as many frames as the layers need.
SHORTEST = {
    "vgg": 1279 * 256,
    "vertical_7x96": 6 * 256,
    "vertical_7x86": 6 * 256,
    "timbral": 257,
    "temporal": 257,
    "timbral_temporal": 257,
    "sample_level": 2187,
    "frame_level": 736,
    "frame_level_many": 225,
}


def test_logmel_equals_the_original(reference):
    data = reference("logmel")
    logmel = LogMel()(torch.tensor(data["y"], dtype=torch.float32)[None])[0]
    assert logmel.shape == (96, 235)
    assert np.abs(logmel.T.numpy() - data["S"]).max() < 1e-3


@pytest.mark.parametrize(
    ("name", "frontend", "layers"),
    [
        ("vgg", VGG(n_filters=6), {layer: layer for layer in range(5)}),
        ("vertical_7x86", Vertical7x86(n_filters=8), {0: 1}),  # the layer before pooling gives no features
        ("frame_level_many", FrameLevelMany(n_filters=4), {layer: layer for layer in range(8)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_maps_equal_the_original(reference, name, frontend, layers):
    data = reference(name)
    maps = _maps_with_its_weights(frontend, data)
    assert len(maps) == len(layers)
    for found, layer in zip(maps, layers.values(), strict=True):
        channels_last = np.moveaxis(found.numpy(), 1, -1)
        if found.ndim == 4:
            channels_last = channels_last.swapaxes(1, 2)
        shape = tuple(data[f"shape{layer}"])
        channels_last = channels_last.reshape(shape)
        means = f"g{layer}" if f"g{layer}" in data else f"f{layer}"
        tolerance = 1e-5 * np.abs(channels_last).max()
        positions = found.numpy().reshape(*found.shape[:2], -1)
        assert np.abs(positions.mean(2) - data[means]).max() < tolerance
        assert np.abs(channels_last[:, :3] - data[f"head{layer}"]).max() < tolerance
        assert np.abs(channels_last[:, -3:] - data[f"tail{layer}"]).max() < tolerance


def test_collapsed_layers_equal_the_original_s_slip(reference):
    data = reference("frame_level_many")
    frontend = FrameLevelMany(n_filters=4, collapse_deep=True)
    _maps_with_its_weights(frontend, data)
    embedding = frontend(torch.from_numpy(data["x"][..., 0])).numpy()
    expected = np.concatenate([data[f"f{layer}"] for layer in range(8)], axis=1)
    assert np.abs(embedding - expected).max() < 1e-5 * np.abs(expected).max()
    informative = FrameLevel(size="large", collapse_deep=True)(torch.randn(1, 20_000))[0] != 0
    assert 896 + 3 - 100 < informative.sum() <= 896 + 3  # a map of the first layer may be silent


def _maps_with_its_weights(frontend, data):
    weights = iter(sorted(name for name in data if name[0] == "w"))
    for module in frontend.modules():
        if isinstance(module, torch.nn.Conv1d | torch.nn.Conv2d):
            kernel = torch.from_numpy(data[next(weights)])
            # The rows of a one-dimensional frontend are an axis of their own there, and channels here.
            module.weight.copy_(kernel.permute(*reversed(range(kernel.ndim))).reshape(module.weight.shape))
            module.bias.copy_(torch.from_numpy(data[next(weights)]))
    assert next(weights, None) is None
    x = torch.from_numpy(data["x"])
    return frontend.feature_maps(x[..., 0] if x.shape[2] == 1 else x.transpose(1, 2))


# What has no reference numbers: the description of the study, convolution by convolution.


def correlate(x, conv, padding=((0, 0), (0, 0)), stride=1):
    """Cross-correlation in float64; x is (channels, *positions), padding (before, after) for each axis."""
    kernel, bias = conv.weight.double().numpy(), conv.bias.double().numpy()
    padded = np.pad(x.astype(float), ((0, 0), *padding[: x.ndim - 1]))
    windows = sliding_window_view(padded, kernel.shape[2:], axis=tuple(range(1, x.ndim)))
    if x.ndim == 2:
        return np.einsum("ctk,ock->ot", windows[:, ::stride], kernel, optimize=True) + bias[:, None]
    return np.einsum("cftkl,ockl->oft", windows, kernel, optimize=True) + bias[:, None, None]


def relu(x):
    return np.maximum(x, 0)


def pooled(x, length):
    n = x.shape[1] // length
    return x[:, : n * length].reshape(len(x), n, length).max(2)


def with_biases(frontend):
    generator = torch.Generator().manual_seed(1)
    for name, parameter in frontend.named_parameters():
        if name.endswith("bias"):
            parameter.normal_(generator=generator)
    return frontend


def assert_same_maps(frontend, x, expected):
    found = frontend.feature_maps(torch.from_numpy(x)[None])
    assert len(found) == len(expected)
    for layer, wanted in zip(found, expected, strict=True):
        assert np.abs(layer[0].numpy().reshape(wanted.shape) - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.fixture(scope="module")
def spectrogram():
    return LogMel()(torch.randn(1, 12_000, generator=torch.Generator().manual_seed(0)))[0].numpy()


@pytest.fixture(scope="module")
def waveform():
    return torch.randn(3001, generator=torch.Generator().manual_seed(0)).numpy()


def timbral_maps(convs, x):
    frames = [3, 1, 0, 3, 1, 0]
    return [relu(correlate(x[None], conv, ((0, 0), (n, n)))).max(1) for conv, n in zip(convs, frames, strict=True)]


def temporal_maps(convs, x, lengths):
    loudness = x.mean(0, keepdims=True)
    paddings = [((length - 1) // 2, length // 2) for length in lengths]
    return [relu(correlate(loudness, conv, (padding,))) for conv, padding in zip(convs, paddings, strict=True)]


def test_vertical_7x96_as_described(spectrogram):
    frontend = with_biases(Vertical7x96(n_filters=5))
    assert_same_maps(frontend, spectrogram, [relu(correlate(spectrogram[None], frontend.conv))])


def test_timbral_as_described(spectrogram):
    frontend = with_biases(Timbral(n_filters=2))
    shapes = [(2, 86, 7), (4, 86, 3), (8, 86, 1), (2, 38, 7), (4, 38, 3), (8, 38, 1)]
    assert [(len(conv.weight), *conv.weight.shape[2:]) for conv in frontend.timbral] == shapes
    assert_same_maps(frontend, spectrogram, [np.concatenate(timbral_maps(frontend.timbral, spectrogram))])


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({}, (165, 128, 64, 32)),
        ({"lengths": "urbansound8k"}, (64, 32, 16, 8)),
        ({"lengths": (9, 4, 2, 1)}, (9, 4, 2, 1)),
    ],
)
def test_temporal_as_described(spectrogram, given, lengths):
    frontend = with_biases(Temporal(n_filters=8, **given))
    assert [len(conv.weight) for conv in frontend.temporal] == [6, 14, 30, 62]
    assert_same_maps(frontend, spectrogram, [np.concatenate(temporal_maps(frontend.temporal, spectrogram, lengths))])


def test_timbral_temporal_as_described(spectrogram):
    frontend = with_biases(TimbralTemporal(n_filters=4))
    maps = [
        *timbral_maps(frontend.timbral, spectrogram),
        *temporal_maps(frontend.temporal, spectrogram, (165, 128, 64, 32)),
    ]
    assert_same_maps(frontend, spectrogram, [np.concatenate(maps)])


def test_sample_level_as_described(waveform):
    frontend = with_biases(SampleLevel(n_filters=4))
    first, *deeper = frontend.convs
    maps = [relu(correlate(waveform[None], first, stride=3))]
    for conv in deeper:
        maps.append(pooled(relu(correlate(maps[-1], conv, ((1, 1),))), 3))
    assert_same_maps(frontend, waveform, maps)


def test_frame_level_as_described(waveform):
    frontend = with_biases(FrameLevel(n_filters=4))
    second, third, fourth = frontend.deep
    first = relu(correlate(waveform[None], frontend.conv, stride=32))
    h = relu(correlate(first, second))
    residual = h + relu(correlate(h, third, ((3, 3),)))
    p = pooled(residual, 2)
    assert_same_maps(frontend, waveform, [first, h, residual, p + relu(correlate(p, fourth, ((3, 3),)))])


def test_controls_are_what_a_cnn_adds_to():
    waveform = torch.randn(2, 12_000)
    bands = LogMel()(waveform).numpy()
    statistics = np.concatenate([bands.mean(2), bands.std(2)], axis=1)
    np.testing.assert_allclose(LogMelStats()(waveform).numpy(), statistics, rtol=1e-4, atol=1e-3)
    control = LogMelProjection(n_features=30)
    expected = relu(statistics @ control.linear.weight.numpy().T)
    np.testing.assert_allclose(control(waveform).numpy(), expected, rtol=1e-4, atol=1e-2)


def test_temporal_hears_loudness_over_time_only():
    frontend = Temporal()
    x = torch.randn(1, 96, 200)
    shuffled = x[:, torch.randperm(96)]
    torch.testing.assert_close(frontend.feature_maps(x)[0], frontend.feature_maps(shuffled)[0], rtol=1e-4, atol=1e-5)


# What holds for all.


def test_all_of_the_study_are_registered():
    assert set(CNNS) == set(FEATURES)
    assert set(ALL) - set(CNNS) == {"mfcc", "logmel_stats", "logmel_projection", "tempo"}


@pytest.mark.parametrize("name", CNNS)
def test_sizes_of_the_study(name):
    small, default, large = (FRONTENDS.create(name, **given) for given in ({"size": "small"}, {}, {"size": "large"}))
    assert (small.embedding_size, large.embedding_size) == FEATURES[name]
    assert small.min_samples == large.min_samples == SHORTEST[name]
    for parameter, same in zip(small.parameters(), default.parameters(), strict=True):
        assert torch.equal(parameter, same)
    given = FRONTENDS.create(name, n_filters=12)
    assert given.embedding_size * FRONTENDS.get(name).sizes["large"] == large.embedding_size * 12


@pytest.mark.parametrize("name", [name for name in ALL if hasattr(FRONTENDS.get(name), "sizes")])
def test_odd_sizes_are_refused(name):
    number = "n_features" if name == "logmel_projection" else "n_filters"
    with pytest.raises(ValueError, match=rf"size='large' and {number}=4 are both given"):
        FRONTENDS.create(name, size="large", **{number: 4})
    with pytest.raises(ValueError, match="size='huge'; expected one of small, large"):
        FRONTENDS.create(name, size="huge")
    for odd in (0, -4, 2.5, True):
        with pytest.raises(ValueError, match=rf"{number}={odd}; expected an integer of 1 or more"):
            FRONTENDS.create(name, **{number: odd})
    assert FRONTENDS.create(name, **{number: np.int64(8)}).embedding_size == (
        FRONTENDS.create(name, **{number: 8}).embedding_size
    )


@pytest.mark.parametrize("cls", [Temporal, TimbralTemporal])
@pytest.mark.parametrize(("n_filters", "nearest"), [(1, 4), (3, 4), (6, 8), (17, 16)])
def test_musical_filters_are_divisible_by_four(cls, n_filters, nearest):
    with pytest.raises(ValueError, match=rf"n_filters={n_filters}; expected a multiple of 4, as {nearest}"):
        cls(n_filters)
    assert cls(nearest).embedding_size % nearest == 0


@pytest.mark.parametrize(
    "lengths", ["gtzan", (165, 128, 64), (165, 128, 64, 0), (165, 128, 64, 3.5), (True, 2, 2, 2), 165, None]
)
def test_odd_lengths_are_refused(lengths):
    for cls in (Temporal, TimbralTemporal):
        with pytest.raises(ValueError, match=r"lengths=.*expected four numbers of frames"):
            cls(lengths=lengths)


@pytest.mark.parametrize("name", CNNS)
def test_lineage_is_told(name):
    cls = FRONTENDS.get(name)
    year = cls.reference.split(",")[0].split()[-1]
    assert year.isdigit()
    assert year in cls.__doc__
    assert cls.input in ("waveform", "spectrogram")
    assert cls.filters in ("minimal", "single", "many")
    assert cls.domain_knowledge is (cls.filters != "minimal")


@pytest.mark.parametrize("name", CNNS)
def test_maps_in_lower_precision(name, spectrogram):
    frontend = FRONTENDS.create(name, size="small")
    waveform = torch.randn(2, 40_000, generator=torch.Generator().manual_seed(0)) * 0.3
    waveform[1] *= torch.linspace(0, 1, 40_000)
    x = frontend.represent(waveform.repeat(1, 9)[:, : max(40_000, frontend.min_samples)])
    exact = frontend.feature_maps(x)
    with torch.autocast("cpu", torch.bfloat16):
        low = frontend.feature_maps(x)
    for found, wanted in zip(low, exact, strict=True):
        assert found.isfinite().all()
        assert (found.float() - wanted).abs().max() < 0.02 * wanted.abs().max()
