"""Callbacks of a training run: its best checkpoint, that of the last finished epoch, and a score of the first epoch."""

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from .module import MARK

BEST, LAST = "best.ckpt", "last.ckpt"
RESUMABLE = "resumable"
"""Key, in the metadata of a checkpoint, that marks the checkpoint of a finished epoch."""


class BestLoss(ModelCheckpoint):
    """Callback that saves the best checkpoint; its state is separate from that of a user's `ModelCheckpoint`."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best loss, even if the folder was moved; if the file is missing, start without a best loss."""
        if not (Path(str(self.dirpath)) / BEST).is_file():
            return

        def here(path: Any) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else ""

        moved = {name: here(state_dict.get(name)) for name in ("best_model_path", "kth_best_model_path")}
        best = {here(path): score for path, score in state_dict.get("best_k_models", {}).items()}
        super().load_state_dict(
            {**state_dict, **moved, "dirpath": self.dirpath, "best_k_models": best, "last_model_path": ""}
        )


class FinishedEpoch(ModelCheckpoint):
    """Callback that saves a checkpoint after each epoch, from which Lightning resumes with the next epoch.

    Lightning saves the state of its loops before it counts the epoch. Depending on when validation ran, it would
    resume in the middle of an epoch or skip one.
    """

    _is_saving = False

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save a checkpoint in which the epoch is counted."""
        self._is_saving = True
        try:
            super().on_train_epoch_end(trainer, pl_module)
        finally:
            self._is_saving = False

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Mark the checkpoint and count the epoch in the state of the loops, if this checkpoint is being saved."""
        if not self._is_saving:  # another checkpoint, such as that of a callback of the user
            return
        checkpoint[MARK] = {**checkpoint.get(MARK, {}), RESUMABLE: True}
        loops = checkpoint["loops"]["fit_loop"]
        for counts in (loops["epoch_progress"]["total"], loops["epoch_progress"]["current"]):
            counts.update(dict.fromkeys(counts, counts["processed"]))
        for name in ("epoch_loop.batch_progress", "epoch_loop.val_loop.batch_progress"):
            loops[name]["current"] = dict.fromkeys(loops[name]["current"], 0)
            loops[name]["is_last_batch"] = False


class FirstEpoch(Callback):
    """Callback that computes the validation accuracy after the first epoch, without affecting the training.

    Checkpoints keep it, so that a resumed training has it too.

    Attributes:
        accuracy: Accuracy on the validation clips; None before the end of the first epoch.
    """

    def __init__(self) -> None:
        self.accuracy: float | None = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Score the validation clips after the first epoch."""
        if self.accuracy is not None or trainer.current_epoch > 0:
            return
        modes = {module: module.training for module in pl_module.modules()}
        pl_module.eval()
        right = n = 0
        with torch.no_grad():
            for batch, labels in trainer.datamodule.val_dataloader():  # type: ignore[attr-defined]
                predicted = pl_module(batch.to(pl_module.device)).argmax(1)
                right += int((predicted == labels.to(predicted.device)).sum())
                n += len(labels)
        for module, is_training in modes.items():
            module.training = is_training
        self.accuracy = right / n

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"accuracy": self.accuracy}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what a checkpoint kept."""
        self.accuracy = state_dict["accuracy"]
