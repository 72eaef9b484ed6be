"""Presets for the two sizes at which Pons & Serra (2018) compare frontends."""

from collections.abc import Mapping
from numbers import Integral
from typing import Literal

Size = Literal["small", "large"]


def choose(sizes: Mapping[str, int], size: Size | None, *, multiple_of: int = 1, **given: int | None) -> int:
    """Return the number of filters or features of a preset, or the number that is given instead of a preset.

    Args:
        sizes: Number of each preset.
        size: Name of a preset, or None.
        multiple_of: Required divisor of the number.
        given: The number itself, or None, by the name of its argument.

    Returns:
        The number, which is that of the `small` preset by default.

    Raises:
        ValueError: The preset is unknown, both are given, or the number is not a positive integer or not a multiple of
            `multiple_of`.

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
        raise ValueError(
            f"size={size!r} and {name}={number!r} are both given; leave out one (size={size!r} means "
            f"{name}={sizes[size]})"
        )
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(f"{name}={number!r}; expected an integer of 1 or more")
    number = int(number)
    if number % multiple_of:
        nearest = max(multiple_of, round(number / multiple_of) * multiple_of)
        raise ValueError(f"{name}={number}; expected a multiple of {multiple_of}, such as {nearest}")
    return number
