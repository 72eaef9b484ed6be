import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import conv1d
from untrained.frontends.padding import SameConv1d, pad_same


@given(st.integers(1, 600), st.integers(1, 70), st.integers(1, 40))
def test_same_gives_one_output_for_every_stride(n, length, stride):
    padded = pad_same(torch.ones(1, 1, n), length, stride)
    n_outputs = -(-n // stride)
    assert SameConv1d(1, 2, length, stride=stride)(torch.ones(1, 1, n)).shape == (1, 2, n_outputs)
    before, after = _zeros(padded[0, 0]), _zeros(padded[0, 0].flip(0))
    assert before + n + after == padded.shape[2]
    assert after - before in (0, 1)  # the smaller half is on the left
    # The padding is minimal: with one zero less, there would be one output less.
    assert before + after == 0 or (padded.shape[2] - 1 - length) // stride + 1 < n_outputs


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # the copy that PyTorch then makes is harmless
@given(st.integers(1, 100), st.integers(1, 20))
def test_at_stride_one_it_equals_pytorch(n, length):
    x = torch.randn(1, 1, n)
    weight = torch.randn(1, 1, length)
    torch.testing.assert_close(conv1d(pad_same(x, length), weight), conv1d(x, weight, padding="same"))


def test_at_the_study_s_length_the_halves_are_equal():
    """For 350,000 samples, the total padding is the filter length minus 16 (Pons & Serra 2018)."""
    for length in (512, 256, 128, 64, 32):
        padded = pad_same(torch.ones(1, 1, 350_000), length, 32)[0, 0]
        assert _zeros(padded) == _zeros(padded.flip(0)) == (length - 16) // 2


def _zeros(x):
    """Return the number of zeros before the first other value."""
    return int(x.nonzero()[0])
