"""The front-ends of the study against the original code's numbers."""

import numpy as np
import pytest
import torch
from untrained.frontends import LogMel
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.frontends.vgg import VGG


def test_logmel_equals_the_original(reference):
    data = reference("logmel")
    logmel = LogMel()(torch.tensor(data["y"], dtype=torch.float32)[None])[0]
    assert logmel.shape == (96, 235)
    assert np.abs(logmel.T.numpy() - data["S"]).max() < 1e-3


@pytest.mark.parametrize("front_end", [LogMel(), MFCC()], ids=["logmel", "mfcc"])
def test_a_quiet_clip_beside_a_loud_one_is_unchanged(front_end):
    waveform = torch.randn(2, 12_000)
    waveform[1] *= 1e-5  # 100 dB quieter
    torch.testing.assert_close(front_end(waveform)[1:], front_end(waveform[1:]), rtol=1e-5, atol=1e-3)


def test_vgg_equals_the_original(reference):
    data = reference("vgg")
    front_end = VGG(n_filters=6)
    stored = iter(sorted(name for name in data if name[0] == "w"))
    for conv in front_end.convs:
        conv.weight.copy_(torch.from_numpy(data[next(stored)]).permute(3, 2, 1, 0))
        conv.bias.copy_(torch.from_numpy(data[next(stored)]))
    maps = front_end.feature_maps(torch.from_numpy(data["x"]).transpose(1, 2))
    assert len(maps) == 5
    for layer, found in enumerate(maps):
        channels_last = found.permute(0, 3, 2, 1).numpy()
        assert channels_last.shape == tuple(data[f"shape{layer}"])
        largest = np.abs(channels_last).max()
        for part, expected in (
            (channels_last.mean((1, 2)), data[f"f{layer}"]),
            (channels_last[:, :3], data[f"head{layer}"]),
            (channels_last[:, -3:], data[f"tail{layer}"]),
        ):
            assert np.abs(part - expected).max() < 1e-5 * largest


def test_sizes_of_the_study():
    assert (VGG(32).embedding_size, VGG(717).embedding_size) == (160, 3585)
    assert (Temporal(8).embedding_size, Temporal(256).embedding_size) == (112, 3584)
    assert VGG().min_samples == 1279 * 256
    assert [conv.weight.shape[0] for conv in Temporal(8).convs] == [6, 14, 30, 62]


def test_temporal_hears_loudness_over_time_only():
    front_end = Temporal()
    (maps,) = front_end.feature_maps(torch.randn(1, 96, 300))
    assert maps.shape == (1, 112, 300)
    x = torch.randn(1, 96, 200)
    shuffled = x[:, torch.randperm(96)]
    torch.testing.assert_close(front_end.feature_maps(x)[0], front_end.feature_maps(shuffled)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_filters", [0, 3, 6])
def test_temporal_refuses_odd_sizes(n_filters):
    with pytest.raises(ValueError, match=rf"n_filters={n_filters}; expected a multiple of 4"):
        Temporal(n_filters)


def test_mfcc_equals_an_independent_computation():
    """Against scipy's DCT and plain NumPy on the log-mel spectrogram of the same parameters."""
    from scipy.fft import dct

    waveform = torch.randn(1, 30_000)
    logmel = LogMel(n_fft=2048, hop_length=512, n_mels=128)(waveform)[0].numpy()
    mfcc = dct(logmel, axis=0, norm="ortho")[:20]
    series = [mfcc, np.diff(mfcc), np.diff(mfcc, n=2)]
    expected = np.concatenate([number for part in series for number in (part.mean(1), part.std(1))])
    np.testing.assert_allclose(MFCC()(waveform)[0].numpy(), expected, atol=1e-3)
    assert len(MFCC.feature_names) == MFCC().embedding_size == 120


@pytest.mark.parametrize("front_end", [VGG(2), Temporal(), MFCC()], ids=["vgg", "temporal", "mfcc"])
@pytest.mark.parametrize("n_samples", [1, 700, 5000])
def test_finite_on_silence_constants_and_noise(front_end, n_samples):
    noise = torch.where(torch.randn(1, n_samples) > 0, 1.0, -1.0)
    waveform = torch.cat([torch.zeros(1, n_samples), torch.ones(1, n_samples), noise])
    embedding = front_end(waveform)
    assert embedding.shape == (3, front_end.embedding_size)
    assert embedding.isfinite().all()
