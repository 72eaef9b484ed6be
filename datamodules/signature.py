"""Signatures with explicit arguments instead of `**options`, as needed by parsers, studies and the help."""

import inspect
from typing import Any, get_args, is_typeddict


def spell_out(cls: type) -> None:
    """Replace `**options` in the signature of `__init__` with the arguments of the next class in the MRO.

    `**options: Unpack[T]` is replaced with the keys of the typed dictionary `T`, any other `**options` with all
    arguments of the next class. Defaults and annotations are taken from the next class. Explicit arguments of
    `__init__` are unchanged. Only the signature changes, not the behaviour of calls.

    Args:
        cls: Class that defines `__init__`.

    Example:
        >>> class Parent:
        ...     def __init__(self, root, folds=5): ...
        >>> class Child(Parent):
        ...     def __init__(self, root, gain=1.0, **options): ...
        >>> spell_out(Child)
        >>> inspect.signature(Child)
        <Signature (root, gain=1.0, *, folds=5)>
    """
    init: Any = vars(cls)["__init__"]
    signature = _signature(init)
    own = list(signature.parameters.values())
    rest = next((parameter for parameter in own if parameter.kind is parameter.VAR_KEYWORD), None)
    _, *accepted = _signature(super(cls, cls).__init__).parameters.values()  # type: ignore[arg-type]
    if rest is None or any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return  # nothing to replace, or the arguments are unknown, such as those of a mixin
    own.remove(rest)
    names = {parameter.name for parameter in own}
    unpacked = next(filter(is_typeddict, get_args(rest.annotation)), None)
    passed_on = [
        parameter.replace(kind=parameter.KEYWORD_ONLY)
        for parameter in accepted
        if parameter.name not in names
        and parameter.kind is not parameter.VAR_POSITIONAL
        and (unpacked is None or parameter.name in unpacked.__annotations__)
    ]
    init.__signature__ = signature.replace(parameters=[*own, *passed_on])


def _signature(function: Any) -> inspect.Signature:
    """Return the signature of a function, with annotations evaluated if possible."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # annotations may be any code, and use names that only type checkers import
        return inspect.signature(function)
