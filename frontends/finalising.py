"""Completion of a frontend after its outermost `__init__` has returned."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torch import nn


def finalising(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap an `__init__` so that the outermost one records its arguments and finally calls `_finalise`.

    A metaclass could do the same, but would hide the signature from the command line.
    """

    @functools.wraps(init)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        is_outermost = "arguments" not in self.__dict__
        if is_outermost:
            bound = inspect.signature(init).bind(self, *args, **kwargs)
            bound.apply_defaults()
            given = dict(list(bound.arguments.items())[1:])
            object.__setattr__(self, "arguments", given)
        init(self, *args, **kwargs)
        if is_outermost:
            self._finalise()

    return wrapper


def refuse_hidden_names(network: nn.Module, contract: type[nn.Module]) -> None:
    """Refuse instance attributes that hide methods of the contract; a class may override these methods.

    Args:
        network: Network to examine.
        contract: Base class, whose methods and properties the framework calls.

    Raises:
        TypeError: An attribute has the name of a method or property.
    """
    methods = {name for name, part in vars(contract).items() if isinstance(part, Callable | property)}  # type: ignore[arg-type]
    own = {*vars(network), *network._modules, *network._parameters, *network._buffers}
    hidden = sorted(name for name in methods & own if name[0] != "_")
    if hidden:
        raise TypeError(
            f"{type(network).__name__}: its attribute {hidden[0]!r} hides {contract.__name__}.{hidden[0]}, which the "
            "framework calls; rename it"
        )
