"""The two sizes at which the study compares frontends."""

from collections.abc import Mapping
from numbers import Integral
from typing import Literal

Size = Literal["small", "large"]


def choose(sizes: Mapping[str, int], size: Size | None, *, multiple_of: int = 1, **given: int | None) -> int:
    """The number that a preset stands for, or the one that was given instead of a preset.

    Args:
        sizes: What the presets stand for.
        size: Name of a preset.
        multiple_of: What the number must be a multiple of.
        given: The number itself, under the name of the argument that gives it.

    Returns:
        The number; that of the small preset where nothing was given.

    Raises:
        ValueError: Both were given, or the number is no positive integer or multiple.

    Example:
        >>> choose({"small": 8, "large": 256}, "large", n_filters=None)
        256
        >>> choose({"small": 8, "large": 256}, None, n_filters=12)
        12
    """
    ((name, number),) = given.items()
    if size is not None and (not isinstance(size, str) or size not in sizes):
        raise ValueError(f"size={size!r}; expected one of {', '.join(sizes)}")
    if number is None:
        return sizes[size or "small"]
    if size is not None:
        raise ValueError(f"size={size!r} and {name}={number!r} are both given; size stands for {name}={sizes[size]}")
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(f"{name}={number!r}; expected an integer of 1 or more")
    number = int(number)
    if number % multiple_of:
        nearest = max(multiple_of, round(number / multiple_of) * multiple_of)
        raise ValueError(f"{name}={number}; expected a multiple of {multiple_of}, as {nearest}")
    return number
