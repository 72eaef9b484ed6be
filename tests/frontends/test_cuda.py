"""Algorithms for graphics cards, run on a CPU, where they must give the same maps as PyTorch."""

import pytest
import torch
from torch import nn
from untrained.frontends import cuda
from untrained.frontends.convolutions import Conv1d, Conv2d
from untrained.frontends.precision import float32_products

LAYERS = [
    (Conv1d(1, 130, 16, stride=4), (1,), cuda.over_time),
    (Conv1d(1, 130, 3, stride=3, padding=1), (3,), cuda.over_time),
    (Conv1d(1, 6, 16), (1,), None),
    (Conv1d(131, 133, 7, padding=3), (2,), cuda.many_channels),
    (Conv2d(131, 133, 3, padding=1), (2, 4), cuda.many_channels),
    (Conv2d(131, 133, (3, 1)), (1, 1), cuda.many_channels),
    (Conv2d(12, 133, 3), (1, 1), None),
    (Conv2d(1, 600, (20, 7)), (5, 1), cuda.over_rows),
    (Conv2d(1, 33, (24, 3), padding=(0, 1)), (1, 1), cuda.over_rows),
    (Conv2d(1, 33, 3, padding=1), (2, 4), cuda.over_rows),
    (Conv2d(1, 33, 3, stride=2), (1, 1), None),
]


@pytest.mark.parametrize("tf32", [False, True])
@pytest.mark.parametrize("bytes_at_a_time", [1, 2**29])
@pytest.mark.parametrize(("conv", "pool", "way"), LAYERS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_maps_are_those_of_pytorch(monkeypatch, drawn, conv, pool, way, bytes_at_a_time, tf32):
    monkeypatch.setattr(cuda, "_MOST_BYTES", bytes_at_a_time)
    monkeypatch.setattr(cuda, "_POSITIONS", 100)
    assert cuda.choose(conv) is way
    drawn(conv)
    x = torch.randn(3, conv.in_channels, *(([24] if conv.weight.ndim == 4 else []) + [261]))
    with torch.inference_mode(), float32_products(tf32=tf32):  # without effect on a CPU
        plain = nn.Conv1d.forward(conv, x) if conv.weight.ndim == 3 else nn.Conv2d.forward(conv, x)
        pooled = nn.MaxPool1d(pool)(plain) if conv.weight.ndim == 3 else nn.MaxPool2d(pool)(plain)
        for relu in (False, True):
            expected = pooled.relu() if relu else pooled
            if way is not None:
                error = (way(conv, x, pool, relu) - expected).abs().max()
                assert error < 1e-5 * expected.abs().max()
