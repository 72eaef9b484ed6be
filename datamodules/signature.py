"""Signatures that spell out `**options`, for everything that asks a class for its arguments: parsers, studies, help."""

import inspect
from typing import Any, get_args, is_typeddict


def spell_out(cls: type) -> None:
    """Replace `**options` in the signature of a class's own `__init__` by arguments that the next class accepts.

    `**options: Unpack[T]` stands for the keys of the typed dictionary `T`, any other `**options` for all arguments of
    the next class. Defaults and annotations are those of that class. An argument that `__init__` names keeps its own.

    Args:
        cls: Class that defines `__init__`. Calls are not affected.

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
        return  # nothing to replace, or unknown, such as the options of a mixin
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
    """Return the signature of a function, with types in place of their names if these can be looked up."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # an annotation may be any code, and name what is imported for type checkers only
        return inspect.signature(function)
