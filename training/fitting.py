"""One training run with Lightning's trainer, and its checkpoints."""

import contextlib
import copy
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger

from ..errors import TrainingError, UsageError
from ..files import read_json, write_atomically
from ..frontends.precision import float32_products
from .checkpoints import BEST, LAST, BestLoss, FinishedEpoch, FirstEpoch
from .data import TrainingData
from .module import EndToEnd

PROGRESS = "progress.json"
"""Name of the file that records finished training runs."""
N_CHECKS = 20  # number of checks of the validation loss in a budget of steps

MakeTrainer = Callable[..., Trainer]
"""Function that creates a trainer from the user's options and further ones."""


@dataclass(frozen=True)
class Ended:
    """Outcome of a training run.

    Args:
        step: Number of steps of the checkpoint with the best validation loss.
        last_step: Number of steps of the training run.
        loss: Best validation loss.
        failed: Error message if training failed; empty otherwise.
        first_epoch: Validation accuracy after the first epoch; None if it was not asked for.
    """

    step: int = 0
    last_step: int = 0
    loss: float = 0.0
    failed: str = ""
    first_epoch: float | None = None


class Progress:
    """Record of finished training runs in a file, which is used to resume an interrupted run.

    Args:
        folder: Folder of the run.
        identity: Digest of all settings that affect the result.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._path, self._identity = folder / PROGRESS, identity

    @property
    def is_of_this_run(self) -> bool:
        """Whether the folder contains the record of this run."""
        return bool(self._read().get("identity") == self._identity)

    def start(self) -> None:
        """Reset the record."""
        self._write({})

    def ended(self) -> dict[str, Ended]:
        """Return the outcomes of finished training runs, by name."""
        found = self._read().get("ended", {}) if self.is_of_this_run else {}
        return {name: Ended(**each) for name, each in found.items()}

    def add(self, name: str, ended: Ended) -> None:
        """Record the outcome of a training run."""
        self._write({**self.ended(), name: ended})

    def end(self) -> None:
        """Remove the file, because the run is done."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            found = read_json(self._path)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, ended: Mapping[str, Ended]) -> None:
        content = {"identity": self._identity, "ended": {name: vars(each) for name, each in ended.items()}}
        write_atomically(self._path, json.dumps(content, indent=1).encode())


def train_once(
    module: EndToEnd,
    data: TrainingData,
    make_trainer: MakeTrainer,
    folder: Path,
    callbacks: Sequence[Callback],
    loggers: Sequence[Logger] | None,
    *,
    scores_first_epoch: bool = False,
) -> Ended:
    """Train a module, from its last finished epoch if the folder holds one.

    Args:
        module: Module with one learning rate.
        data: Clips to train and to validate on.
        make_trainer: Function that makes the trainer.
        folder: Folder for the checkpoints and, by default, the curves.
        callbacks: Callbacks of the user, which are copied.
        loggers: Loggers of the user; None for TensorBoard in the folder.
        scores_first_epoch: Whether to compute the validation accuracy after the first epoch.

    Raises:
        TrainingError: The loss is not finite, or training has ended before the first validation.
        UsageError: The options of the trainer or the data do not allow a training.
    """
    from ..probes.tensorboard import run_logger

    options: dict[str, Any] = {"dirpath": folder, "every_n_epochs": 1, "enable_version_counter": False}
    best = BestLoss(
        filename="best", monitor="val/loss", save_weights_only=True, save_on_train_epoch_end=False, **options
    )
    last = FinishedEpoch(filename="last", save_on_train_epoch_end=True, **options)
    first = [FirstEpoch()] if scores_first_epoch else []
    trainer = make_trainer(
        callbacks=[*copy.deepcopy(list(callbacks)), *first, best, last],
        logger=[run_logger(folder)] if loggers is None else list(loggers),
    )
    path = str(folder / LAST) if (folder / LAST).is_file() else None
    with quiet(), float32_products():
        try:
            trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
        except MisconfigurationException as error:
            raise UsageError(_line(error)) from error
        except RuntimeError as error:
            if str(error).startswith("Early stopping conditioned on metric"):
                raise UsageError(_line(error)) from error
            if "without overflow" not in str(error):  # of a step of the optimiser
                raise
            raise module.diverged(f"a step is too large ({error})") from error
    if best.best_model_score is None or not (folder / BEST).is_file():
        if path is not None:
            raise TrainingError(
                f"training is over, but the best checkpoint {folder / BEST} does not exist; pass --force without "
                "--ckpt_path to train from the start"
            )
        raise TrainingError(
            "training stopped before the first validation, so no checkpoint was saved; increase --trainer.max_steps or "
            "--trainer.max_time"
        )
    step, accuracy = read_best(folder)["global_step"], first[0].accuracy if first else None
    return Ended(step, trainer.global_step, float(best.best_model_score), first_epoch=accuracy)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def checks_of_validation(max_steps: int, accumulated: int) -> dict[str, Any]:
    """Return options of a trainer for 20 checks of the validation loss during a budget of steps.

    Args:
        max_steps: Number of steps; -1 for a budget in epochs, after each of which the loss is checked.
        accumulated: Number of batches for each step.
    """
    if max_steps < 0:
        return {}
    return {"val_check_interval": -(-max_steps // N_CHECKS) * accumulated, "check_val_every_n_epoch": None}


def read_best(folder: Path) -> dict[str, Any]:
    """Return the checkpoint with the best validation loss."""
    found: dict[str, Any] = torch.load(folder / BEST, map_location="cpu", weights_only=True)
    return found


def forget_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of a run and its trainings."""
    for name in (BEST, LAST):
        for path in folder.rglob(name):
            path.unlink()
    shutil.rmtree(folder / "trainings", ignore_errors=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings of Lightning that are expected here."""
    with warnings.catch_warnings():
        for text in (
            "Checkpoint directory .* exists",
            "The dirpath has changed",
            ".*does not have many workers",
            ".*The number of training batches",
            ".*`isinstance.treespec, LeafSpec.`",
            ".*Detected call of `lr_scheduler.step",
            "Found .* in eval mode",  # a frozen frontend
        ):
            warnings.filterwarnings("ignore", text)
        yield


def refuse_odd_budget(options: Mapping[str, Any]) -> None:
    """Raise if options of a trainer prevent training or the choice of a checkpoint.

    Args:
        options: Options by name, as parsed.

    Raises:
        UsageError: An option is invalid.
    """
    for name in ("max_steps", "max_epochs"):
        value = options.get(name)
        if value is not None and (value == 0 or value < -1):
            raise UsageError(f"--trainer.{name} {value}: nothing would be trained; give 1 or more")
    if options.get("max_epochs") == -1 and options.get("max_steps") == -1:
        raise UsageError(
            "--trainer.max_epochs -1: training would never stop; set --trainer.max_steps or --trainer.max_epochs"
        )
    for name in ("limit_train_batches", "limit_val_batches"):
        if options.get(name) == 0:
            raise UsageError(
                f"--trainer.{name} 0: training needs training and validation batches; remove the option, or set it "
                "above 0"
            )
    if options.get("enable_checkpointing") is False:
        raise UsageError(
            "--trainer.enable_checkpointing false: checkpoints are required, because the best one is the result; "
            "remove the option"
        )
    for name in ("fast_dev_run", "barebones"):
        if options.get(name):
            raise UsageError(f"--trainer.{name} saves no checkpoint; for a short trial, use --trainer.max_steps 1")
    if str(options.get("devices", "auto")) in ("0", "[]"):
        raise UsageError(f"--trainer.devices {options['devices']}: devices are counted; give 1 or more, or auto")
