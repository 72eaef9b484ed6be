"""Trainable copies of a frontend, and frozen copies of a trained one."""

import copy
from typing import Any

from torch import nn

from ..registry import FRONTENDS
from .base import Frontend


def trainable(frontend: Frontend) -> Frontend:
    """Return a copy of a frontend whose weights have gradients and which follows `train()` and `eval()`.

    Args:
        frontend: Frontend with random weights; it is left unchanged.

    Returns:
        A copy in training mode, with the same weights.

    Raises:
        ValueError: The frontend has no random weights, so that there is nothing to train.

    Example:
        >>> from untrained.frontends.vgg import VGG
        >>> copied = trainable(VGG(n_filters=2))
        >>> copied.training, copied.convs[0].weight.requires_grad, copied.eval().training
        (True, True, False)
    """
    may_train = frontend.is_random or vars(frontend).get("is_loaded", False)
    if not may_train or not any(p.is_floating_point() for _, p in frontend.network_parameters()):
        raise ValueError(
            f"frontend {_name_of(frontend)} has no random weights, so there is nothing to train; choose one that "
            "has, such as 'vgg' or 'sample_level'"
        )
    copied = copy.deepcopy(frontend)
    copied.draw()
    _let_train(copied, True)
    for parameter in copied.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    nn.Module.train(copied, True)
    return copied


def frozen(frontend: Frontend) -> Frontend:
    """Return a frozen copy of a frontend: without gradients, and in evaluation mode even after `train()`.

    Args:
        frontend: Frontend, such as one that was trained; it is left unchanged.

    Returns:
        A copy with the same weights, statistics and input scalars.
    """
    copied = copy.deepcopy(frontend)
    _let_train(copied, False)
    for parameter in copied.parameters():
        parameter.requires_grad_(False).grad = None
    nn.Module.train(copied, False)
    return copied


def _let_train(network: nn.Module, trains: bool) -> None:
    """Set whether a frontend, and each frontend within it, follows `train()`."""
    for module in network.modules():
        if isinstance(module, Frontend):
            module._trains = trains


def _name_of(frontend: Frontend) -> str:
    """Return the registered name of a frontend, or its class, with the module that it wraps."""
    name = FRONTENDS.name_of(type(frontend)) or type(frontend).__name__
    wrapped: dict[str, Any] = {key: frontend.arguments[key] for key in frontend.imports if key in frontend.arguments}
    return " ".join([repr(name), *(f"({key}={value!r})" for key, value in wrapped.items())])
