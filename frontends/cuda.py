"""Convolutions for NVIDIA and AMD GPUs, whose libraries choose slow kernels for the layers of a frontend.

Kernels for many channels are fast in lower precisions where channels come last in memory and their number is a multiple
of eight; in float32, a sum of matrix products is faster. Kernels for a single channel are slow, and write maps that are
pooled right afterwards. Therefore, a few clips are computed at a time, which limits memory; and tall filters of a
single channel are computed as matrix products, one for each height, whose maximum is taken for a few filters at a time.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from .winograd import Layer, Pool, refuse_empty

Algorithm = Callable[[Layer, Tensor, Pool, bool], Tensor]
"""Function that computes pooled maps from a layer, its input, its pool and whether to rectify."""

_backends: Any = torch.backends  # this setting is missing in its types
_ALIGNED = 8  # kernels of any precision are fastest for multiples of this number of channels, filters or frames
_WIDE = 128  # number of channels; with fewer, moving them takes longer than it saves
_MOST_BYTES = 2**29  # maximum size of maps that are not pooled yet
_POSITIONS = 2**14  # number of positions per block of a sum of products, so that it stays in the cache
_FILTERS = 512  # number of tall filters per block, so that most of their maps at all heights stay in the cache


def choose(conv: Layer) -> Algorithm | None:
    """Return the algorithm that computes the pooled maps of a layer fastest, or None for that of PyTorch.

    Args:
        conv: Layer.
    """
    if conv.in_channels == 1:
        if conv.weight.ndim == 3:
            return over_time if conv.out_channels >= _WIDE else None
        return over_rows if conv.stride == (1, 1) else None
    return many_channels if min(conv.in_channels, conv.out_channels) >= _WIDE else None


def many_channels(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a layer of many channels, with channels last in memory.

    Args:
        conv: Layer of one or two dimensions.
        x: Input, `(batch, in_channels, *positions)`.
        pool: Number of positions along each axis of which the maximum is taken.
        relu: Whether to rectify the maps.
    """
    is_1d = isinstance(conv, nn.Conv1d)  # computed as a 2-D layer of a single row
    weight, x = (conv.weight[:, :, None], x[:, :, None]) if is_1d else (conv.weight, x)
    in_float32 = x.dtype == torch.float32 and not torch.is_autocast_enabled("cuda")
    if in_float32 and _backends.cudnn.conv.fp32_precision != "tf32" and set(conv.stride) == {1}:
        maps_of = _sum_of_products(weight, _of_two_axes(conv.padding, 0))
    else:
        maps_of = _channels_last(weight, _of_two_axes(conv.stride, 1), _of_two_axes(conv.padding, 0))
    maps = _some_at_a_time(maps_of, conv, x, (1, *pool) if is_1d else pool, relu)
    return maps[:, :, 0] if is_1d else maps


def over_time(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 1-D layer of a single channel, by matrix products, with channels last in memory.

    Args:
        conv: Layer of a single channel, of any stride.
        x: Input, `(batch, 1, n)`.
        pool: Number of positions of which the maximum is taken.
        relu: Whether to rectify the maps.
    """
    padding, length = int(conv.padding[0]), conv.kernel_size[0]
    filters = _as_columns(conv.weight)

    def maps_of(some: Tensor) -> Tensor:
        met = pad(some[:, 0, 0], (padding, padding)).unfold(1, length, conv.stride[0])
        return (met.reshape(-1, length) @ filters).view(len(some), 1, -1, filters.shape[1]).permute(0, 3, 1, 2)

    return _some_at_a_time(maps_of, conv, x[:, :, None], (1, *pool), relu)[:, :, 0]


def over_rows(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 2-D layer of a single channel, by matrix products, with channels last in memory.

    Args:
        conv: Layer of a single channel and stride 1.
        x: Input, `(batch, 1, n_rows, n_columns)`.
        pool: Number of rows and columns of which the maximum is taken.
        relu: Whether to rectify the maps.
    """
    height, width = conv.kernel_size
    above, left = _of_two_axes(conv.padding, 0)
    if pool == (x.shape[2] + 2 * above - height + 1, 1):
        return _best_of_heights(conv, x, relu)
    filters = _as_columns(conv.weight)

    def maps_of(some: Tensor) -> Tensor:
        met = pad(some[:, 0], (left, left, above, above)).unfold(1, height, 1).unfold(2, width, 1)
        maps = met.reshape(-1, height * width) @ filters
        return maps.view(*met.shape[:3], filters.shape[1]).permute(0, 3, 1, 2)

    return _some_at_a_time(maps_of, conv, x, pool, relu)


def _channels_last(weight: Tensor, stride: Any, padding: Any) -> Callable[[Tensor], Tensor]:
    """Return a function that computes the maps of a layer by the library, in the fastest layout of its kernels."""
    more_out, more_in = (-size % _ALIGNED for size in weight.shape[:2])
    aligned = pad(weight, (0, 0, 0, 0, 0, more_in, 0, more_out)).contiguous(memory_format=torch.channels_last)

    def maps_of(x: Tensor) -> Tensor:
        x = pad(x, (0, 0, 0, 0, 0, more_in)).contiguous(memory_format=torch.channels_last)
        return conv2d(x, aligned, None, stride, padding)

    return maps_of


def _sum_of_products(weight: Tensor, padding: Any) -> Callable[[Tensor], Tensor]:
    """Return a function that computes the maps of a layer of stride 1 by a matrix product for each weight of a filter.

    Padded rows follow each other in memory, so the inputs that one weight multiplies, at all positions, are consecutive
    rows of one matrix. Positions at the end of a row would also read the next row, and are left out.
    """
    above, left = padding
    n_filters, n_channels, height, width = weight.shape
    filters = weight.permute(2, 3, 1, 0).reshape(height * width, n_channels, n_filters).contiguous()

    def maps_of(x: Tensor) -> Tensor:
        x = pad(x.permute(0, 2, 3, 1), (0, 0, left, left, above, above)).contiguous()
        batch, n_rows, n_columns, _ = x.shape
        refuse_empty(n_rows - height + 1, n_columns - width + 1)
        met = x.view(-1, n_channels)
        places = [row * n_columns + column for row in range(height) for column in range(width)]
        sums = met.new_empty(len(met), n_filters)
        n_sums = len(met) - places[-1]
        for first in range(0, n_sums, _POSITIONS):
            last = min(first + _POSITIONS, n_sums)
            total = torch.mm(met[first:last], filters[0], out=sums[first:last])
            for place, some in zip(places[1:], filters[1:], strict=True):
                torch.addmm(total, met[first + place : last + place], some, out=total)
        maps = sums.view(batch, n_rows, n_columns, n_filters)[:, : n_rows - height + 1, : n_columns - width + 1]
        return maps.permute(0, 3, 1, 2)

    return maps_of


def _best_of_heights(conv: Layer, x: Tensor, relu: bool) -> Tensor:
    """Return the maximum of the maps over all heights, `(batch, out_channels, 1, n_columns)`."""
    height, width = conv.kernel_size
    above, left = _of_two_axes(conv.padding, 0)
    columns, n_filters = x.shape[3] + 2 * left - width + 1, conv.out_channels
    refuse_empty(columns)
    kept, more = columns + -columns % _ALIGNED, -n_filters % _ALIGNED
    # met[clip, row, column of a filter, frame]: filters of any height read consecutive rows of it.
    met = pad(x[:, 0], (left, left + kept - columns, above, above)).unfold(2, kept, 1).contiguous()
    filters = _as_columns(conv.weight)
    if met.shape[1] == height:
        best = torch.bmm(met.view(len(met), -1, kept).transpose(1, 2), filters.expand(len(met), -1, -1))
    else:
        several = torch.split(filters, _FILTERS, 1)
        best = torch.cat([_best_products(met, some.contiguous(), height) for some in several], dim=2)
    best = _finish(best, None if conv.bias is None else pad(conv.bias, (0, more)), relu)
    return best[:, :columns, :n_filters].transpose(1, 2)[:, :, None]


def _best_products(met: Tensor, filters: Tensor, height: int) -> Tensor:
    """Return the maximum over all heights of the products of filters and input, `(batch, n_frames, n_filters)`."""
    _, n_rows, width, n_frames = met.shape
    shape, strides = (n_rows - height + 1, n_frames, height * width), (width * n_frames, 1, n_frames)
    several = filters.expand(shape[0], -1, -1)
    clips = [clip.as_strided(shape, strides, clip.storage_offset()) for clip in met]
    return torch.stack([torch.bmm(clip, several).amax(0) for clip in clips])


def _as_columns(weight: Tensor) -> Tensor:
    """Return filters of a single channel as the columns of a matrix, padded with columns of zeros."""
    return pad(weight.flatten(1).t(), (0, -len(weight) % _ALIGNED)).contiguous()


def _of_two_axes(values: tuple[int, ...] | str, of_rows: int) -> tuple[int, int]:
    """Return the stride or padding of a layer for rows and columns; `of_rows` is the value for 1-D layers."""
    numbers = [int(value) for value in values]
    return (numbers[-2] if len(numbers) == 2 else of_rows, numbers[-1])


def _some_at_a_time(maps_of: Callable[[Tensor], Tensor], conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a batch, computed for as many clips at a time as `_MOST_BYTES` of maps allow."""
    of_a_clip = conv.out_channels * x.shape[2] * x.shape[3] * x.element_size()
    clips = torch.split(x, max(1, _MOST_BYTES // of_a_clip))
    maps = torch.cat([_pooled(maps_of(some), pool)[:, : conv.out_channels] for some in clips])
    return _finish(maps.permute(0, 2, 3, 1), conv.bias, relu).permute(0, 3, 1, 2)


def _pooled(maps: Tensor, pool: Pool) -> Tensor:
    return maps if set(pool) == {1} else max_pool2d(maps, (pool[0], pool[1]))


def _finish(maps: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
    """Add a bias to maps with channels last, which may already be pooled, and rectify."""
    maps = maps if bias is None else maps.add_(bias)
    return maps.relu_() if relu else maps
