"""Observers of a run: loggers and callbacks of the user, or TensorBoard by default."""

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
        loggers: Loggers of the user; None for TensorBoard in the folder of the run.
        callbacks: Callbacks of the user, which are called in the loops that extract, fit and test.
        of_study: Whether the run belongs to a study. The hyper-parameter table of a study lists means over seeds
            instead of single runs.
    """

    loggers: Sequence[Logger] | None = None
    callbacks: Sequence[Callback] = ()
    of_study: bool = False

    @classmethod
    def of(cls, logger: Any, callbacks: Any, *, of_study: bool = False) -> "Observers":
        """Return the observers for the `logger` and `callbacks` arguments of a trainer.

        Args:
            logger: Logger or list of loggers; False for no logger, None or True for TensorBoard.
            callbacks: Callback or list of callbacks; None for no callbacks.
            of_study: Whether the run belongs to a study.
        """
        loggers = None if logger is None or logger is True else _listed(logger)
        return cls(loggers, _listed(callbacks), of_study=of_study)

    @property
    def in_loops(self) -> list[Logger] | bool:
        """Value of the `logger` argument for the trainer of a loop, where only callbacks log."""
        return list(self.loggers) if self.loggers and self.callbacks else False

    def log(self, action: Callable[[Logger], None], folder: Path) -> list[str]:
        """Log a run to each logger. A logger that fails causes a warning instead of an error, so no result is lost.

        Args:
            action: Function that logs to one logger.
            folder: Folder of the run.

        Returns:
            One note on each failure.
        """
        if self.loggers is None:
            logger = tensorboard.run_logger(folder)
            return [*_attempt(action, logger), *_attempt(lambda logger: logger.experiment.close(), logger)]
        return [note for logger in self.loggers for each in (action, _save) for note in _attempt(each, logger)]

    def close(self) -> None:
        """Finalise the loggers of the user, because each run of a study has its own loggers."""
        for logger in self.loggers or ():
            _attempt(_end, logger)


def _attempt(action: Callable[[Any], None], logger: Logger) -> list[str]:
    """Apply a function to a logger; if the function fails, warn and return a note."""
    try:
        action(logger)
    except Exception as error:  # loggers, and figures of plug-ins, may raise any error
        note = f"{type(logger).__name__} could not log the whole run ({type(error).__name__}: {error})"
        warnings.warn(note, stacklevel=3)
        return [note]
    return []


def _save(logger: Logger) -> None:
    """Save the data of a logger."""
    logger.save()


def _end(logger: Logger) -> None:
    """Finalise a logger and finish its run, which Weights & Biases would otherwise continue with the next run."""
    logger.finalize("success")
    finish = getattr(getattr(logger, "experiment", None), "finish", None)
    if callable(finish):
        finish()


def _listed(value: Any) -> list[Any]:
    """Return one value or several values as a list; an empty list for None or False."""
    if not value:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
