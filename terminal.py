"""Terminal: colours, widths, progress bars, Ctrl-C, and the end of a command.

Code below `commands` requests a progress bar with `bar` or `progress`; it is shown only if the running command has
called `show_bars`. rich is imported on first use.
"""

import contextlib
import io
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import TYPE_CHECKING, TextIO, TypeVar

from .escaping import for_terminal

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
Advance = Callable[[int], None]
PIPE_WIDTH = 200  # columns, if no terminal sets the width


def console(file: TextIO | None = None, *, soft_wrap: bool = True) -> "Console":
    """Return a console that does not interpret markup, and has colours only on a terminal without `NO_COLOR`.

    Args:
        file: File to print to; standard output by default.
        soft_wrap: Whether lines may be longer than the terminal is wide.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class _Console(Console):
        """Console that escapes control characters in text, but keeps its own colours."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            """Yield the segments to print, with control characters escaped."""
            for segment in super().render(renderable, options):
                text, style, control = segment
                yield segment if control else Segment(for_terminal(text, lines=True), style)

    width = None if (file or sys.stdout).isatty() else PIPE_WIDTH
    return _Console(file=file, width=width, markup=False, highlight=False, emoji=False, soft_wrap=soft_wrap)


def say(text: object, file: TextIO | None = None, *, flush: bool = False) -> None:
    """Print text, with all control characters except line breaks escaped.

    Args:
        text: Text to print.
        file: File to print to; standard output by default.
        flush: Whether to flush the file, so that a pipe receives the text at once.
    """
    print(for_terminal(text, lines=True), file=file, flush=flush)


def print_what_an_encoding_lacks() -> None:
    """Make standard output and error escape characters that they cannot encode, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _no_bar(description: str, total: int | None) -> Iterator[Advance]:
    yield lambda n: None


_make_bar: Callable[[str, int | None], AbstractContextManager[Advance]] = _no_bar


def bar(description: str, total: int | None) -> AbstractContextManager[Advance]:
    """Return a context with a progress bar, which is invisible unless the running command shows bars.

    Args:
        description: Text beside the bar.
        total: Number of items to process; None if it is unknown.

    Returns:
        Context manager that gives a function; call it with the number of items processed since the last call.

    Example:
        >>> with bar("decoding", 3) as advance:
        ...     advance(2)
    """
    return _make_bar(description, total)


def progress(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield items, and count them with a `bar`."""
    with bar(description, total) as advance:
        for item in items:
            yield item
            advance(1)


def show_bars() -> None:
    """Show progress bars on standard error, if it is a terminal."""
    global _make_bar
    _make_bar = _rich_bar if sys.stderr.isatty() and not is_child_process() else _no_bar


def hide_bars() -> None:
    """Hide progress bars from now on."""
    global _make_bar
    _make_bar = _no_bar


@contextlib.contextmanager
def _rich_bar(description: str, total: int | None) -> Iterator[Advance]:
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
    """Exit at once on Ctrl-C, because `KeyboardInterrupt` during an import would surface as an arbitrary error.

    A process that was started for one of several devices ignores Ctrl-C, which its parent handles.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # background jobs ignore Ctrl-C
        signal.signal(signal.SIGINT, _leave_to_first_process if is_child_process() else signal.SIG_DFL)


def raise_interrupts() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, so that results computed so far are kept."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, _leave_to_first_process):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C, because this process is ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def is_child_process() -> bool:
    """Return whether this process was started by another process of the same command, to share the clips."""
    rank = os.environ.get("LOCAL_RANK", "")
    return rank.isdecimal() and int(rank) > 0


def _leave_to_first_process(number: int, frame: FrameType | None) -> None:
    """Ignore the signal, which the first process handles."""


def end_with_parent() -> None:
    """End this process when the one that started it has ended, for example because a scheduler has killed it."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
