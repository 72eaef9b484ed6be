import numpy as np
from untrained.frontends.sample_level import SampleLevel


def relu(x):
    return np.maximum(x, 0)


def pooled(x, length):
    n = x.shape[1] // length
    return x[:, : n * length].reshape(len(x), n, length).max(2)


def test_sample_level_as_described(waveform, correlate, with_biases, assert_same_maps):
    frontend = with_biases(SampleLevel(n_filters=4))
    first, *deeper = frontend.convs
    maps = [relu(correlate(waveform[None], first, stride=3))]
    for conv in deeper:
        maps.append(pooled(relu(correlate(maps[-1], conv, ((1, 1),))), 3))
    assert_same_maps(frontend, waveform, maps)
