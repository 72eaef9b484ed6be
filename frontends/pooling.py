"""Pooling of each feature map to one or two numbers."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Pooling = Literal["mean", "mean_std", "max", "mean_max"]

# Suffixes of the feature names of a map; the mean, which is the pooling of Pons & Serra (2018), has none.
STATISTICS: dict[Pooling, tuple[str, ...]] = {
    "mean": ("",),
    "mean_std": (".mean", ".std"),
    "max": (".max",),
    "mean_max": (".mean", ".max"),
}
_LEAST_VARIANCE = 1e-12  # under gradients, because the slope of a square root at 0 is infinite


def pool(layer: Tensor, pooling: Pooling, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return statistics of every feature map over its positions.

    Args:
        layer: Feature maps of a layer, `(batch, n_maps, *positions)`.
        pooling: Statistic to compute: `mean`; `mean_std`, the means of all maps followed by their (population) standard
            deviations; `max`; or `mean_max`, the means of all maps followed by their maxima.
        dtype: Precision of the statistics.

    Returns:
        Statistics, `(batch, n_maps)`, or `(batch, 2 * n_maps)` for `mean_std` and `mean_max`.

    Example:
        >>> import torch
        >>> pool(torch.tensor([[[1.0, 3.0], [0.0, 0.0]]]), "mean_std")
        tensor([[2., 0., 1., 0.]])
    """
    if layer.ndim == 2:
        layer = layer[..., None]
    positions = tuple(range(2, layer.ndim))
    if pooling == "max":
        return layer.amax(positions).to(dtype)
    if pooling == "mean":
        return layer.mean(positions, dtype=dtype)
    if pooling == "mean_max":
        return torch.cat([layer.mean(positions, dtype=dtype), layer.amax(positions).to(dtype)], dim=1)
    variance, mean = torch.var_mean(layer.to(dtype), positions, correction=0)
    if variance.requires_grad:
        variance = variance.clamp(min=_LEAST_VARIANCE)
    return torch.cat([mean, variance.sqrt()], dim=1)


def pooled(maps: Sequence[Tensor], pooling: Pooling) -> Tensor:
    """Return the embedding that feature maps of several layers have, `(batch, embedding_size)`, in float32.

    Args:
        maps: Feature maps of each layer, `(batch, n_maps, *positions)`.
        pooling: Statistic of each map.
    """
    return torch.cat([pool(layer, pooling) for layer in maps], dim=1)
