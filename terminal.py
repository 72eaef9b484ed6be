"""The terminal: colours, widths, progress bars and Ctrl-C.

Nothing below `commands` shows a bar by itself: it asks for one with `bar` or `progress`, and gets one only if the
running command has called `show_bars`. rich is imported when something is printed with it.
"""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import TYPE_CHECKING, TextIO, TypeVar

from .escaping import for_terminal

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
Advance = Callable[[int], None]
PIPE_WIDTH = 200  # columns where no terminal sets the width


def console(file: TextIO | None = None, *, soft_wrap: bool = True) -> "Console":
    """Return a console that prints text without markup, in colours only on a terminal and without `NO_COLOR`.

    Args:
        file: File to print to; standard output by default.
        soft_wrap: Whether lines may be longer than the terminal is wide.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class _Console(Console):
        """Console whose texts cannot control the terminal; its own colours still do."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            """Yield what is printed, with control characters escaped."""
            for segment in super().render(renderable, options):
                text, style, control = segment
                yield segment if control else Segment(for_terminal(text, lines=True), style)

    width = None if (file or sys.stdout).isatty() else PIPE_WIDTH
    return _Console(file=file, width=width, markup=False, highlight=False, emoji=False, soft_wrap=soft_wrap)


def say(text: object, file: TextIO | None = None, *, flush: bool = False) -> None:
    """Print text of one or more lines, whose other control characters are escaped.

    Args:
        text: Text to print.
        file: File to print to; standard output by default.
        flush: Whether to print it at once, also to a pipe.
    """
    print(for_terminal(text, lines=True), file=file, flush=flush)


def print_what_an_encoding_lacks() -> None:
    """Print characters that standard output cannot encode as escapes, so that no work is lost by an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _no_bar(description: str, total: int) -> Iterator[Advance]:
    yield lambda n: None


_make_bar: Callable[[str, int], AbstractContextManager[Advance]] = _no_bar


def bar(description: str, total: int) -> AbstractContextManager[Advance]:
    """Return a context with a progress bar, which shows nothing unless the running command shows bars.

    Args:
        description: What is being done.
        total: Number of items to do.

    Returns:
        A context manager whose value is a function to call with the number of items that have been done since.

    Example:
        >>> with bar("decoding", 3) as advance:
        ...     advance(2)
    """
    return _make_bar(description, total)


def progress(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield the items with a `bar` that counts them."""
    with bar(description, total) as advance:
        for item in items:
            yield item
            advance(1)


def show_bars() -> None:
    """Show the bars of this process on standard error, if that is a terminal."""
    global _make_bar
    _make_bar = _rich_bar if sys.stderr.isatty() and not is_child_process() else _no_bar


def hide_bars() -> None:
    """Show no bars of this process from now on."""
    global _make_bar
    _make_bar = _no_bar


@contextlib.contextmanager
def _rich_bar(description: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    global _make_bar
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(for_terminal(description), total=total)
        _make_bar = _no_bar  # one bar at a time
        try:
            yield lambda n: shown.advance(task, n)
        finally:
            _make_bar = _rich_bar


def delay_interrupts() -> None:
    """Let Ctrl-C end this process at once, because an import that it cuts short may raise anything.

    A process that another one has started for one of several devices leaves Ctrl-C to its parent.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in a background job
        signal.signal(signal.SIGINT, _leave_to_the_first if is_child_process() else signal.SIG_DFL)


def raise_interrupts() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, so that computed work is kept."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, _leave_to_the_first):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C, because this process is ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def is_child_process() -> bool:
    """Return whether another process of the same command has started this one to share the clips."""
    rank = os.environ.get("LOCAL_RANK", "")
    return rank.isdecimal() and int(rank) > 0


def _leave_to_the_first(number: int, frame: FrameType | None) -> None:
    """Do nothing."""
