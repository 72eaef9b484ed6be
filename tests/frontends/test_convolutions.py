"""Choice of the algorithm for a convolution, and its agreement with PyTorch."""

import copy

import pytest
import torch
from torch.nn.functional import conv1d, conv2d, max_pool2d
from untrained.frontends import convolutions, single_channel, winograd
from untrained.frontends.convolutions import Conv1d, Conv2d, choose_algorithm
from untrained.frontends.pooling import pool as pool_maps
from untrained.frontends.sample_level import SampleLevel

WAYS = [
    (Conv1d(1, 512, 3, stride=3), (1,), convolutions._by_positions),
    (Conv1d(1, 31, 3, stride=3), (1,), convolutions._by_pytorch),
    (Conv1d(128, 128, 3), (3,), winograd.over_time),
    (Conv1d(128, 128, 3), (4,), convolutions._by_pytorch),
    (Conv1d(128, 128, 3, stride=2), (1,), convolutions._by_pytorch),
    (Conv1d(127, 128, 7), (1,), convolutions._by_pytorch),
    (Conv2d(1, 16, (38, 7)), (59, 1), single_channel.tall_filters),
    (Conv2d(1, 15, (38, 7)), (59, 1), convolutions._by_pytorch),
    (Conv2d(1, 160, (38, 7)), (59, 2), single_channel.over_rows),
    (Conv2d(1, 160, (38, 1)), (59, 1), single_channel.over_rows),
    (Conv2d(1, 31, (38, 1)), (59, 1), convolutions._by_pytorch),
    (Conv2d(1, 32, 3), (2, 4), single_channel.over_rows),
    (Conv2d(128, 128, 3), (2, 4), convolutions._by_squares),
    (Conv2d(128, 128, (3, 1)), (2, 4), convolutions._by_pytorch),
]


@pytest.mark.parametrize(("conv", "pool", "way"), WAYS)
def test_the_fastest_algorithm_is_chosen(conv, pool, way):
    x = torch.zeros(1, conv.in_channels, *[96] * (conv.weight.ndim - 2))
    with torch.inference_mode():
        assert choose_algorithm(conv, x, pool) is way
    assert choose_algorithm(conv, x, pool) is convolutions._by_pytorch  # because of gradients
    with torch.inference_mode():
        assert choose_algorithm(conv, x.to("meta"), pool) is convolutions._by_pytorch


@pytest.mark.parametrize(("conv", "pool", "way"), [case for case in WAYS if case[2] is not convolutions._by_pytorch])
def test_maps_with_gradients_have_the_means_of_those_without(drawn, assert_as_torch, conv, pool, way):
    conv = copy.deepcopy(drawn(conv))
    x = torch.randn(1, conv.in_channels, *([96, 20] if conv.weight.ndim == 4 else [50]))
    with torch.inference_mode():
        expected = pool_maps(conv(x, *pool, True) if conv.weight.ndim == 3 else conv(x, pool, True), "mean")
    for learning in conv.parameters():  # each alone, as in a network that is partly frozen
        conv.requires_grad_(False)
        learning.requires_grad_(True)
        means = pool_maps(conv(x, *pool, True) if conv.weight.ndim == 3 else conv(x, pool, True), "mean")
        means.sum().backward()
        assert_as_torch(means, expected, 1e-5)
        assert learning.grad.any()


@pytest.mark.parametrize("pool", [(1, 1), (3, 1), (2, 4), (12, 1)])
@pytest.mark.parametrize("relu", [False, True])
def test_pooling_of_few_filters_equals_pytorch(drawn, pool, relu):
    conv = drawn(Conv2d(1, 7, (3, 3)))
    x = torch.randn(2, 1, 14, 20)
    expected = max_pool2d(conv2d(x, conv.weight, conv.bias), pool)
    torch.testing.assert_close(conv(x, pool, relu), expected.relu() if relu else expected)


@pytest.mark.parametrize("conv", [Conv1d(1, 6, 3), Conv1d(4, 6, 3), Conv2d(1, 6, 3), Conv2d(4, 6, 3)])
def test_a_wrong_number_of_channels_is_refused_like_in_pytorch(monkeypatch, drawn, assert_as_torch, conv):
    for name in ("_WIDE", "_MANY"):
        monkeypatch.setattr(convolutions, name, 1)
    drawn(conv)
    size = [20] * (conv.weight.ndim - 2)
    with pytest.raises(RuntimeError, match="channels"):
        conv(torch.zeros(2, 3, *size))
    alone = torch.randn(conv.in_channels, *size)
    assert_as_torch(conv(alone), conv(alone[None])[0])


def test_other_precisions_and_gradients_use_pytorch(monkeypatch, drawn):
    monkeypatch.setattr(convolutions, "_WIDE", 1)
    conv = drawn(Conv1d(4, 6, 3))
    x = torch.randn(1, 4, 50)
    assert torch.equal(conv.double()(x.double()), conv1d(x.double(), conv.weight, conv.bias))
    conv.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    x.requires_grad_()
    conv(x, relu=True).sum().backward()
    assert x.grad is not None


def test_a_clip_is_the_same_in_any_batch():
    frontend = SampleLevel(n_filters=128)
    x = torch.randn(3, 20_000, generator=torch.Generator().manual_seed(0))
    together = frontend(x)
    for clip, expected in zip(x, together, strict=True):
        torch.testing.assert_close(frontend(clip[None])[0], expected, rtol=1e-5, atol=1e-6)
