"""Convolutions with fewer products equal those of PyTorch for all sizes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv1d, conv2d, max_pool1d, max_pool2d
from untrained.frontends import convolutions, winograd
from untrained.frontends.convolutions import Conv1d, Conv2d
from untrained.frontends.frame_level import FrameLevel
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.vgg import VGG
from untrained.frontends.winograd import transforms


@pytest.fixture(autouse=True)
def everything_is_wide(monkeypatch):
    monkeypatch.setattr(convolutions, "_WIDE", 1)
    monkeypatch.setattr(winograd, "_TILES", 5)


@pytest.mark.parametrize(("length", "pool"), [(3, 1), (3, 2), (3, 3), (3, 5), (7, 1), (7, 2), (5, 1)])
@pytest.mark.parametrize("channels_last", [False, True])
@given(n=st.integers(12, 90), padding=st.integers(0, 4), batch=st.integers(1, 2))
@settings(max_examples=15, deadline=None)
def test_over_time(drawn, assert_as_torch, length, pool, channels_last, n, padding, batch):
    conv = drawn(Conv1d(4, 6, length, padding=padding))
    x = torch.randn(batch, 4, n, generator=torch.Generator().manual_seed(n))
    expected = conv1d(x.double(), conv.weight.double(), conv.bias.double(), padding=padding)
    x = x.mT.contiguous().mT if channels_last else x
    assert_as_torch(conv(x, pool), max_pool1d(expected, pool).float())


@given(rows=st.integers(5, 40), columns=st.integers(5, 40), padding=st.integers(0, 2), batch=st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_squares(drawn, assert_as_torch, rows, columns, padding, batch):
    conv = drawn(Conv2d(3, 5, 3, padding=padding))
    x = torch.randn(batch, 3, rows, columns, generator=torch.Generator().manual_seed(rows))
    expected = conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=padding)
    assert_as_torch(conv(x), expected.float())
    assert_as_torch(conv(x, (2, 3), relu=True), max_pool2d(expected, (2, 3)).relu().float())


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_the_error_in_layers_of_the_study_is_below_a_fifty_thousandth(monkeypatch, assert_as_torch, offset):
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
        assert not torch.equal(
            found, convolve(x, frontend.weight, padding=frontend.padding)
        )  # another algorithm was used
        assert_as_torch(found, reference, 2e-5)


def test_values_that_are_not_finite_affect_only_the_tiles_that_read_them(drawn):
    conv = drawn(Conv1d(4, 6, 7, padding=3))
    x = torch.randn(1, 4, 90)
    expected = conv(x)
    x[0, 2, 41] = torch.inf
    found = conv(x)
    direct = conv1d(x, conv.weight, conv.bias, padding=3)
    touched = ~found[0].isfinite().all(0)
    assert touched[~direct[0].isfinite().all(0)].all()
    assert touched.sum() <= 12  # tiles of 4 outputs that share 10 inputs
    assert torch.equal(found[0, :, ~touched], expected[0, :, ~touched])


@pytest.mark.parametrize(("n_outputs", "length"), [(6, 3), (4, 3), (8, 3), (4, 7), (6, 7)])
def test_transforms_of_a_tile(n_outputs, length):
    from_filter, from_input, to_output = (matrix.double() for matrix in transforms(n_outputs, length))
    taps = torch.arange(1.0, length + 1, dtype=torch.float64)
    inputs = torch.arange(n_outputs + length - 1, dtype=torch.float64) ** 2
    found = to_output @ ((from_filter @ taps) * (from_input @ inputs))
    torch.testing.assert_close(found, inputs.unfold(0, length, 1) @ taps, rtol=1e-4, atol=1e-3)


def test_input_that_is_too_short_is_refused(drawn):
    for conv, x in (
        (drawn(Conv1d(4, 6, 7)), torch.zeros(1, 4, 6)),
        (drawn(Conv2d(4, 6, 3)), torch.zeros(1, 4, 2, 9)),
    ):
        with pytest.raises(ValueError, match="too short"):
            conv(x)
