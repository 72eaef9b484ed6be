"""Writing for a terminal, and for what is none: colours, widths, bars and control characters."""

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
_PIPED = 200  # columns of what no terminal shows


def console(file: TextIO | None = None, *, soft_wrap: bool = True) -> Console:
    """A console that prints text as it is; in colours only on a terminal, and without `NO_COLOR`.

    Args:
        file: Where to, by default standard output.
        soft_wrap: Whether lines may be longer than a terminal is wide.
    """
    width = None if (file or sys.stdout).isatty() else _PIPED
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False, soft_wrap=soft_wrap)


def progress(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield the items with a progress bar, where standard error is a terminal."""
    yield from track(
        items,
        description,
        total=total,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def visible(text: str) -> str:
    r"""Text whose control characters a terminal does not obey.

    Example:
        >>> visible("two\nlines")
        'two\\nlines'
    """
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
