"""Log-mel spectrograms and MFCCs against their definition in NumPy, in float64."""

import numpy as np
import pytest
import torch
from scipy.fft import dct
from untrained.frontends import LogMel
from untrained.frontends.baselines import MFCC, LogMelStats

RATE = 12_000
SECONDS = np.arange(3 * RATE) / RATE


def slaney_filters(n_fft, n_mels):
    """Triangles of equal area, linear in frequency up to 1 kHz and logarithmic above (Slaney 1998)."""

    def to_mel(hertz):
        return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)

    mels = np.linspace(0, to_mel(RATE / 2), n_mels + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((np.maximum(mels, 15) - 15) / 27))
    bins = np.arange(n_fft // 2 + 1) * RATE / n_fft
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])[:, None]


def logmel(waveform, n_fft=512, hop=256, n_mels=96):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    padded = np.pad(waveform.astype(np.float64), n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    decibels = 10 * np.log10(np.maximum(1e-10, slaney_filters(n_fft, n_mels) @ power.T))
    return np.maximum(decibels, decibels.max() - 80)


def mfcc(waveform):
    values = dct(logmel(waveform, 2048, 512, 128), axis=0, norm="ortho")[:20]
    series = [values, np.diff(values), np.diff(values, n=2)]
    return np.concatenate([number for part in series for number in (part.mean(1), part.std(1))])


SIGNALS = {
    "noise": np.random.default_rng(0).standard_normal(len(SECONDS)),
    "silence": np.zeros(len(SECONDS)),
    "constant": np.full(len(SECONDS), 0.5),
    "quiet tone": 1e-4 * np.sin(2 * np.pi * 440 * SECONDS),
    "slow sweep": np.sin(2 * np.pi * (50 * SECONDS + 500 * SECONDS**2)),
    "fast sweep": np.sin(2 * np.pi * (100 * SECONDS + 900 * SECONDS**2)),
    "bursts": np.random.default_rng(1).standard_normal(len(SECONDS)) * (SECONDS % 1 < 0.1),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_logmel_is_as_defined(name):
    waveform = SIGNALS[name].astype(np.float32)
    expected = logmel(waveform)
    error = np.abs(LogMel()(torch.from_numpy(waveform)[None])[0].numpy() - expected)
    # Near the floor, the rounding error of a float32 transform with louder bands is larger.
    loud = expected > expected.max() - 60
    assert error[loud].max() < 1e-3
    assert error.max() < 2e-3


@pytest.mark.parametrize("name", SIGNALS)
def test_mfcc_is_as_defined(name):
    waveform = SIGNALS[name].astype(np.float32)
    error = np.abs(MFCC()(torch.from_numpy(waveform)[None])[0].numpy() - mfcc(waveform))
    assert error.max() < 5e-4


@pytest.mark.parametrize("frontend", [LogMel(), MFCC(), LogMelStats()], ids=["logmel", "mfcc", "logmel_stats"])
def test_a_quiet_clip_beside_a_loud_one_is_unchanged(frontend):
    waveform = torch.randn(2, 12_000, generator=torch.Generator().manual_seed(0))
    waveform[1] *= 1e-5  # 100 dB quieter
    torch.testing.assert_close(frontend(waveform)[1:], frontend(waveform[1:]), rtol=1e-5, atol=1e-3)


def test_logmel_equals_the_original(reference):
    data = reference("logmel")
    logmel = LogMel()(torch.tensor(data["y"], dtype=torch.float32)[None])[0]
    assert logmel.shape == (96, 235)
    assert np.abs(logmel.T.numpy() - data["S"]).max() < 1e-3
