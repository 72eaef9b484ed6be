"""PyTorch's convolutions, accelerated for layers that are wide or have a single input channel.

Besides the necessary multiplications, three things take time: writing maps that are pooled immediately afterwards,
allocating memory for them, and unnecessary multiplications. `single_channel` and `winograd` avoid these on a CPU.
`cuda` adapts layers to NVIDIA and AMD GPUs. The layout of the weights is that of PyTorch; maps of the fast algorithms
have channels last. In the algorithms of `winograd`, a value that is not finite affects all outputs of the tiles that
contain it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, max_pool2d

from . import cuda, single_channel, winograd
from .cuda import Algorithm
from .winograd import Layer, Pool

_WIDE = 128  # number of channels; in narrower layers, the transforms cost more than they save in products
_MANY = 32  # number of filters of a single channel; with fewer, the matrix products are too small
_MANY_TALL = 16  # the same number for tall filters, which need fewer products
_TALL = 32  # height of filters in rows; for lower filters, transforming the products back costs more than the products


class Conv1d(nn.Conv1d):
    """1-D convolution over time whose output may be max-pooled and rectified.

    Shape:
        Input `(batch, in_channels, n)`, output `(batch, out_channels, n_outputs // pool)`.
    """

    def forward(self, x: Tensor, pool: int = 1, relu: bool = False) -> Tensor:
        """Convolve, take the maximum of every `pool` positions, then apply ReLU if `relu` is set."""
        return choose_algorithm(self, x, (pool,))(self, x, (pool,), relu)


class Conv2d(nn.Conv2d):
    """2-D convolution over frequency and time whose output may be max-pooled and rectified.

    Shape:
        Input `(batch, in_channels, n_bands, n_frames)`, output `(batch, out_channels, n_rows // pool[0], n_columns //
        pool[1])`.
    """

    def forward(self, x: Tensor, pool: tuple[int, int] = (1, 1), relu: bool = False) -> Tensor:
        """Convolve, take the maximum of every `pool[0]` x `pool[1]` positions, then apply ReLU if `relu` is set."""
        return choose_algorithm(self, x, pool)(self, x, pool, relu)


def choose_algorithm(conv: Layer, x: Tensor, pool: Pool) -> Algorithm:
    """Return the algorithm that computes the pooled maps of a layer fastest.

    All give the same maps within rounding error. The choice depends on the layer, the pool, and the type and device of
    the input, but not on its length or the size of the batch.

    Args:
        conv: Layer.
        x: Input of the layer, `(batch, in_channels, *positions)`.
        pool: Number of positions along each axis of which the maximum is taken.
    """
    if not _is_plain(conv, x):
        return _by_pytorch
    if x.device.type == "cuda":
        return cuda.choose(conv) or _by_pytorch
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return _by_pytorch
    if conv.in_channels == 1:
        return _for_a_single_channel(conv, pool)
    if set(conv.stride) != {1} or min(conv.in_channels, conv.out_channels) < _WIDE:
        return _by_pytorch
    if conv.weight.ndim == 4:
        return _by_squares if conv.kernel_size == (3, 3) else _by_pytorch
    n_outputs = winograd.OUTPUTS.get(conv.kernel_size[0], 0)
    return winograd.over_time if n_outputs and n_outputs % pool[0] == 0 else _by_pytorch


def concatenate(maps: Sequence[Tensor]) -> Tensor:
    """Concatenate maps `(batch, n_maps, n)` along their second axis, in the memory layout of the first."""
    if maps[0].stride(1) == 1:
        return torch.cat([layer.transpose(1, 2) for layer in maps], dim=2).transpose(1, 2)
    return torch.cat(list(maps), dim=1)


def _is_plain(conv: Layer, x: Tensor) -> bool:
    """Return whether the fast algorithms apply, which need an ordinary convolution without gradients."""
    return (
        x.ndim == conv.weight.ndim
        and x.shape[1] == conv.in_channels
        and x.device == conv.weight.device
        and x.dtype == conv.weight.dtype
        and not (torch.is_grad_enabled() and any(part.requires_grad for part in (x, *conv.parameters())))
        and {*conv.dilation, conv.groups} == {1}
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
    )


def _for_a_single_channel(conv: Layer, pool: Pool) -> Algorithm:
    is_many = conv.out_channels >= _MANY
    if conv.weight.ndim == 3:
        return _by_positions if is_many else _by_pytorch
    if conv.stride != (1, 1):
        return _by_pytorch
    height, length = conv.kernel_size
    is_tall = height >= _TALL and length in single_channel.TALL_OUTPUTS and pool[1] == 1
    if is_tall and conv.out_channels >= _MANY_TALL:
        return single_channel.tall_filters
    return single_channel.over_rows if is_many else _by_pytorch


def _by_pytorch(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    maps = nn.Conv1d.forward(conv, x) if isinstance(conv, nn.Conv1d) else nn.Conv2d.forward(conv, x)
    maps = _pooled(maps, pool)  # pooling comes first, because ReLU is monotonic
    if not relu:
        return maps
    return maps.relu() if maps.requires_grad else maps.relu_()


def _by_squares(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    return _pooled(winograd.over_squares(conv, x, relu), pool)


def _by_positions(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    return _pooled(single_channel.over_time(conv, x, relu), pool)


def _pooled(maps: Tensor, pool: Pool) -> Tensor:
    if set(pool) == {1}:
        return maps
    if maps.ndim == 3:
        return max_pool1d(maps, pool[0])
    # For pools of width 1, a plain maximum is many times faster.
    return maps.unfold(2, pool[0], pool[0]).amax(4) if pool[1] == 1 else max_pool2d(maps, (pool[0], pool[1]))
