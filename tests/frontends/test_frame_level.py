import numpy as np
import torch
from untrained.frontends.frame_level import FrameLevel, FrameLevelMany


def relu(x):
    return np.maximum(x, 0)


def pooled(x, length):
    n = x.shape[1] // length
    return x[:, : n * length].reshape(len(x), n, length).max(2)


def test_collapsed_layers_reproduce_the_mistake_of_the_study(reference, maps_with_its_weights):
    data = reference("frame_level_many")
    frontend = FrameLevelMany(n_filters=4, collapse_deep=True)
    maps_with_its_weights(frontend, data)
    embedding = frontend(torch.from_numpy(data["x"][..., 0])).numpy()
    expected = np.concatenate([data[f"f{layer}"] for layer in range(8)], axis=1)
    assert np.abs(embedding - expected).max() < 1e-5 * np.abs(expected).max()
    informative = FrameLevel(size="large", collapse_deep=True)(torch.randn(1, 20_000))[0] != 0
    assert 896 + 3 - 100 < informative.sum() <= 896 + 3  # a map of the first layer may be zero


def test_frame_level_as_described(waveform, correlate, with_biases, assert_same_maps):
    frontend = with_biases(FrameLevel(n_filters=4))
    second, third, fourth = frontend.deep
    first = relu(correlate(waveform[None], frontend.conv, stride=32))
    h = relu(correlate(first, second))
    residual = h + relu(correlate(h, third, ((3, 3),)))
    p = pooled(residual, 2)
    assert_same_maps(frontend, waveform, [first, h, residual, p + relu(correlate(p, fourth, ((3, 3),)))])


def test_maps_equal_the_original(assert_maps_equal_the_original):
    assert_maps_equal_the_original(
        "frame_level_many", FrameLevelMany(n_filters=4), {layer: layer for layer in range(8)}
    )
