"""Layers with a single input channel, such as a waveform or a spectrogram, as matrix products on a CPU.

On a CPU, allocating and writing maps, which are then pooled, takes longer than the multiplications. Therefore, maps are
pooled and rectified block by block while they are in the cache. They have channels last in memory.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from .winograd import Layer, Pool, finish, refuse_empty, shaped, transformed_filters, transformed_inputs, transforms

TALL_OUTPUTS = {3: 8, 7: 6}  # number of outputs of a tile of tall filters, by the length of the filters in frames

_FILTERS = 512  # number of filters per block, so that their maps stay in the cache
_TALL_FILTERS = 256  # number of tall filters per block, whose products take twice as much memory
_TILES = 256  # number of tiles of tall filters per block
_VALUES = 2**19  # number of values of maps, and of their input, per block


def over_time(conv: Layer, x: Tensor, relu: bool) -> Tensor:
    """Return the maps of a 1-D layer, by matrix products over blocks of positions.

    Args:
        conv: Layer of a single channel, of any stride.
        x: Input, `(batch, 1, n)`.
        relu: Whether to rectify the maps.

    Returns:
        Maps, `(batch, out_channels, n_outputs)`, with channels last in memory.
    """
    padding = int(conv.padding[0])
    met = pad(x[:, 0], (padding, padding)).unfold(1, conv.kernel_size[0], conv.stride[0])
    maps = x.new_empty(*met.shape[:2], conv.out_channels)
    filters = conv.weight[:, 0].t()
    step = max(1, _VALUES // max(filters.shape))
    for clip, output in zip(met, maps, strict=True):
        for some in range(0, len(clip), step):
            block = output[some : some + step]
            torch.mm(clip[some : some + step].contiguous(), filters, out=block)
            finish(block, conv.bias, relu)
    return maps.transpose(1, 2)


def over_rows(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 2-D layer: the maximum of one matrix product per position in a pool.

    Each product multiplies all filters with their inputs in one row of pools, so that it stays in the cache.

    Args:
        conv: Layer of a single channel and stride 1.
        x: Input, `(batch, 1, n_rows, n_columns)`.
        pool: Number of rows and columns of which the maximum is taken.
        relu: Whether to rectify the maps.

    Returns:
        Maps, `(batch, out_channels, n_rows // pool[0], n_columns // pool[1])`, with channels last in memory.
    """
    height, width = conv.kernel_size
    weight = conv.weight.reshape(conv.out_channels, height * width).t().contiguous()
    above, left = map(int, conv.padding)
    x = pad(x[:, 0], (left, left, above, above)).contiguous()
    batch, n_rows, n_columns = x.shape
    rows, columns = (n_rows - height + 1) // pool[0], (n_columns - width + 1) // pool[1]
    refuse_empty(rows, columns)
    maps = x.new_empty(batch, rows, columns, conv.out_channels)
    other = x.new_empty(columns, min(_FILTERS, conv.out_channels))
    for clip, pooled in zip(x, maps, strict=True):
        # met[column of a pool][row, column of a filter, pool]: a filter of any height reads consecutive rows of it.
        met = [
            clip.as_strided((n_rows, width, columns), (n_columns, 1, pool[1]), clip.storage_offset() + i).contiguous()
            for i in range(pool[1])
        ]
        for row in range(rows):
            first = row * pool[0]
            patches = [
                at[start : start + height].view(height * width, columns).t()
                for start in range(first, first + pool[0])
                for at in met
            ]
            for some in range(0, conv.out_channels, _FILTERS):
                filters, best = weight[:, some : some + _FILTERS], pooled[row, :, some : some + _FILTERS]
                product = other[:, : filters.shape[1]]
                torch.mm(patches[0], filters, out=best)
                for patch in patches[1:]:
                    torch.maximum(best, torch.mm(patch, filters, out=product), out=best)
                finish(best, None if conv.bias is None else conv.bias[some : some + _FILTERS], relu)
    return maps.movedim(3, 1)


def tall_filters(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the maps of a 2-D layer with tall filters, pooled over rows, with fewer multiplications along time.

    The rows of the input act as channels of a convolution over time. They are transformed once, and at every height the
    filters read those that they cover (see `winograd`). The maximum over heights is taken after the
    products are transformed back, because a maximum does not commute with the transform.

    Args:
        conv: Layer of a single channel and stride 1, with filters of a length in `TALL_OUTPUTS`.
        x: Input, `(batch, 1, n_rows, n_frames)`.
        pool: Number of rows and columns of which the maximum is taken; the number of columns must be 1.
        relu: Whether to rectify the maps.

    Returns:
        Maps, `(batch, out_channels, n_rows // pool[0], n_frames)`, with channels last in memory.
    """
    height, length = conv.kernel_size
    above, left = map(int, conv.padding)
    n_outputs, n_filters = TALL_OUTPUTS[length], conv.out_channels
    _, from_input, to_output = transforms(n_outputs, length)
    filters = transformed_filters(conv, n_outputs)
    rows, total = (x.shape[2] + 2 * above - height + 1) // pool[0], x.shape[3] + 2 * left - length + 1
    refuse_empty(rows, total)
    n_tiles = -(-total // n_outputs)
    maps = x.new_empty(len(x), rows, n_tiles, n_outputs, n_filters)
    size, most = len(from_input), min(_TILES, n_tiles)
    tiles, factors = x.new_empty(2, size * most * (x.shape[2] + 2 * above))
    products = x.new_empty(size * most * min(_TALL_FILTERS, n_filters))
    bests = x.new_empty(2, n_outputs * most * min(_TALL_FILTERS, n_filters))
    for clip, output in zip(pad(x[:, 0], (0, 0, above, above)).transpose(1, 2), maps, strict=True):
        for first in range(0, n_tiles, _TILES):
            place = output[:, first : first + _TILES]
            start, n = first * n_outputs - left, place.shape[1]
            inputs = transformed_inputs(clip, start, n, n_outputs, from_input, tiles, factors)
            for some in range(0, n_filters, _TALL_FILTERS):
                chosen = slice(some, some + _TALL_FILTERS)
                bias = None if conv.bias is None else conv.bias[chosen]
                for row, target in enumerate(place[..., chosen]):
                    heard = inputs[:, :, row * pool[0] : (row + 1) * pool[0] + height - 1]
                    best = _best_of_heights(heard, filters[:, :, chosen], to_output, products, bests)
                    best = finish(best.view(n_outputs, len(target), -1), bias, relu)
                    target.copy_(best.transpose(0, 1))
    return maps.view(len(x), rows, -1, n_filters)[:, :, :total].movedim(3, 1)


def _best_of_heights(inputs: Tensor, filters: Tensor, to_output: Tensor, products: Tensor, bests: Tensor) -> Tensor:
    """Return the maximum over heights of the outputs of tiles, `(n_outputs, n_tiles * n_filters)`."""
    size, height, n_filters = filters.shape
    n = inputs.shape[1] * n_filters
    best, other = (shaped(memory, len(to_output), n) for memory in bests)
    for top in range(inputs.shape[2] - height + 1):
        covered = inputs[:, :, top : top + height]
        torch.bmm(covered, filters, out=shaped(products, size, inputs.shape[1], n_filters))
        torch.mm(to_output, shaped(products, size, n), out=other if top else best)
        if top:
            torch.maximum(best, other, out=best)
    return best
