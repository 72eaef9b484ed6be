"""Padding of the input: by repetition, or by zeros like TensorFlow's *same*, with any stride."""

from torch import Tensor
from torch.nn.functional import pad

from .convolutions import Conv1d


def repeat_up_to(waveform: Tensor, n_samples: int) -> Tensor:
    """Repeat waveforms until they have a minimum length; leave longer ones unchanged.

    Args:
        waveform: Waveforms, `(batch, n)`.
        n_samples: Minimum length in samples.

    Returns:
        Waveforms, `(batch, max(n, n_samples))`.
    """
    if waveform.shape[1] >= n_samples:
        return waveform
    return waveform.repeat(1, -(-n_samples // waveform.shape[1]))[:, :n_samples]


def pad_same(x: Tensor, length: int, stride: int = 1) -> Tensor:
    """Pad so that a convolution gives one output for every `stride` inputs, with the smaller half on the left.

    For n inputs there are ceil(n / stride) outputs, which need (outputs - 1) * stride + length inputs.

    Args:
        x: Input, `(batch, n_channels, n)`.
        length: Filter length of the convolution that reads the result.
        stride: Stride of the convolution that reads the result.

    Returns:
        Padded input, `(batch, n_channels, n + padding)`.

    Example:
        >>> import torch
        >>> pad_same(torch.ones(1, 1, 5), length=4, stride=2)
        tensor([[[0., 1., 1., 1., 1., 1., 0., 0.]]])
    """
    n = x.shape[-1]
    n_outputs = -(-n // stride)
    total = max((n_outputs - 1) * stride + length - n, 0)
    return pad(x, (total // 2, total - total // 2))


class SameConv1d(Conv1d):
    """1-D convolution over `ceil(n / stride)` positions of an input of any length n, padded by `pad_same`.

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of filters.
        length: Length of the filters.
        stride: Step between positions.

    Shape:
        Input `(batch, in_channels, n)`, output `(batch, out_channels, ceil(n / stride))`.

    Example:
        >>> import torch
        >>> SameConv1d(1, 2, 512, stride=32)(torch.zeros(1, 1, 350_000)).shape
        torch.Size([1, 2, 10938])
    """

    def __init__(self, in_channels: int, out_channels: int, length: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, length, stride)

    def forward(self, x: Tensor, pool: int = 1, relu: bool = False) -> Tensor:
        """Pad and convolve, take the maximum of every `pool` positions, then apply ReLU if `relu` is set."""
        return super().forward(pad_same(x, self.kernel_size[0], self.stride[0]), pool, relu)
