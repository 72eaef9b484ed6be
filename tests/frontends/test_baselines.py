import numpy as np
import torch
from untrained.frontends import LogMel
from untrained.frontends.baselines import LogMelProjection, LogMelStats


def relu(x):
    return np.maximum(x, 0)


def test_controls_are_statistics_of_the_log_mel_bands():
    waveform = torch.randn(2, 12_000)
    bands = LogMel()(waveform).numpy()
    statistics = np.concatenate([bands.mean(2), bands.std(2)], axis=1)
    np.testing.assert_allclose(LogMelStats()(waveform).numpy(), statistics, rtol=1e-4, atol=1e-3)
    control = LogMelProjection(n_features=30)
    expected = relu(statistics @ control.linear.weight.numpy().T)
    np.testing.assert_allclose(control(waveform).numpy(), expected, rtol=1e-4, atol=1e-2)
