"""Ctrl-C, before there is anything to keep and after."""

import os
import signal
from types import FrameType


def put_off() -> None:
    """Let Ctrl-C just end this process for now, as an import that it cuts short may raise anything.

    A process that another has started, one of several devices, waits for what that one makes of it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as of a job in the background
        signal.signal(signal.SIGINT, _left_to_the_first if was_started_by_another() else signal.SIG_DFL)


def take_up() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, so that what was computed is kept."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, _left_to_the_first):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore() -> None:
    """Let Ctrl-C do nothing any more, as this process is ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def was_started_by_another() -> bool:
    """Whether another process of this command has started this one, to share the clips."""
    rank = os.environ.get("LOCAL_RANK", "")
    return rank.isdecimal() and int(rank) > 0


def _left_to_the_first(number: int, frame: FrameType | None) -> None:
    """Do nothing."""
