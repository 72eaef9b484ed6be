"""Shortest input of a network, found without data."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
T = TypeVar("T")
# Longest inputs to try, in samples: hours of audio cost nothing on the meta device, minutes are slow on a real one.
_LONGEST_ON_META = 2**27
_LONGEST_ON_CPU = 2**22


class Sizes(NamedTuple):
    """Sizes of a network that do not depend on its weights.

    Args:
        min_samples: Length of the shortest waveform that leaves no feature map empty, in samples.
        n_maps: Number of feature maps of each layer.
    """

    min_samples: int
    n_maps: Sequence[int]


def shortest(network: Network, feature_maps: Callable[[Network, Tensor], Sequence[Tensor]]) -> Sizes:
    """Find the shortest input that works, by doubling and bisection.

    Args:
        network: Network to try; a copy of it is run.
        feature_maps: Function that takes the network and a waveform `(batch, n_samples)`, and returns the maps of each
            layer, `(batch, n_maps, *positions)`.

    Raises:
        Exception: The network raised it for inputs of all lengths.
    """

    def search(copied: Network, device: torch.device, longest: int) -> Sizes:
        @torch.inference_mode()
        def maps_at(n_samples: int) -> Sequence[Tensor]:
            maps = feature_maps(copied, torch.zeros(1, n_samples, device=device))
            if any(layer.numel() == 0 for layer in maps):
                raise ValueError(f"{type(copied).__name__}: a feature map is empty for {n_samples} samples")
            return maps

        works, maps = _first_that_works(maps_at, longest)
        fails = works // 2
        while works - fails > 1:
            middle = (works + fails) // 2
            try:
                maps, works = maps_at(middle), middle
            except Exception:  # too short: a layer may raise anything
                fails = middle
        return Sizes(works, [layer.shape[1] for layer in maps])

    return without_data(network, search, "feature_maps")


def without_data(network: Network, measure: Callable[[Network, torch.device, int], T], method: str) -> T:
    """Measure a copy of a network on the meta device, or on zeros if an operation has no kernel there.

    The copy is in evaluation mode, because BatchNorm in training mode does not take a single clip of any length.

    Args:
        network: Network to measure.
        measure: Function that takes the copy, its device, and the length of the longest input to try, in samples.
        method: Name of the method that `measure` calls, for messages.

    Raises:
        RuntimeError: An attribute is missing; the message of `nn.Module` would not show which one.
        Exception: The network raised it.
    """
    try:
        return measure(copy.deepcopy(network).eval().to("meta"), torch.device("meta"), _LONGEST_ON_META)
    except Exception:  # without a meta kernel, an operation may raise anything; zeros then show whether it is an error
        try:
            return measure(copy.deepcopy(network).eval().to("cpu"), torch.device("cpu"), _LONGEST_ON_CPU)
        except AttributeError as error:
            raise RuntimeError(f"{type(network).__name__}.{method} failed: {error}") from error


def _first_that_works(maps_at: Callable[[int], Sequence[Tensor]], longest: int) -> tuple[int, Sequence[Tensor]]:
    """Return the first power of two that works as a length, and the maps there."""
    works = 1
    while True:
        try:
            return works, maps_at(works)
        except Exception:  # too short: a layer may raise anything
            if works >= longest:
                raise
            works *= 2
