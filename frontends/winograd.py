"""Convolutions with fewer multiplications on a CPU (Winograd 1980; Lavin & Gray 2016, CVPR).

A tile of outputs is computed from products of transformed inputs and transformed filters. These are fewer than the
multiplications of a direct convolution, and all tiles and channels share one matrix product per point. Tiles are
processed in blocks that stay in the cache. A value that is not finite affects all outputs of the tiles that contain it.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Layer = nn.Conv1d | nn.Conv2d
Pool = tuple[int, ...]

OUTPUTS = {3: 6, 7: 4}  # number of outputs of a tile over time, by the length of the filters

_TILES = 256  # number of tiles per block, so that they stay in the cache
# Points at which polynomials are evaluated, besides infinity: small numbers and their inverses round least. Float32
# represents them and their powers, and so the transforms of inputs and outputs, without error.
_POINTS = [Fraction(point) for point in ("0", "1", "-1", "1/2", "-1/2", "2", "-2", "3/4", "-5/4", "-3/4", "5/4")]


def over_time(conv: Layer, x: Tensor, pool: Pool, relu: bool) -> Tensor:
    """Return the pooled maps of a 1-D layer with filters of a length in `OUTPUTS`.

    Args:
        conv: Layer of stride 1.
        x: Input, `(batch, in_channels, n)`.
        pool: Number of positions of which the maximum is taken, a divisor of the number of outputs of a tile.
        relu: Whether to rectify the maps.

    Returns:
        Maps, `(batch, out_channels, n_outputs // pool)`, with channels last in memory.
    """
    length, padding, n_filters = conv.kernel_size[0], int(conv.padding[0]), conv.out_channels
    n_outputs = OUTPUTS[length]
    _, from_input, to_output = transforms(n_outputs, length)
    filters = transformed_filters(conv, n_outputs)
    total = x.shape[2] + 2 * padding - length + 1
    refuse_empty(total // pool[0])
    n_tiles = -(-total // n_outputs)
    maps = x.new_empty(len(x), n_tiles, n_outputs // pool[0], n_filters)
    size, most = len(from_input), min(_TILES, n_tiles)
    factors = x.new_empty(size * most * x.shape[1])
    products, outputs = x.new_empty(size * most * n_filters), x.new_empty(n_outputs * most * n_filters)
    for clip, output in zip(x.transpose(1, 2), maps, strict=True):
        for first in range(0, n_tiles, _TILES):
            place = output[first : first + _TILES]
            n = len(place)
            read = _read_tiles(clip, first * n_outputs - padding, n, n_outputs, size).contiguous()
            read = read.as_strided(
                (n, size, x.shape[1]), (n_outputs * x.shape[1], x.shape[1], 1), read.storage_offset()
            )
            inputs = torch.matmul(from_input, read, out=shaped(factors, *read.shape)).transpose(0, 1)
            torch.bmm(inputs, filters, out=shaped(products, size, n, n_filters))
            torch.mm(to_output, shaped(products, size, n * n_filters), out=shaped(outputs, n_outputs, n * n_filters))
            pooled = shaped(outputs, n_outputs // pool[0], pool[0], n, n_filters).amax(1)
            place.copy_(finish(pooled, conv.bias, relu).transpose(0, 1))
    return maps.view(len(x), -1, n_filters)[:, : total // pool[0]].transpose(1, 2)


def over_squares(conv: Layer, x: Tensor, relu: bool) -> Tensor:
    """Return the maps of a 2-D layer with filters of 3 x 3, in square tiles, with at most a quarter of the products.

    Args:
        conv: Layer of stride 1.
        x: Input, `(batch, in_channels, n_rows, n_columns)`.
        relu: Whether to rectify the maps.

    Returns:
        Maps, `(batch, out_channels, n_rows, n_columns)`, with channels last in memory.
    """
    batch, n_channels, n_rows, n_columns = x.shape
    above, left = map(int, conv.padding)
    n_filters = conv.out_channels
    rows, columns = n_rows + 2 * above - 2, n_columns + 2 * left - 2
    refuse_empty(rows, columns)
    # Large tiles need the fewest products; small ones waste the least at the edges.
    side = min((6, 4), key=lambda side: -(-rows // side) * -(-columns // side) * (side + 2) ** 2)
    from_filter, from_input, to_output = transforms(side, 3)
    size, down, across = side + 2, -(-rows // side), -(-columns // side)
    weight = torch.kron(from_filter, from_filter) @ conv.weight.permute(2, 3, 1, 0).reshape(9, -1)
    weight = weight.view(size, size, n_channels, n_filters)
    maps = x.new_empty(batch, down * side, across * side, n_filters)
    below, right = down * side + 2 - n_rows - above, across * side + 2 - n_columns - left
    step = max(1, _TILES // across)
    for clip, output in zip(x.permute(0, 2, 3, 1), maps, strict=True):
        padded = pad(clip, (0, 0, left, right, above, below)).contiguous()
        width = padded.shape[1] * n_channels
        for first in range(0, down, step):
            tiles = min(step, down - first)
            part = padded[first * side : (first + tiles) * side + 2]
            read = part.as_strided(
                (len(part), across, size, n_channels), (width, side * n_channels, n_channels, 1), part.storage_offset()
            )
            columns_done = (from_input @ read).view(len(part), -1)
            inputs = x.new_empty(size, tiles, columns_done.shape[1])
            for tile in range(tiles):
                torch.mm(from_input, columns_done[tile * side : tile * side + size], out=inputs[:, tile])
            inputs = inputs.view(size, tiles * across, size, n_channels)
            products = x.new_empty(size, size, tiles * across, n_filters)
            for row in range(size):
                torch.bmm(inputs[row].transpose(0, 1), weight[row], out=products[row])
            columns_done = to_output @ products.view(size, size, -1)
            outputs = (to_output @ columns_done.view(size, -1)).view(side, side, tiles, across, n_filters)
            place = output[first * side : (first + tiles) * side].view(tiles, side, across, side, n_filters)
            place.copy_(finish(outputs, conv.bias, relu).permute(2, 0, 3, 1, 4))
    return maps[:, :rows, :columns].movedim(3, 1)


def transformed_filters(conv: Layer, n_outputs: int) -> Tensor:
    """Return the filters of a layer, transformed along time.

    Args:
        conv: Layer whose filters extend over time, and over all channels or the rows of the only one.
        n_outputs: Number of outputs of a tile.

    Returns:
        Factors, `(n_outputs + length - 1, n_channels or n_rows, out_channels)`.
    """
    length = conv.kernel_size[-1]
    from_filter, _, _ = transforms(n_outputs, length)
    taps = conv.weight.view(conv.out_channels, -1, length).permute(2, 1, 0)
    return (from_filter @ taps.reshape(length, -1)).view(len(from_filter), *taps.shape[1:])


def transformed_inputs(
    clip: Tensor, start: int, n_tiles: int, n_outputs: int, from_input: Tensor, tiles: Tensor, factors: Tensor
) -> Tensor:
    """Return tiles of an input, transformed along time by one product over a contiguous copy.

    Args:
        clip: Input of one clip, `(n, n_channels)`, which is extended by zeros at both ends.
        start: Position at which the first tile begins, negative before the input.
        n_tiles: Number of tiles.
        n_outputs: Number of outputs of a tile, the distance between tiles.
        from_input: Transform of a tile, `(size, size)`.
        tiles: Flat memory for the copy, at least as large as the result; allocating it takes longer than the product.
        factors: Flat memory for the result, at least as large.

    Returns:
        Factors, `(size, n_tiles, n_channels)`.
    """
    size = len(from_input)
    read = _read_tiles(clip, start, n_tiles, n_outputs, size).unfold(0, size, n_outputs).permute(2, 0, 1)
    shaped(tiles, *read.shape).copy_(read)
    n = read[0].numel()
    torch.mm(from_input, shaped(tiles, size, n), out=shaped(factors, size, n))
    return shaped(factors, *read.shape)


def _read_tiles(clip: Tensor, start: int, n_tiles: int, n_outputs: int, size: int) -> Tensor:
    """Return the part of an input `(n, n_channels)` that tiles read, with zeros before and after the input."""
    stop, end = start + (n_tiles - 1) * n_outputs + size, len(clip)
    part = clip[max(start, 0) : stop]
    if start >= 0 and stop <= end:
        return part
    return pad(part, (0, 0, max(-start, 0), max(stop - max(start, end), 0)))


def shaped(memory: Tensor, *shape: int) -> Tensor:
    """Return the beginning of flat memory in a shape."""
    return memory[: prod(shape)].view(shape)


def finish(maps: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
    """Add the bias and rectify, in place, while a block of maps is in the cache.

    Args:
        maps: Block of maps, channels last.
        bias: Bias of each channel, if any.
        relu: Whether to rectify.
    """
    if bias is not None:
        maps += bias
    return maps.relu_() if relu else maps


def refuse_empty(*sizes: int) -> None:
    """Refuse an input that is shorter than the filters.

    Args:
        *sizes: Number of outputs along each axis.

    Raises:
        ValueError: There are no outputs along an axis.
    """
    if min(sizes) < 1:
        raise ValueError(f"the input is too short: {' x '.join(map(str, sizes))} outputs")


@cache
def transforms(n_outputs: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrices that transform a filter, the inputs of a tile, and their products back to outputs.

    Polynomials are multiplied through their values at as many points as the product has coefficients; a convolution is
    the transpose of this (Lavin & Gray 2016, section 5; Toom 1963 and Cook 1966).

    Args:
        n_outputs: Number of outputs of a tile.
        length: Length of the filter.

    Returns:
        Matrices `(size, length)`, `(size, size)` and `(n_outputs, size)`, where size = n_outputs + length - 1.
    """
    size = n_outputs + length - 1
    points = _POINTS[: size - 1]
    differences = [_product([p - q for q in points if q != p]) for p in points]
    infinity = [Fraction(0)] * (length - 1) + [Fraction(1)]
    from_filter = [[p**power / of for power in range(length)] for p, of in zip(points, differences, strict=True)]
    from_input = [_coefficients([q for q in points if q != p], size) for p in points]
    to_output = [[p**power for p in points] + [Fraction(int(power == n_outputs - 1))] for power in range(n_outputs)]
    return _tensor([*from_filter, infinity]), _tensor([*from_input, _coefficients(points, size)]), _tensor(to_output)


def _coefficients(roots: Sequence[Fraction], size: int) -> list[Fraction]:
    """Return the coefficients of the polynomial with these roots, lowest power first, padded with zeros to `size`."""
    found = [Fraction(1)]
    for root in roots:
        found = [low - root * high for low, high in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return found + [Fraction(0)] * (size - len(found))


def _product(factors: Sequence[Fraction]) -> Fraction:
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def _tensor(rows: Sequence[Sequence[Fraction]]) -> Tensor:
    return torch.tensor([[float(value) for value in row] for row in rows], dtype=torch.float32, device="cpu")
