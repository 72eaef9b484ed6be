"""Convolution of a drawn network with its norm, activation, residual connection and pooling."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .convolutions import Conv1d, Conv2d
from .grammar import Activation, Design, Layer, Norm, Reduction, Shape
from .padding import pad_same

_LONG = 15  # positions; a CPU takes a hundred times as long for a filter of 165 frames that pads its input itself
_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "elu": functional.elu,
    "leaky": lambda x: functional.leaky_relu(x, 0.1),
    "gelu": functional.gelu,
}


class Branch(nn.Module):
    """Filters of one shape: convolution, norm, activation, residual connection and pooling, in this order.

    Positions along time are *same* with any stride. Along frequency, filters are *same* if `keeps_bands`, and otherwise
    *valid* and pooled over all heights, which removes the axis.

    Args:
        design: Architecture.
        layer: Layer of the convolution.
        shape: Shape of the filters, (bands, frames), or (1, samples) in one dimension.
        in_channels: Number of channels of the input.
        n_filters: Number of filters.
        n_bands: Number of bands of the input, 0 for a convolution over time alone, which reads the mean of all bands.
        keeps_bands: Whether the maps have a frequency axis.
        residual: Whether the input is added to the output, as far as both have the same number of maps.

    Shape:
        Input `(batch, in_channels, n)` or `(batch, in_channels, n_bands, n)`, output `(batch, n_filters, m)`, or with
        `keeps_bands` `(batch, n_filters, bands, m)`, where m = ceil(n / stride) // pool.
    """

    def __init__(
        self,
        design: Design,
        layer: Layer,
        shape: Shape,
        in_channels: int,
        n_filters: int,
        n_bands: int = 0,
        keeps_bands: bool = False,
        residual: bool = False,
    ) -> None:
        super().__init__()
        height, length = shape
        self.reach = (length - 1) * layer.dilation + 1
        self.stride, self.residual = layer.stride, residual
        self.activation, self.pooling = design.activation, design.pooling
        self.removes_bands = n_bands > 0 and not keeps_bands
        pool = (n_bands - height + 1, layer.pool[1]) if self.removes_bands else layer.pool
        self.pool = pool if n_bands else pool[1:]
        # Short padding is left to the convolution, which does not copy its input, but is slow with long padding.
        self.pads = layer.stride > 1 or self.reach % 2 == 0 or self.reach > _LONG
        zeros = 0 if self.pads else self.reach // 2
        has_bias = design.norm == "none"
        self.conv: Conv1d | Conv2d
        if n_bands:
            padding = (height // 2 if keeps_bands else 0, zeros)
            self.conv = Conv2d(in_channels, n_filters, shape, padding=padding, bias=has_bias)
        else:
            self.conv = Conv1d(
                in_channels, n_filters, length, layer.stride, zeros, dilation=layer.dilation, bias=has_bias
            )
        self.norm = _norm(design.norm, n_filters, bool(n_bands))

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps of a batch."""
        if self.conv.weight.ndim == 3 and x.ndim == 4:
            x = x.mean(2)  # over the bands of a spectrogram
        padded = pad_same(x, self.reach, self.stride) if self.pads else x
        is_early = self.norm is None and self.pooling == "max" and self.activation != "gelu" and not self.residual
        if is_early:  # a maximum may precede an activation that is monotonic, where fewer values are left
            maps = self._convolved(padded, self.pool)
            maps = _ACTIVATIONS[self.activation](maps)
        else:
            maps = self._convolved(padded, (1,) * len(self.pool))
            maps = _ACTIVATIONS[self.activation](maps if self.norm is None else self.norm(maps))
            maps = _pooled(_with_shortcut(maps, x) if self.residual else maps, self.pool, self.pooling)
        return maps.squeeze(2) if self.removes_bands else maps

    def _convolved(self, x: Tensor, pool: tuple[int, ...]) -> Tensor:
        found: Tensor = self.conv(x, pool[0]) if len(pool) == 1 else self.conv(x, (pool[0], pool[1]))
        return found


def _norm(norm: Norm, n_maps: int, has_bands: bool) -> nn.Module | None:
    if norm == "none":
        return None
    if norm == "group":
        return nn.GroupNorm(1, n_maps)
    return nn.BatchNorm2d(n_maps) if has_bands else nn.BatchNorm1d(n_maps)


def _with_shortcut(maps: Tensor, x: Tensor) -> Tensor:
    """Add an input to maps; layers of different widths add the maps that both have (He et al. 2016, option A)."""
    n = min(maps.shape[1], x.shape[1])
    added = maps[:, :n] + x[:, :n]
    return added if n == maps.shape[1] else torch.cat([added, maps[:, n:]], dim=1)


def _pooled(maps: Tensor, pool: tuple[int, ...], reduction: Reduction) -> Tensor:
    if set(pool) == {1}:
        return maps
    if maps.ndim == 3:
        return functional.max_pool1d(maps, pool) if reduction == "max" else functional.avg_pool1d(maps, pool)
    if pool == (maps.shape[2], 1):
        return maps.amax(2, keepdim=True) if reduction == "max" else maps.mean(2, keepdim=True)
    return functional.max_pool2d(maps, pool) if reduction == "max" else functional.avg_pool2d(maps, pool)
