"""Training runs of a study, as jobs that one process carries out on one device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer

from ..datamodules import AudioDataModule
from ..probes.observers import Observers
from ..probes.run import RunKey
from ..probes.tensorboard import forget_run
from .fitting import PROGRESS, checks_of_validation
from .module import EndToEnd
from .pool import Place
from .run import TrainingRun, is_done
from .sounds import Sounds
from .stages import train_run


@dataclass(frozen=True)
class TrainingJob:
    """A training run of a study, with everything that another process needs to carry it out.

    Args:
        module: Module to train, with one learning rate or several.
        datamodule: Data set of the clips.
        key: Key of the run.
        folder: Folder of the run.
        config: YAML with which `untrained train --config` repeats the run.
        trainer: Options of Lightning's trainer, without the device.
        stores: Folder that holds all stores, with the cache of waveforms; by default, there is no cache.
        scores_first_epoch: Whether the validation accuracy after the first epoch is among the metrics.
    """

    module: EndToEnd
    datamodule: AudioDataModule
    key: RunKey
    folder: Path
    config: str
    trainer: Mapping[str, Any]
    stores: Path | None = None
    scores_first_epoch: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the folder of the run holds its complete results."""
        return self.is_done_in(self.folder)

    def is_done_in(self, folder: Path) -> bool:
        """Return whether a folder holds the complete results of a run with the same key."""
        return is_done(folder, self.key, self.datamodule)

    def forget(self) -> None:
        """Delete what an interrupted run has left, so that it starts again."""
        (self.folder / PROGRESS).unlink(missing_ok=True)
        forget_run(self.folder)

    def carry_out(self, place: Place) -> dict[str, Any]:
        """Train, or resume, with sounds that are read once for each data set, and return the metrics."""
        name, rate, crop = self.key.params["dataset"], self.module.frontend.sample_rate, self.module.random_crop
        sounds = place.sounds_of(self.datamodule, name, rate, self.stores, crop)
        return run_job(self, place.device, place.observers, place.say, sounds)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Decode the data set once, before several processes would each decode it; errors are left to the runs."""
        if self.stores:
            rate, crop = self.module.frontend.sample_rate, self.module.random_crop
            Sounds(self.datamodule, rate, stores=self.stores, say=say, random_crop=crop)


def devices_of(trainer: Trainer) -> list[torch.device]:
    """Return the devices of a trainer on this machine, on each of which training runs can be carried out."""
    kind = trainer.strategy.root_device.type
    if kind != "cuda":  # several processes on a CPU would share its cores
        return [trainer.strategy.root_device]
    return [torch.device(kind, index) for index in trainer.device_ids]


def run_job(
    job: TrainingJob,
    device: torch.device,
    observers: Callable[[], Observers],
    say: Callable[[str], None],
    sounds: Sounds | None = None,
) -> dict[str, Any]:
    """Carry out a training run, or resume it, and return its metrics.

    Args:
        job: Training run.
        device: Device to train on.
        observers: Function that creates the loggers and callbacks of one run.
        say: Function that shows a line of text to the user.
        sounds: Sounds of its data set, if they have been read already.

    Raises:
        UntrainedError: The data or a learning rate cannot be used.
    """
    seen_by = replace(observers(), callbacks=())  # those of a study belong to extractions and fits
    accelerator = "gpu" if device.type == "cuda" else device.type
    options = {
        **job.trainer,
        **checks_of_validation(job.trainer["max_steps"], 1),
        "accelerator": accelerator,
        "devices": [device.index or 0] if accelerator == "gpu" else 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
        "log_every_n_steps": 10,
        "default_root_dir": str(job.folder),
        # Otherwise sums of gradients on a GPU depend on timing, and with it on other runs.
        "deterministic": "warn" if accelerator == "gpu" else None,
    }
    run = TrainingRun(
        module=job.module,
        datamodule=job.datamodule,
        key=job.key,
        folder=job.folder,
        config=job.config,
        make_trainer=partial(Trainer, **options),
        observers=seen_by,
        is_first=True,
        n_processes=1,
        device=device,
        say=say,
        wait=lambda: None,
        sounds=sounds,
        scores_first_epoch=job.scores_first_epoch,
    )
    before = torch.are_deterministic_algorithms_enabled()
    try:
        return train_run(run)
    finally:
        torch.use_deterministic_algorithms(before)  # Lightning leaves it on
        seen_by.close()


def one_per_data_set(jobs: Sequence[TrainingJob]) -> list[TrainingJob]:
    """Return the first job of each data set and sample rate, whose sounds all others of them share."""
    found: dict[tuple[str, int], TrainingJob] = {}
    for job in jobs:
        found.setdefault((job.key.params["dataset"], job.module.frontend.sample_rate), job)
    return list(found.values())
