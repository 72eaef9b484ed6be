"""Error handling for multi-process extractions in which a process dies."""

import contextlib
import logging
from collections.abc import Callable, Iterator

import torch

from ..errors import UntrainedError

_KEPT = "embeddings written so far are kept; run the same command again to compute the missing ones"
# Logger of Lightning that reports the end of a process before Lightning kills all processes.
_OBSERVER = "lightning_fabric.strategies.launchers.subprocess_script"
_LOST = ("gloo", "nccl", "connection closed by peer", "connection reset by peer", "broken pipe")  # in lower case


@contextlib.contextmanager
def lost_process_explained(say: Callable[[str], None]) -> Iterator[None]:
    """Explain errors that occur because another process was killed: what is kept, and what to do.

    Args:
        say: Function that shows a line of text to the user. It is called if Lightning is about to kill this process.

    Raises:
        UntrainedError: The connection to another process is lost.
    """
    logger, handler = logging.getLogger(_OBSERVER), _KillHandler(say)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise UntrainedError(f"another process of this command ended unexpectedly ({reason}); {_KEPT}") from error
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def leave_process_group() -> None:
    """Leave the process group of an extraction, so that this process continues or ends independently of the others."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _is_lost_connection(error: RuntimeError) -> bool:
    is_of_torch = torch.distributed.is_available() and isinstance(error, torch.distributed.DistError)
    return is_of_torch or any(word in str(error).lower() for word in _LOST)


class _KillHandler(logging.Handler):
    """Logging handler that shows the error of another process before Lightning kills this one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Show why Lightning ends all processes."""
        text = record.getMessage()
        if "terminated with code" in text:
            reason = text.partition(" Forcefully")[0].rpartition("] ")[2].rstrip(".")
            self._say(f"untrained: error: another process of this command ended unexpectedly ({reason}); {_KEPT}")
