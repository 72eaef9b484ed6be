"""Observers of a run: the loggers and callbacks that the user names, or TensorBoard."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

    @contextmanager
    def logging(self, folder: Path) -> Iterator[list[Logger]]:
        """Give the loggers of a run, and write what they have logged.

        Args:
            folder: Folder of the run.
        """
        if self.loggers is None:
            logger = tensorboard.run_logger(folder)
            yield [logger]
            logger.experiment.close()
        else:
            yield list(self.loggers)
            for each in self.loggers:
                each.save()

    def close(self) -> None:
        """End the loggers that the user names; each run of a study has its own."""
        for logger in self.loggers or ():
            logger.finalize("success")
            finish = getattr(getattr(logger, "experiment", None), "finish", None)
            if callable(finish):  # Weights & Biases would continue this run with the next one of a study
                finish()


def _listed(value: Any) -> list[Any]:
    """Return one or several values as a list; none if there is nothing."""
    if not value:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
