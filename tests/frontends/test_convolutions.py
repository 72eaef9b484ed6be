"""The fast ways of convolving give what PyTorch's own give, whatever the sizes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv1d, conv2d, max_pool1d, max_pool2d
from untrained.frontends import convolutions
from untrained.frontends.convolutions import Conv1d, Conv2d, _transforms
from untrained.frontends.frame_level import FrameLevel
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.vgg import VGG


def assert_as_torch(found, expected, tolerance=1e-4):
    """The error is below a part of the layer's largest value."""
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


def drawn(conv, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in conv.parameters():
        parameter.requires_grad_(False).copy_(torch.randn(parameter.shape, generator=generator))
    return conv


@pytest.fixture(autouse=True)
def everything_is_wide(monkeypatch):
    monkeypatch.setattr(convolutions, "_WIDE", 1)
    monkeypatch.setattr(convolutions, "_MANY", 1)
    monkeypatch.setattr(convolutions, "_TILES", 5)
    monkeypatch.setattr(convolutions, "_FILTERS", 3)


@pytest.mark.parametrize(("length", "pool"), [(3, 1), (3, 2), (3, 3), (3, 5), (7, 1), (7, 2), (5, 1)])
@pytest.mark.parametrize("channels_last", [False, True])
@given(n=st.integers(12, 90), padding=st.integers(0, 4), batch=st.integers(1, 2))
@settings(max_examples=15, deadline=None)
def test_over_time(length, pool, channels_last, n, padding, batch):
    conv = drawn(Conv1d(4, 6, length, padding=padding))
    x = torch.randn(batch, 4, n, generator=torch.Generator().manual_seed(n))
    expected = conv1d(x.double(), conv.weight.double(), conv.bias.double(), padding=padding)
    x = x.mT.contiguous().mT if channels_last else x
    assert_as_torch(conv(x, pool), max_pool1d(expected, pool).float())


@given(rows=st.integers(5, 40), columns=st.integers(5, 40), padding=st.integers(0, 2), batch=st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_squares(rows, columns, padding, batch):
    conv = drawn(Conv2d(3, 5, 3, padding=padding))
    x = torch.randn(batch, 3, rows, columns, generator=torch.Generator().manual_seed(rows))
    expected = conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=padding)
    assert_as_torch(conv(x), expected.float())
    assert_as_torch(conv(x, (2, 3)), max_pool2d(expected, (2, 3)).float())


@given(
    rows=st.integers(8, 30), columns=st.integers(8, 30), height=st.integers(1, 6), width=st.sampled_from([1, 3, 7]),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 2)), transposed=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_one_channel(rows, columns, height, width, pool, transposed):
    conv = drawn(Conv2d(1, 7, (height, width), padding=(0, width // 2)))
    x = torch.randn(2, 1, rows, columns, generator=torch.Generator().manual_seed(rows))
    x = x.mT.contiguous().mT if transposed else x
    expected = max_pool2d(conv2d(x, conv.weight, conv.bias, padding=conv.padding), pool)
    assert_as_torch(conv(x, pool), expected, 1e-5)


@pytest.mark.parametrize("pool", [(1, 1), (3, 1), (2, 4), (12, 1)])
def test_few_filters_are_pooled_as_by_pytorch(monkeypatch, pool):
    monkeypatch.undo()
    conv = drawn(Conv2d(1, 7, (3, 3)))
    x = torch.randn(2, 1, 14, 20)
    torch.testing.assert_close(conv(x, pool), max_pool2d(conv2d(x, conv.weight, conv.bias), pool))


@pytest.mark.parametrize(("length", "stride", "padding"), [(3, 3, 0), (512, 32, 0), (9, 1, 4), (1, 1, 0)])
def test_one_channel_over_time(length, stride, padding):
    conv = drawn(Conv1d(1, 6, length, stride=stride, padding=padding))
    x = torch.randn(2, 1, 700, generator=torch.Generator().manual_seed(0))
    assert_as_torch(conv(x), conv1d(x, conv.weight, conv.bias, stride, padding), 1e-5)


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_the_layers_of_the_study_are_within_a_fifty_thousandth(monkeypatch, offset):
    monkeypatch.undo()
    generator = torch.Generator().manual_seed(0)
    for frontend, shape in (
        (SampleLevel(size="large").convs[3], (1, 512, 999)),
        (FrameLevel(size="large").deep[1], (1, 896, 500)),
        (VGG(size="large").convs[1], (1, 717, 24, 86)),
    ):
        x = torch.randn(shape, generator=generator).relu() + offset
        convolve = {3: conv1d, 4: conv2d}[x.ndim]
        reference = convolve(x.double(), frontend.weight.double(), padding=frontend.padding).float()
        found = frontend(x)
        assert not torch.equal(found, convolve(x, frontend.weight, padding=frontend.padding))  # it is another way
        assert_as_torch(found, reference, 2e-5)


@pytest.mark.parametrize("conv", [Conv1d(1, 6, 3), Conv1d(4, 6, 3), Conv2d(1, 6, 3), Conv2d(4, 6, 3)])
def test_other_numbers_of_channels_are_refused_as_by_pytorch(conv):
    drawn(conv)
    size = [20] * (conv.weight.ndim - 2)
    with pytest.raises(RuntimeError, match="channels"):
        conv(torch.zeros(2, 3, *size))
    alone = torch.randn(conv.in_channels, *size)
    assert_as_torch(conv(alone), conv(alone[None])[0])


def test_long_filters_meet_some_positions_at_a_time(monkeypatch):
    monkeypatch.setattr(convolutions, "_MOST_MET", 100)
    conv = drawn(Conv1d(1, 6, 9, padding=4))
    x = torch.randn(2, 1, 300)
    assert_as_torch(conv(x), conv1d(x, conv.weight, conv.bias, padding=4), 1e-5)


def test_other_precisions_and_gradients_go_pytorchs_way():
    conv = drawn(Conv1d(4, 6, 3))
    x = torch.randn(1, 4, 50)
    assert torch.equal(conv.double()(x.double()), conv1d(x.double(), conv.weight, conv.bias))
    conv.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    x.requires_grad_()
    conv(x).sum().backward()
    assert x.grad is not None


def test_a_clip_is_the_same_in_any_batch(monkeypatch):
    monkeypatch.undo()
    frontend = SampleLevel(n_filters=128)
    x = torch.randn(3, 20_000, generator=torch.Generator().manual_seed(0))
    together = frontend(x)
    for clip, expected in zip(x, together, strict=True):
        torch.testing.assert_close(frontend(clip[None])[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("n_outputs", "length"), [(6, 3), (4, 3), (4, 7)])
def test_transforms_of_a_tile(n_outputs, length):
    from_filter, from_input, to_output = (matrix.double() for matrix in _transforms(n_outputs, length))
    taps = torch.arange(1.0, length + 1, dtype=torch.float64)
    inputs = torch.arange(n_outputs + length - 1, dtype=torch.float64) ** 2
    found = to_output @ ((from_filter @ taps) * (from_input @ inputs))
    torch.testing.assert_close(found, inputs.unfold(0, length, 1) @ taps, rtol=1e-4, atol=1e-3)


def test_input_that_is_too_short_is_refused():
    for conv, x in (
        (drawn(Conv1d(4, 6, 7)), torch.zeros(1, 4, 6)),
        (drawn(Conv2d(4, 6, 3)), torch.zeros(1, 4, 2, 9)),
        (drawn(Conv2d(1, 6, 3)), torch.zeros(1, 1, 2, 9)),
    ):
        with pytest.raises((ValueError, RuntimeError)):
            conv(x)
