"""Convolutions arranged for NVIDIA and AMD cards, whose libraries choose slow kernels for the layers of a frontend.

Kernels for many channels are fast where channels come last in memory and their number is a multiple of eight. Kernels
for a single channel are slow, and write maps that are pooled at once. So layers of many channels are given the former,
a few clips at a time, which bounds memory; filters of a single channel are matrix products, pooled before the next.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from .winograd import Layer, Pool

Algorithm = Callable[[Layer, Tensor, Pool, bool], Tensor]
"""From a layer, its input, its pool and whether to rectify, to pooled maps."""

_ALIGNED = 8  # channels, filters or frames: what kernels of any precision read best
_WIDE = 128  # channels; with fewer, moving them takes longer than it saves
_FILTERS = 512  # tall filters at a time, so that their maps at all heights stay in the cache
_MOST_BYTES = 2**29  # of maps that are not pooled yet


def choose(conv: Layer) -> Algorithm | None:
    """Return the algorithm that computes the pooled maps of a layer fastest; None for that of PyTorch.

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
    if isinstance(conv, nn.Conv1d):  # is two-dimensional, of a single row
        maps = _convolve(x[:, :, None], conv.weight[:, :, None], conv, (1, *pool))[:, :, 0]
    else:
        maps = _convolve(x, conv.weight, conv, pool)
    return maps.relu_() if relu else maps


def _convolve(x: Tensor, weight: Tensor, conv: Layer, pool: Pool) -> Tensor:
    """Return the pooled maps of two dimensions."""
    more_in, more_out = -conv.in_channels % _ALIGNED, -conv.out_channels % _ALIGNED
    weight = pad(weight, (0, 0, 0, 0, 0, more_in, 0, more_out)).contiguous(memory_format=torch.channels_last)
    bias = None if conv.bias is None else pad(conv.bias, (0, more_out))
    x = pad(x, (0, 0, 0, 0, 0, more_in)).contiguous(memory_format=torch.channels_last)
    stride, padding = _of_two_axes(conv.stride, 1), _of_two_axes(conv.padding, 0)
    maps = _some_at_a_time(lambda some: _pooled(conv2d(some, weight, bias, stride, padding), pool), x, conv)
    return maps[:, : conv.out_channels]


def over_time(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 1-D layer of a single channel, by one matrix product for each clip.

    Args:
        conv: Layer of a single channel, of any stride.
        x: Input, `(batch, 1, n)`.
        pool: Number of positions of which the maximum is taken.
        relu: Whether to rectify the maps.
    """
    padding = int(conv.padding[0])
    met = pad(x[:, 0], (padding, padding)).unfold(1, conv.kernel_size[0], conv.stride[0])
    filters = conv.weight[:, 0].t()

    def maps_of(clip: Tensor) -> Tensor:
        maps = clip.contiguous() @ filters if conv.bias is None else torch.addmm(conv.bias, clip.contiguous(), filters)
        return _pooled(maps.t()[None, :, None], (1, *pool))[:, :, 0]

    maps = torch.cat([maps_of(clip) for clip in met])
    return maps.relu_() if relu else maps


def over_rows(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 2-D layer of a single channel.

    Args:
        conv: Layer of a single channel and stride 1.
        x: Input, `(batch, 1, n_rows, n_columns)`.
        pool: Number of rows and columns of which the maximum is taken.
        relu: Whether to rectify the maps.
    """
    if pool == (x.shape[2] + 2 * int(conv.padding[0]) - conv.kernel_size[0] + 1, 1):
        maps = _best_of_heights(conv, x)
    else:
        maps = _some_at_a_time(
            lambda some: _pooled(conv2d(some, conv.weight, conv.bias, 1, _of_two_axes(conv.padding, 0)), pool), x, conv
        )
    return maps.relu_() if relu else maps


def _best_of_heights(conv: Layer, x: Tensor) -> Tensor:
    """Return the maximum of the maps over all heights, `(batch, out_channels, 1, n_columns)`, by matrix products."""
    height, width = conv.kernel_size
    above, left = map(int, conv.padding)
    columns = x.shape[3] + 2 * left - width + 1
    kept = columns + -columns % _ALIGNED
    # met[clip, row, column of a filter, frame]: filters of any height read consecutive rows of it.
    met = pad(x[:, 0], (left, left + kept - columns, above, above)).unfold(2, kept, 1).contiguous()
    filters = conv.weight.reshape(conv.out_channels, height * width).t()
    maps = torch.cat([_best_products(met, some, height) for some in torch.split(filters, _FILTERS, 1)], dim=2)
    maps = maps[:, :columns] if conv.bias is None else maps[:, :columns] + conv.bias
    return maps.transpose(1, 2)[:, :, None]


def _best_products(met: Tensor, filters: Tensor, height: int) -> Tensor:
    """Return the greatest products of filters with what they meet at all heights, `(batch, n_frames, n_filters)`."""
    batch, n_rows, width, n_frames = met.shape
    n_filters, heights = filters.shape[1], n_rows - height + 1
    filters = pad(filters, (0, -n_filters % _ALIGNED)).contiguous()
    if heights == 1:
        best = torch.bmm(met.view(batch, -1, n_frames).transpose(1, 2), filters.expand(batch, -1, -1))
    else:
        shape, strides = (heights, n_frames, height * width), (width * n_frames, 1, n_frames)
        several = filters.expand(heights, -1, -1)
        clips = [clip.as_strided(shape, strides, clip.storage_offset()) for clip in met]
        best = torch.stack([torch.bmm(clip, several).amax(0) for clip in clips])
    return best[..., :n_filters]


def _of_two_axes(values: tuple[int, ...] | str, of_rows: int) -> tuple[int, int]:
    """Return stride or padding of a layer for rows and columns; a 1-D layer has none for rows."""
    numbers = [int(value) for value in values]
    return (numbers[-2] if len(numbers) == 2 else of_rows, numbers[-1])


def _pooled(maps: Tensor, pool: Pool) -> Tensor:
    return maps if set(pool) == {1} else max_pool2d(maps, (pool[0], pool[1]))


def _some_at_a_time(maps_of: Callable[[Tensor], Tensor], x: Tensor, conv: Layer) -> Tensor:
    """Return the maps of a batch, for as many clips at a time as bounded memory holds before they are pooled."""
    of_a_clip = conv.out_channels * x.shape[2] * x.shape[3] * x.element_size()
    return torch.cat([maps_of(some) for some in torch.split(x, max(1, _MOST_BYTES // of_a_clip))])
