"""Columns of an embedding, and the layer, statistic and feature map of each."""

from collections.abc import Sequence
from typing import Literal

from .pooling import STATISTICS, Pooling

Layers = list[int] | Literal["all", "last"]


def count_columns(n_maps: Sequence[int], pooling: Pooling) -> int:
    """Return the number of columns.

    Args:
        n_maps: Number of feature maps of each layer.
        pooling: Pooling of the feature maps.
    """
    return sum(n_maps) * len(STATISTICS[pooling])


def name_columns(n_maps: Sequence[int], pooling: Pooling) -> list[str]:
    """Return the names of all columns.

    Args:
        n_maps: Number of feature maps of each layer.
        pooling: Pooling of the feature maps.

    Example:
        >>> name_columns([1, 2], "mean")
        ['layer0.map0', 'layer1.map0', 'layer1.map1']
    """
    return [
        f"layer{layer}.map{index}{statistic}"
        for layer, n in enumerate(n_maps)
        for statistic in STATISTICS[pooling]
        for index in range(n)
    ]


def columns_of(layers: Layers, n_maps: Sequence[int], pooling: Pooling, owner: str) -> list[int]:
    """Return the indices of the columns of some layers, in the order of the layers.

    Args:
        layers: Numbers of the layers, counted from 0, or `all`, or `last`.
        n_maps: Number of feature maps of each layer.
        pooling: Pooling of the feature maps.
        owner: Name of the frontend, for messages.

    Raises:
        ValueError: A layer does not exist or is given twice.

    Example:
        >>> columns_of([1, 0], [1, 2], "mean", "VGG")
        [1, 2, 0]
    """
    if layers == "all":
        return list(range(count_columns(n_maps, pooling)))
    chosen = [len(n_maps) - 1] if layers == "last" else layers
    is_list = isinstance(chosen, Sequence) and all(type(layer) is int for layer in chosen)
    if not is_list or not chosen or len(chosen) > len(set(chosen)) or not set(chosen) <= set(range(len(n_maps))):
        raise ValueError(
            f"layers={layers!r}; expected 'all', 'last' or a list of different numbers from 0 to {len(n_maps) - 1}, "
            f"because {owner} has {len(n_maps)} layers"
        )
    widths = [n * len(STATISTICS[pooling]) for n in n_maps]
    return [sum(widths[:layer]) + index for layer in chosen for index in range(widths[layer])]
