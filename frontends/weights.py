"""Random weights of a frontend: the layers that have them, deferred drawing, and layers without an initialiser."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

# Layers whose parameters start as constants, so there is nothing to draw.
_CONSTANT_AT_START = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
_DEFERRED: contextvars.ContextVar[bool] = contextvars.ContextVar("deferred", default=False)


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Create frontends without drawing their weights, which takes most of the time; `draw` does so later.

    The weights of frontends that override `reset_parameters` are drawn nevertheless.

    Example:
        >>> from untrained.frontends.vgg import VGG
        >>> with undrawn():
        ...     frontend = VGG(n_filters=2)
        >>> frontend.awaits_weights, frontend.embedding_size
        (True, 10)
    """
    token = _DEFERRED.set(True)
    try:
        yield
    finally:
        _DEFERRED.reset(token)


def is_deferred() -> bool:
    """Return whether frontends are currently created without drawing their weights."""
    return _DEFERRED.get()


def draw_from(seed: int, network: Any) -> bool:
    """Draw the weights of a network from a separate generator.

    Args:
        seed: Seed of the generator.
        network: Network with `reset_parameters(generator)`.

    Returns:
        Whether anything was drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    before = generator.get_state()
    network.reset_parameters(generator)
    return not torch.equal(before, generator.get_state())


def drawn_layers(network: nn.Module) -> list[nn.Conv1d | nn.Conv2d | nn.Linear]:
    """Return the layers whose weights the contract draws, in order; those of the representation are left out."""
    return [
        module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear) and name.split(".")[0] != "representation"
    ]


def refuse_undrawn(network: nn.Module) -> None:
    """Refuse parameters without an initialiser, which the contract does not draw and which are not constants.

    Raises:
        TypeError: There is such a parameter.
    """
    drawn = {id(parameter) for module in drawn_layers(network) for parameter in module.parameters(recurse=False)}
    drawn |= {
        id(parameter)
        for module in network.modules()
        if isinstance(module, _CONSTANT_AT_START)
        for parameter in module.parameters(recurse=False)
    }
    outside = ((name, p) for name, p in network.named_parameters() if not name.startswith("representation."))
    left = [name for name, parameter in outside if id(parameter) not in drawn]
    if left:
        raise TypeError(
            f"{type(network).__name__}: no initialiser for {', '.join(left)}, so the seed does not "
            "determine the weights; override reset_parameters(generator) (an empty one keeps the weights as they are)"
        )
