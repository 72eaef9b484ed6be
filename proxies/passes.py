"""Forward and backward passes through the feature maps of a plug-in, which may return anything."""

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..frontends import Frontend
from .base import DegenerateError


def maps_in(found: object, n_clips: int) -> list[Tensor]:
    """Return the feature maps in what a frontend returns.

    Args:
        found: What `feature_maps` returns.
        n_clips: Number of clips.

    Raises:
        DegenerateError: It is not a list of tensors `(batch, n_maps, *positions)` of floating point.
    """
    expected = "expected a list of tensors (batch, n_maps, *positions) of floating point"
    if isinstance(found, Tensor) or not isinstance(found, Iterable):
        raise DegenerateError(f"feature_maps returns {type(found).__name__}; {expected}")
    maps = list(found)
    if not maps:
        raise DegenerateError(f"feature_maps returns no maps; {expected}")
    for layer in maps:
        if not isinstance(layer, Tensor):
            raise DegenerateError(f"feature_maps returns a list with {type(layer).__name__}; {expected}")
        if layer.ndim < 2 or len(layer) != n_clips or not layer.is_floating_point():
            raise DegenerateError(
                f"feature_maps returns a tensor {tuple(layer.shape)} of {layer.dtype} for {n_clips} clips; {expected}"
            )
    return maps


def problem_of_maps(frontend: Frontend, n_samples: int) -> DegenerateError | None:
    """Return what is wrong with the feature maps that a frontend returns for a clip, before their sizes are examined.

    Args:
        frontend: Frontend; it is left unchanged.
        n_samples: Length of the clip in samples.
    """
    if not (frontend.has_maps and frontend.network_parameters()):
        return None
    copied = copy.deepcopy(frontend)
    try:
        copied.draw()
        with torch.no_grad():
            found = copied.eval().feature_maps(copied.represent(torch.zeros(1, n_samples, device=device_of(frontend))))
    except Exception:  # the clip may be too short; other errors occur again where they are reported
        return None
    try:
        maps_in(found, 1)
    except DegenerateError as error:
        return error
    return None


def differentiated(value: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient of a number with respect to each weight, by name.

    Args:
        value: Tensor of a single number.
        weights: Weights by name.

    Raises:
        DegenerateError: The value does not depend on a weight, or a tensor that the gradient needs was changed.
    """
    found = slopes_of(value, list(weights.values()))
    unused = [name for name, gradient in zip(weights, found, strict=True) if gradient is None]
    if unused:
        raise DegenerateError(
            f"{', '.join(unused)} does not reach the output; use it in feature_maps, without detach(), or remove it"
        )
    return {name: gradient.detach() for name, gradient in zip(weights, found, strict=True) if gradient is not None}


def slopes_of(value: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Return the gradient of a number with respect to each tensor; None if the number does not depend on the tensor.

    Args:
        value: Tensor of a single number.
        tensors: Tensors with gradients.

    Raises:
        DegenerateError: A tensor that the gradient needs was changed in place.
    """
    try:
        return torch.autograd.grad(value, tensors, allow_unused=True)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        raise DegenerateError(
            "feature_maps changes a tensor in place that the gradient needs; replace operations such as add_ by add"
        ) from error


def device_of(frontend: Frontend) -> torch.device:
    """Return the device of a frontend."""
    tensors = [*frontend.parameters(), *frontend.buffers()]
    return next((tensor.device for tensor in tensors), torch.device("cpu"))
