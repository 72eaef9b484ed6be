"""Matrix products over a single channel equal the convolutions of PyTorch for all sizes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv1d, conv2d, max_pool2d
from untrained.frontends import convolutions, single_channel
from untrained.frontends.convolutions import Conv1d, Conv2d
from untrained.frontends.vertical import Vertical7x86


@pytest.fixture(autouse=True)
def everything_is_many(monkeypatch):
    for name in ("_MANY", "_MANY_TALL"):
        monkeypatch.setattr(convolutions, name, 1)
    for name, value in {"_TILES": 5, "_FILTERS": 3, "_TALL_FILTERS": 3, "_VALUES": 100}.items():
        monkeypatch.setattr(single_channel, name, value)


@given(
    rows=st.integers(8, 30), columns=st.integers(8, 30), height=st.integers(1, 6), width=st.sampled_from([1, 3, 7]),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 2)), transposed=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_over_rows(drawn, assert_as_torch, rows, columns, height, width, pool, transposed):
    conv = drawn(Conv2d(1, 7, (height, width), padding=(0, width // 2)))
    x = torch.randn(2, 1, rows, columns, generator=torch.Generator().manual_seed(rows))
    x = x.mT.contiguous().mT if transposed else x
    expected = max_pool2d(conv2d(x, conv.weight, conv.bias, padding=conv.padding), pool)
    assert_as_torch(conv(x, pool), expected, 1e-5)


@pytest.mark.parametrize("length", [3, 7])
@pytest.mark.parametrize("has_bias", [False, True])
@given(
    columns=st.integers(8, 80), height=st.integers(4, 9), padding=st.tuples(st.integers(0, 2), st.integers(0, 4)),
    pool=st.integers(1, 4), relu=st.booleans(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_tall_filters(drawn, assert_as_torch, length, has_bias, columns, height, padding, pool, relu):
    conv = drawn(Conv2d(1, 7, (height, length), padding=padding, bias=has_bias))
    x = torch.randn(2, 1, 14, columns, generator=torch.Generator().manual_seed(columns))
    expected = max_pool2d(conv2d(x.double(), *(p.double() for p in conv.parameters()), padding=padding), (pool, 1))
    expected = expected.relu() if relu else expected
    assert_as_torch(single_channel.tall_filters(conv, x, (pool, 1), relu), expected.float(), 1e-4)


@pytest.mark.parametrize(("scale", "offset"), [(3.0, 0.0), (0.5, 10.0), (3.0, -80.0), (0.0, 0.0)])
def test_tall_filters_of_the_study_on_loud_and_silent_input(monkeypatch, assert_as_torch, scale, offset):
    """The error of means, which are in the embedding, is within 1e-6 of the largest; that of maps is within 2e-5."""
    monkeypatch.undo()
    x = scale * torch.randn(1, 96, 300, generator=torch.Generator().manual_seed(0)).abs() + offset
    frontend = Vertical7x86(n_filters=64)
    conv = frontend.conv
    expected = conv2d(x[:, None].double(), conv.weight.double(), conv.bias.double()).amax(2, keepdim=True).relu()
    (found,) = frontend.feature_maps(x)
    assert_as_torch(found.double(), expected, 2e-5)
    assert_as_torch(found.double().mean(3), expected.mean(3), 1e-6)
    twice = frontend.feature_maps(torch.cat([x.flip(2), x]))[0]
    assert torch.equal(twice[1:], found)  # whatever else is in the batch


def test_values_that_are_not_finite_affect_only_the_tiles_that_read_them(drawn):
    conv = drawn(Conv2d(1, 7, (40, 7)))
    x = torch.randn(1, 1, 50, 90)
    expected = conv(x, (11, 1))
    x[..., 41] = torch.nan
    found = conv(x, (11, 1))
    is_nan = found.isnan()[0, :, 0].all(0)
    assert is_nan[35:42].all()
    assert is_nan.sum() <= 12  # tiles of 6 outputs that share 12 inputs
    assert torch.equal(found[..., ~is_nan], expected[..., ~is_nan])


@pytest.mark.parametrize(("length", "stride", "padding"), [(3, 3, 0), (512, 32, 0), (9, 1, 4), (1, 1, 0)])
def test_over_time(drawn, assert_as_torch, length, stride, padding):
    conv = drawn(Conv1d(1, 6, length, stride=stride, padding=padding))
    x = torch.randn(2, 1, 700, generator=torch.Generator().manual_seed(0))
    expected = conv1d(x, conv.weight, conv.bias, stride, padding)
    assert_as_torch(conv(x), expected, 1e-5)
    assert_as_torch(conv(x, 2, relu=True), torch.nn.functional.max_pool1d(expected, 2).relu(), 1e-5)


def test_input_that_is_too_short_is_refused(drawn):
    for conv, x in (
        (drawn(Conv2d(1, 6, 3)), torch.zeros(1, 1, 2, 9)),
        (drawn(Conv2d(1, 6, (32, 3))), torch.zeros(1, 1, 31, 9)),
        (drawn(Conv2d(1, 6, (32, 3))), torch.zeros(1, 1, 40, 2)),
    ):
        with pytest.raises(ValueError, match="too short"):
            conv(x)
