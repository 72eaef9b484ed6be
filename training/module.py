"""LightningModule that trains a frontend and a head end to end."""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..errors import TrainingError, UsageError
from ..files import plain
from ..frontends import Frontend
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..frontends.trainable import trainable
from ..probes.checkpoint import name_frontend
from .arguments import as_rates, refuse_odd_arguments
from .data import UNKNOWN, TrainingData
from .heads import Head, layers_of, pooling_of
from .network import Network
from .schedule import factor

CPU = torch.device("cpu")
MARK = "untrained"
"""Key of the metadata of a training run in Lightning's checkpoint."""


class EndToEnd(LightningModule):
    """LightningModule that trains a frontend and a head jointly, starting from the frontend's random weights.

    The optimiser is AdamW. The learning rate rises linearly and then falls to 0 along a cosine. Spectrograms are
    normalised by two numbers that are computed from the training clips; waveforms are unchanged.

    Args:
        frontend: Frontend to train; it is copied.
        head: Classification head: `linear` (BatchNorm without scale and shift and a linear layer on the embedding of a
            probe), `last` (the same on the last layer alone) or `musicnn` (a dense layer of 200 units with dropout on
            mean and maximum of all layers).
        learning_rate: Peak learning rate. If a list is given, `untrained train` trains with each value and keeps the
            one with the best validation accuracy.
        weight_decay: Weight decay; not applied to biases and normalisation layers.
        warmup: Share of the steps during which the learning rate rises.
        betas: Coefficients of AdamW's running averages.
        seed: Seed of the head's weights, of dropout and of the order of clips; by default, the seed of the frontend.
        circular_shift: Whether training clips start at a random sample and continue with their beginning.
        random_crop: Duration in s of the part of each training clip from which its input is cropped at random; 0 takes
            the start of the clip.
        head_only: Whether to train the head alone, on the frozen frontend. Its input is normalised, and its BatchNorm
            layers have statistics, as in a frontend that is trained.
        init: Distribution of the random weights; by default, that of the frontend.
        pooling: Pooling of the feature maps; by default, that of the frontend. The head `musicnn` has its own.

    Raises:
        ValueError: An argument is out of range, or the frontend has nothing to train.

    Example:
        Train with your own trainer::

            data = TrainingData.of(Synthetic("events"), sample_rate=12_000)
            Trainer(max_steps=1000, gradient_clip_val=1.0).fit(EndToEnd(VGG()), datamodule=data)
    """

    def __init__(
        self,
        frontend: Frontend,
        head: Head = "linear",
        learning_rate: float | list[float] = 1e-3,
        weight_decay: float = 1e-4,
        warmup: float = 0.05,
        betas: tuple[float, float] = (0.9, 0.999),
        seed: int | None = None,
        circular_shift: bool = False,
        random_crop: float = 0.0,
        head_only: bool = False,
        init: Init | None = None,
        pooling: Pooling | None = None,
    ) -> None:
        super().__init__()
        rates = as_rates(learning_rate)
        refuse_odd_arguments(head, weight_decay, warmup, betas, seed, random_crop)
        if not head_only:
            trainable(frontend)  # raises if there is nothing to train
        self.circular_shift, self.random_crop = bool(circular_shift), float(random_crop)
        read = frontend.with_options(init, pooling_of(head) or pooling)
        read.columns(layers_of(head))  # raises if there are no feature maps
        self.head, self.learning_rates, self.head_only = head, rates, head_only
        self.weight_decay, self.warmup, self.betas = weight_decay, warmup, (betas[0], betas[1])
        self.seed = frontend.seed % 2**32 if seed is None else seed
        self._frontend = [read]  # in a list, so that it is not a submodule
        self.network: Network | None = None
        self.about: dict[str, Any] = {}
        self._totals = torch.zeros(3, dtype=torch.float64)

    @property
    def weights(self) -> str:
        """Name of the weights in tables: `trained`, or `linear` for a head on a frozen frontend."""
        return "linear" if self.head_only else "trained"

    @property
    def changes_clips(self) -> bool:
        """Whether training clips are shifted or cropped at random, so that they differ in each epoch."""
        return self.circular_shift or self.random_crop > 0

    @property
    def frontend(self) -> Frontend:
        """The frontend as it was given, frozen, with the pooling that the head reads."""
        return self._frontend[0]

    def with_rate(self, learning_rate: float, frontend: Frontend | None = None) -> "EndToEnd":
        """Return an untrained module with one learning rate.

        Args:
            learning_rate: Its learning rate.
            frontend: Frontend to use instead of this module's, such as a calibrated one.
        """
        read = self.frontend if frontend is None else frontend
        changes = (self.circular_shift, self.random_crop, self.head_only)
        return EndToEnd(read, self.head, learning_rate, self.weight_decay, self.warmup, self.betas, self.seed, *changes)

    def build(self, n_classes: int) -> Network:
        """Create the network, if it does not exist yet.

        Args:
            n_classes: Number of classes.
        """
        if self.network is None:
            self.network = Network(self.frontend, self.head, n_classes, self.seed, freeze=self.head_only)
        return self.network

    def setup(self, stage: str) -> None:
        """Create the network for the classes of the data, and calibrate the input unless it is calibrated already.

        Raises:
            UsageError: The datamodule is not a `TrainingData`, or there are several learning rates.
        """
        if self.network is not None:
            return
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, TrainingData):
            raise UsageError(
                f"EndToEnd needs a TrainingData datamodule, got {type(data).__name__}; use "
                "TrainingData.of(datamodule, sample_rate)"
            )
        if len(self.learning_rates) > 1:
            raise UsageError(
                f"learning_rate={self.learning_rates}; a trainer can use only one learning rate, so pass one, or use "
                "`untrained train`"
            )
        if self.frontend.input_scalars == (0.0, 1.0):
            self._frontend = [calibrated(self.frontend, data)]
        self.build(len(data.class_names))

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return class scores (logits), `(batch, n_classes)`, of waveforms `(batch, n_samples)`."""
        if self.network is None:
            raise UsageError("the network does not exist yet; call build(n_classes) first")
        logits: Tensor = self.network(waveforms)
        return logits

    def configure_optimizers(self) -> Any:
        """Return AdamW, and a learning rate that rises linearly and falls along a cosine."""
        decayed = [p for p in self.parameters() if p.requires_grad and p.ndim > 1]
        others = [p for p in self.parameters() if p.requires_grad and p.ndim <= 1]  # biases, and weights of norms
        groups = [{"params": decayed, "weight_decay": self.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.learning_rates[0], betas=self.betas)
        n_steps = self.trainer.estimated_stepping_batches
        if not math.isfinite(n_steps):
            raise UsageError("training would never stop; set --trainer.max_steps or --trainer.max_epochs")
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(step, int(n_steps), self.warmup))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed dropout for the batch, so that a resumed training equals an uninterrupted one."""
        torch.manual_seed(hash((self.seed, self.current_epoch, batch_idx, self.global_rank)) % 2**63)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises:
            TrainingError: The loss is not finite.
        """
        waveforms, labels = batch
        logits = self(waveforms)
        loss = cross_entropy(logits.float(), labels)
        is_finite = bool(torch.isfinite(loss))
        if self.trainer.world_size > 1:  # all processes end at the same step
            is_finite = self.trainer.strategy.reduce_boolean_decision(is_finite, all=True)
        if not is_finite:
            raise self.diverged(f"the training loss is {float(loss.detach())}")
        values = {
            "train/loss": loss.detach(),
            "train/accuracy": (logits.argmax(1) == labels).float().mean(),
            "learning_rate": self._rate(),
        }
        self.log_dict(values, on_step=True, on_epoch=False, batch_size=len(labels))
        return loss

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Log the norm of the gradient, before it is clipped."""
        if (self.trainer.global_step + 1) % max(1, self.trainer.log_every_n_steps) == 0:  # type: ignore[attr-defined]
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.log("gradient_norm", nn.utils.get_total_norm(gradients), on_step=True, on_epoch=False)

    def on_validation_epoch_start(self) -> None:
        """Reset the sums over validation clips."""
        self._totals = torch.zeros(3, dtype=torch.float64, device=self._totals_device())

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Add the loss and the number of correct predictions of a batch to the sums."""
        waveforms, labels = batch
        logits = self(waveforms).float()
        known = labels != UNKNOWN
        loss = cross_entropy(logits[known], labels[known], reduction="sum") if known.any() else logits.sum() * 0
        right = (logits.argmax(1) == labels).sum()
        self._totals += torch.stack([loss, right, torch.full_like(loss, len(labels))]).to(self._totals)

    def on_validation_epoch_end(self) -> None:
        """Log the mean loss and the accuracy over all validation clips of all processes, each counted once.

        Raises:
            TrainingError: The loss is not finite.
        """
        totals = self.trainer.strategy.reduce(self._totals, reduce_op="sum")
        loss, right, n = (float(value) for value in totals)
        if not math.isfinite(loss):
            raise self.diverged(f"the validation loss is {loss / n}")
        self.log_dict({"val/loss": loss / n, "val/accuracy": right / n})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add metadata of the training run to Lightning's checkpoint, as plain values."""
        name, arguments = name_frontend(self.frontend)
        about = {"frontend": name, "arguments": arguments, "head": self.head, **self.about}
        checkpoint[MARK] = plain({**checkpoint.get(MARK, {}), **about})  # callbacks may have marked it

    def _totals_device(self) -> torch.device:
        # Devices of Apple have no float64.
        return self.device if self.device.type == "cuda" else torch.device("cpu")

    def _rate(self) -> float:
        return float(self.trainer.optimizers[0].param_groups[0]["lr"])

    def diverged(self, what: str) -> TrainingError:
        """Return the error for a training that has diverged.

        Args:
            what: What shows it.
        """
        rate = self.learning_rates[0]
        return TrainingError(
            f"{what} at step {self.trainer.global_step + 1}, with learning rate {self._rate():.3g}: training has "
            f"diverged. Lower --model.learning_rate, for example to {rate / 10:.3g}, or use a higher "
            "--trainer.precision; "
            "checkpoints that were saved are kept"
        )


def calibrated(frontend: Frontend, data: TrainingData, device: torch.device = CPU) -> Frontend:
    """Return a copy of a frontend whose input is normalised by the training clips.

    Args:
        frontend: Frontend to copy.
        data: Data whose training clips are read.
        device: Device to compute on; the copy is on the CPU.

    Raises:
        UsageError: The clips cannot be used.
    """
    found = copy.deepcopy(frontend)
    found.draw()
    # Devices of Apple have no float64, in which statistics are summed.
    place = torch.device("cpu") if device.type == "mps" else device
    found.to(place)
    try:
        found.calibrate(_Moved(data.waveforms(), place))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return found.to("cpu")


@dataclass(frozen=True)
class _Moved:
    """Batches of waveforms on a device, which can be read several times."""

    batches: Iterable[Tensor]
    device: torch.device

    def __iter__(self) -> Iterator[Tensor]:
        return (batch.to(self.device) for batch in self.batches)


def rates_as_text(rates: Sequence[float]) -> str:
    """Return learning rates as text for messages."""
    return ", ".join(f"{rate:g}" for rate in rates)
