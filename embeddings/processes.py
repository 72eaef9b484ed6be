"""The processes that share the clips of an extraction: what the user learns when one of them ends too early."""

import contextlib
import logging
from collections.abc import Callable, Iterator

import torch

from ..errors import UntrainedError

_KEPT = "what was written so far is kept; run the same command again to compute the rest"
_OBSERVER = "lightning_fabric.strategies.launchers.subprocess_script"  # which logs the end of a process, then kills all
_LOST = ("gloo", "nccl", "connection closed by peer", "connection reset by peer", "broken pipe")  # in lower case


@contextlib.contextmanager
def lost_process_explained(say: Callable[[str], None]) -> Iterator[None]:
    """Add what is kept and what to do to the errors that follow when another process was killed.

    Args:
        say: Function that shows a line of text to the user. It is called if Lightning kills this process as well.

    Raises:
        UntrainedError: The connection to another process is lost.
    """
    logger, handler = logging.getLogger(_OBSERVER), _Said(say)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise UntrainedError(f"another process of this command has ended too early ({reason}); {_KEPT}") from error
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def leave_process_group() -> None:
    """Separate the processes of an extraction, so that each continues or ends alone."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _is_lost_connection(error: RuntimeError) -> bool:
    is_of_torch = torch.distributed.is_available() and isinstance(error, torch.distributed.DistError)
    return is_of_torch or any(word in str(error).lower() for word in _LOST)


class _Said(logging.Handler):
    """Handler that says what a process that is about to be killed cannot say any more."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Show the reason of the end of all processes."""
        text = record.getMessage()
        if "terminated with code" in text:
            reason = text.partition(" Forcefully")[0].rpartition("] ")[2].rstrip(".")
            self._say(f"untrained: error: another process of this command has ended too early ({reason}); {_KEPT}")
