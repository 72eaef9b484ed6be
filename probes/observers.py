"""Observers of a run: the loggers and callbacks that the user names, or TensorBoard."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback
from pytorch_lightning.loggers import Logger

from . import tensorboard


@dataclass(frozen=True)
class Observers:
    """Loggers and callbacks of a run.

    Args:
        loggers: Loggers that the user names; None for TensorBoard in the folder of the run.
        callbacks: Callbacks that the user names, called in the loops that extract, fit and test.
        of_study: Whether the run belongs to a study, whose table of hyper-parameters holds means over seeds instead of
            the run.
    """

    loggers: Sequence[Logger] | None = None
    callbacks: Sequence[Callback] = ()
    of_study: bool = False

    @classmethod
    def of(cls, logger: Any, callbacks: Any, *, of_study: bool = False) -> "Observers":
        """Return the observers that two arguments of a trainer stand for.

        Args:
            logger: A logger, several, False for none, or None or True for TensorBoard.
            callbacks: A callback, several, or None.
            of_study: Whether the run belongs to a study.
        """
        loggers = None if logger is None or logger is True else _listed(logger)
        return cls(loggers, _listed(callbacks), of_study=of_study)

    @property
    def in_loops(self) -> list[Logger] | bool:
        """Argument `logger` of the trainer of a loop: a callback may log there what the run does not."""
        return list(self.loggers) if self.loggers and self.callbacks else False

    def log(self, action: Callable[[Logger], None], folder: Path) -> list[str]:
        """Let each logger log a run; warn of each that fails, so that the result is not lost.

        Args:
            action: Function that logs to one logger.
            folder: Folder of the run.

        Returns:
            A note on each logger that has failed.
        """
        if self.loggers is None:
            logger = tensorboard.run_logger(folder)
            return [*_attempt(action, logger), *_attempt(lambda logger: logger.experiment.close(), logger)]
        return [note for logger in self.loggers for each in (action, _save) for note in _attempt(each, logger)]

    def close(self) -> None:
        """End the loggers that the user names; each run of a study has its own."""
        for logger in self.loggers or ():
            _attempt(_end, logger)


def _attempt(action: Callable[[Any], None], logger: Logger) -> list[str]:
    """Apply a function to a logger; if it fails, warn and return a note."""
    try:
        action(logger)
    except Exception as error:  # a logger, or a plug-in that cannot be drawn, may raise anything
        note = f"{type(logger).__name__} lacks a part of the run ({type(error).__name__}: {error})"
        warnings.warn(note, stacklevel=3)
        return [note]
    return []


def _save(logger: Logger) -> None:
    """Write what a logger holds."""
    logger.save()


def _end(logger: Logger) -> None:
    """End a logger and its run: Weights & Biases would continue it with the next run of a study."""
    logger.finalize("success")
    finish = getattr(getattr(logger, "experiment", None), "finish", None)
    if callable(finish):
        finish()


def _listed(value: Any) -> list[Any]:
    """Return one or several values as a list; none if there is nothing."""
    if not value:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
