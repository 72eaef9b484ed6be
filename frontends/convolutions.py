"""PyTorch's convolutions, accelerated on a CPU for layers that are wide or read a single channel.

Besides the multiplications, three things take time on a CPU: writing maps that are pooled at once, allocating memory
for them, and multiplications that are not needed. Therefore maps of a single-channel input are pooled while they are in
the cache, and wide layers need fewer multiplications (Winograd 1980; Lavin & Gray 2016, CVPR). The layout of the
weights is PyTorch's; maps of the fast algorithms are stored with channels last. A value that is not finite affects all
outputs of its tile.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, max_pool2d, pad

_WIDE = 128  # channels; in narrower layers, the transforms cost more than they save in products
_MANY = 32  # filters of a single channel; with fewer, the matrix products are too small
_MOST_MET = 2**22  # input samples gathered at a time for the filters of a single channel
_TILES = 256  # tiles at a time, so that they stay in the cache
_FILTERS = 512  # filters at a time, so that their maps stay in the cache
# Points at which polynomials are evaluated, besides infinity: small numbers and their inverses round least.
_POINTS = [Fraction(point) for point in ("0", "1", "-1", "1/2", "-1/2", "2", "-2", "3/4", "-4/3")]
_OUTPUTS = {3: 6, 7: 4}  # number of outputs of a tile, by the length of the filters


class Conv1d(nn.Conv1d):
    """1-D convolution over time whose output may be max-pooled.

    Shape:
        Input `(batch, in_channels, n)`, output `(batch, out_channels, n_outputs // pool)`.
    """

    def forward(self, x: Tensor, pool: int = 1) -> Tensor:
        """Convolve, then take the maximum of every `pool` positions."""
        n_outputs = _OUTPUTS.get(self.kernel_size[0], 0)
        is_plain = _is_plain(self, x)
        if is_plain and _is_wide(self) and self.stride == (1,) and n_outputs and n_outputs % pool == 0:
            return _winograd1d(self, x, n_outputs, pool)
        h = _products(self, x) if is_plain and self.in_channels == 1 else super().forward(x)
        return h if pool == 1 else max_pool1d(h, pool)


class Conv2d(nn.Conv2d):
    """2-D convolution over frequency and time whose output may be max-pooled.

    Shape:
        Input `(batch, in_channels, n_bands, n_frames)`, output `(batch, out_channels, n_rows // pool[0], n_columns //
        pool[1])`.
    """

    def forward(self, x: Tensor, pool: tuple[int, int] = (1, 1)) -> Tensor:
        """Convolve, then take the maximum of every `pool[0]` x `pool[1]` positions."""
        is_plain = _is_plain(self, x) and self.stride == (1, 1)
        if is_plain and self.in_channels == 1:
            return _pooled_products(self, x, pool)
        is_square = self.kernel_size == (3, 3)
        h = _winograd2d(self, x) if is_plain and _is_wide(self) and is_square else super().forward(x)
        if pool == (1, 1):
            return h
        # For pools of width 1, a plain maximum is many times faster.
        return h.unfold(2, pool[0], pool[0]).amax(4) if pool[1] == 1 else max_pool2d(h, pool)


def concatenate(maps: Sequence[Tensor]) -> Tensor:
    """Concatenate maps `(batch, n_maps, n)` along their second axis, in the memory layout of the first."""
    if maps[0].stride(1) == 1:
        return torch.cat([layer.transpose(1, 2) for layer in maps], dim=2).transpose(1, 2)
    return torch.cat(list(maps), dim=1)


def _is_wide(conv: nn.Conv1d | nn.Conv2d) -> bool:
    return min(conv.in_channels, conv.out_channels) >= _WIDE


def _is_plain(conv: nn.Conv1d | nn.Conv2d, x: Tensor) -> bool:
    """Return whether the fast algorithms apply: on a CPU, in float32, without gradients, and with enough filters."""
    return (
        x.ndim == conv.weight.ndim
        and x.shape[1] == conv.in_channels
        and x.device.type == "cpu"
        and conv.out_channels >= _MANY
        and x.dtype == conv.weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not (torch.is_grad_enabled() and (x.requires_grad or conv.weight.requires_grad))
        and {*conv.dilation, conv.groups} == {1}
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
    )


def _products(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """Return the maps of a single-channel input, by matrix products over blocks of positions."""
    padding, length = int(conv.padding[0]), conv.kernel_size[0]
    met = pad(x[:, 0], (padding, padding)).unfold(1, length, conv.stride[0])
    maps = x.new_empty(*met.shape[:2], conv.out_channels)
    filters = conv.weight[:, 0].t()
    step = max(1, _MOST_MET // length)
    for clip, output in zip(met, maps, strict=True):
        for some in range(0, len(clip), step):
            torch.mm(clip[some : some + step].contiguous(), filters, out=output[some : some + step])
    return (maps if conv.bias is None else maps.add_(conv.bias)).transpose(1, 2)


def _pooled_products(conv: nn.Conv2d, x: Tensor, pool: tuple[int, int]) -> Tensor:
    """Return the pooled maps of a single-channel input: the maximum of one matrix product per position in a pool.

    Each product multiplies all filters with their inputs in one row of pools, so that it stays in the cache.
    """
    height, width = conv.kernel_size
    weight = conv.weight.reshape(conv.out_channels, height * width).t().contiguous()
    above, left = map(int, conv.padding)
    x = pad(x[:, 0], (left, left, above, above)).contiguous()
    batch, n_rows, n_columns = x.shape
    rows, columns = (n_rows - height + 1) // pool[0], (n_columns - width + 1) // pool[1]
    _refuse_empty(rows, columns)
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
                if conv.bias is not None:
                    best += conv.bias[some : some + _FILTERS]
    return maps.movedim(3, 1)


def _winograd1d(conv: nn.Conv1d, x: Tensor, n_outputs: int, pool: int) -> Tensor:
    """Return the max-pooled convolution, in tiles of `n_outputs` that take `n_outputs + length - 1` products each."""
    length, padding = conv.kernel_size[0], int(conv.padding[0])
    from_filter, from_input, to_output = _transforms(n_outputs, length)
    size = len(from_input)
    # (size, in_channels, out_channels)
    weight = torch.tensordot(from_filter, conv.weight, ([1], [2])).transpose(1, 2).contiguous()
    batch, n_channels, n = x.shape
    total = n + 2 * padding - length + 1
    _refuse_empty(total // pool)
    n_tiles = -(-total // n_outputs)
    maps = x.new_empty(batch, n_tiles * n_outputs // pool, conv.out_channels)
    for clip, pooled in zip(x.transpose(1, 2), maps, strict=True):
        for first in range(0, n_tiles, _TILES):
            tiles = min(_TILES, n_tiles - first)
            start, stop = first * n_outputs - padding, (first + tiles) * n_outputs - padding + length - 1
            part = pad(clip[max(start, 0) : stop], (0, 0, max(-start, 0), max(stop - n, 0))).contiguous()
            read = part.as_strided((tiles, size, n_channels), (n_outputs * n_channels, n_channels, 1))
            product = torch.bmm((from_input @ read).transpose(0, 1), weight)
            outputs = to_output @ product.transpose(0, 1)  # (tiles, n_outputs, out_channels)
            if pool > 1:
                outputs = outputs.view(tiles, n_outputs // pool, pool, -1).amax(2)
            if conv.bias is not None:
                outputs += conv.bias
            kept = n_outputs // pool
            pooled[first * kept : (first + tiles) * kept] = outputs.view(tiles * kept, -1)
    return maps[:, : total // pool].transpose(1, 2)


def _winograd2d(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the convolution with filters of 3 x 3, in square tiles, with at most a quarter of the products."""
    batch, n_channels, n_rows, n_columns = x.shape
    above, left = map(int, conv.padding)
    n_filters = conv.out_channels
    rows, columns = n_rows + 2 * above - 2, n_columns + 2 * left - 2
    _refuse_empty(rows, columns)
    # Large tiles need the fewest products; small ones waste the least at the edges.
    side = min((6, 4), key=lambda side: -(-rows // side) * -(-columns // side) * (side + 2) ** 2)
    from_filter, from_input, to_output = _transforms(side, 3)
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
            if conv.bias is not None:
                outputs += conv.bias
            place = output[first * side : (first + tiles) * side].view(tiles, side, across, side, n_filters)
            place.copy_(outputs.permute(2, 0, 3, 1, 4))
    return maps[:, :rows, :columns].movedim(3, 1)


def _refuse_empty(*sizes: int) -> None:
    if min(sizes) < 1:
        raise ValueError(f"the input is too short: {' x '.join(map(str, sizes))} outputs")


@cache
def _transforms(n_outputs: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrices of a tile: from a filter and from inputs to factors, and from their products to outputs.

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
