import numpy as np
import pytest
import torch
from untrained.frontends.musical import Temporal, Timbral, TimbralTemporal


def relu(x):
    return np.maximum(x, 0)


def timbral_maps(correlate, convs, x):
    frames = [3, 1, 0, 3, 1, 0]
    return [relu(correlate(x[None], conv, ((0, 0), (n, n)))).max(1) for conv, n in zip(convs, frames, strict=True)]


def temporal_maps(correlate, convs, x, lengths):
    loudness = x.mean(0, keepdims=True)
    paddings = [((length - 1) // 2, length // 2) for length in lengths]
    return [relu(correlate(loudness, conv, (padding,))) for conv, padding in zip(convs, paddings, strict=True)]


def test_timbral_as_described(spectrogram, correlate, with_biases, assert_same_maps):
    frontend = with_biases(Timbral(n_filters=2))
    shapes = [(2, 86, 7), (4, 86, 3), (8, 86, 1), (2, 38, 7), (4, 38, 3), (8, 38, 1)]
    assert [(len(conv.weight), *conv.weight.shape[2:]) for conv in frontend.timbral] == shapes
    assert_same_maps(frontend, spectrogram, [np.concatenate(timbral_maps(correlate, frontend.timbral, spectrogram))])


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({}, (165, 128, 64, 32)),
        ({"lengths": "urbansound8k"}, (64, 32, 16, 8)),
        ({"lengths": (9, 4, 2, 1)}, (9, 4, 2, 1)),
    ],
)
def test_temporal_as_described(spectrogram, given, lengths, correlate, with_biases, assert_same_maps):
    frontend = with_biases(Temporal(n_filters=8, **given))
    assert [len(conv.weight) for conv in frontend.temporal] == [6, 14, 30, 62]
    assert_same_maps(
        frontend, spectrogram, [np.concatenate(temporal_maps(correlate, frontend.temporal, spectrogram, lengths))]
    )


def test_timbral_temporal_as_described(spectrogram, correlate, with_biases, assert_same_maps):
    frontend = with_biases(TimbralTemporal(n_filters=4))
    maps = [
        *timbral_maps(correlate, frontend.timbral, spectrogram),
        *temporal_maps(correlate, frontend.temporal, spectrogram, (165, 128, 64, 32)),
    ]
    assert_same_maps(frontend, spectrogram, [np.concatenate(maps)])


def test_temporal_depends_on_loudness_over_time_only():
    frontend = Temporal()
    x = torch.randn(1, 96, 200)
    shuffled = x[:, torch.randperm(96)]
    torch.testing.assert_close(frontend.feature_maps(x)[0], frontend.feature_maps(shuffled)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cls", [Temporal, TimbralTemporal])
@pytest.mark.parametrize(("n_filters", "nearest"), [(1, 4), (3, 4), (6, 8), (17, 16)])
def test_the_number_of_filters_must_be_divisible_by_four(cls, n_filters, nearest):
    with pytest.raises(ValueError, match=rf"n_filters={n_filters}; expected a multiple of 4, such as {nearest}"):
        cls(n_filters)
    assert cls(nearest).embedding_size % nearest == 0


@pytest.mark.parametrize(
    "lengths", ["gtzan", (165, 128, 64), (165, 128, 64, 0), (165, 128, 64, 3.5), (True, 2, 2, 2), 165, None]
)
def test_invalid_lengths_are_refused(lengths):
    for cls in (Temporal, TimbralTemporal):
        with pytest.raises(ValueError, match=r"lengths=.*expected four numbers of frames"):
            cls(lengths=lengths)
