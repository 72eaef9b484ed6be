"""Training runs of a study: each is carried out by one process on one device, alone or beside others."""

import contextlib
import itertools
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from pickle import PicklingError
from typing import Any

import torch
from pytorch_lightning import Trainer

from ..datamodules import AudioDataModule
from ..errors import TrainingError
from ..probes.observers import Observers
from ..probes.run import RunKey
from ..probes.tensorboard import forget_run
from ..terminal import end_with_parent, hide_bars
from .fitting import PROGRESS, checks_of_validation
from .module import EndToEnd
from .run import TrainingRun, is_done
from .sounds import Sounds
from .stages import train_run

_REMEDY = "a plug-in cannot be sent to another process; define it in a module, or use --training.jobs 1"
Outcome = tuple["TrainingJob", str]
"""A training run, and its error with the traceback as text; the text is empty if it succeeded."""


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
    """

    module: EndToEnd
    datamodule: AudioDataModule
    key: RunKey
    folder: Path
    config: str
    trainer: Mapping[str, Any]
    stores: Path | None = None

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
    )
    before = torch.are_deterministic_algorithms_enabled()
    try:
        return train_run(run)
    finally:
        torch.use_deterministic_algorithms(before)  # Lightning leaves it on
        seen_by.close()


def run_jobs(
    jobs: Sequence[TrainingJob],
    devices: Sequence[torch.device],
    n_shared: int,
    observers: Callable[[], Observers],
    say: Callable[[str], None],
) -> Iterator[Outcome]:
    """Carry out training runs, and yield each with its error as soon as it has ended; the others go on.

    Each run has its own seeds, so results do not depend on the number of processes: on a CPU bit for bit, and on a GPU
    as far as its operations are deterministic.

    Args:
        jobs: Training runs.
        devices: Devices to train on.
        n_shared: Number of runs that share a device at the same time.
        observers: Function that creates the loggers and callbacks of one run.
        say: Function that shows a line of text to the user.

    Raises:
        TrainingError: A process was killed; the finished runs have been yielded.
    """
    n_processes = min(len(jobs), n_shared * len(devices))  # 0 without training runs
    if n_processes < 2:
        read: dict[Any, tuple[AudioDataModule, Sounds]] = {}
        for job in jobs:
            yield job, _error_of(job, devices[0], observers, say, read)
        return
    _fill_cache(jobs, say)
    context = get_context("spawn")  # CUDA cannot be used in a process that is forked
    places = context.Queue()
    for device in itertools.islice(itertools.cycle(devices), n_processes):
        places.put(device)
    # On a CPU, sums depend on the number of threads, so that it stays as in a single process.
    n_threads = torch.get_num_threads() // (n_processes if devices[0].type == "cuda" else 1)
    setting = (places, max(1, n_threads), observers)
    with ProcessPoolExecutor(n_processes, context, _enter, setting) as pool:
        waiting = {pool.submit(_in_process, job): job for job in jobs}
        try:
            for future in as_completed(waiting):
                try:
                    error, lines = future.result()
                except (PicklingError, AttributeError, TypeError) as problem:
                    error, lines = f"{type(problem).__name__}: {problem}; {_REMEDY}\n", []
                for line in lines:
                    say(line)
                yield waiting[future], error
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process of a training run was ended from outside, perhaps because memory ran out; run the same "
                f"command again, with --training.jobs {max(1, n_shared // 2)}: finished runs and epochs are kept"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list((pool._processes or {}).values()):
                with contextlib.suppress(Exception):
                    process.terminate()


def _error_of(
    job: TrainingJob,
    device: torch.device,
    observers: Callable[[], Observers],
    say: Callable[[str], None],
    read: dict[Any, tuple[AudioDataModule, Sounds]],
) -> str:
    """Carry out a training run with sounds that are read once for each data set, and return its error."""
    rate = job.module.frontend.sample_rate
    place = (job.key.params["dataset"], rate)
    try:
        if place not in read:
            longer = job.module.random_crop
            read[place] = job.datamodule, Sounds(job.datamodule, rate, stores=job.stores, say=say, random_crop=longer)
        datamodule, sounds = read[place]
        run_job(replace(job, datamodule=datamodule), device, observers, say, sounds)
    except Exception as error:  # a plug-in may raise anything
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return f"{line}\n\n{''.join(traceback.format_exception(error))}"
    return ""


def _fill_cache(jobs: Sequence[TrainingJob], say: Callable[[str], None]) -> None:
    """Decode each data set once, before several processes would each decode it; errors are left to the runs."""
    places = {(job.key.params["dataset"], job.module.frontend.sample_rate): job for job in jobs if job.stores}
    for (_, rate), job in places.items():
        with contextlib.suppress(Exception):
            Sounds(job.datamodule, rate, stores=job.stores, say=say, random_crop=job.module.random_crop)


_here: dict[str, Any] = {}  # device, observers and sounds of a process that carries out training runs


def _enter(places: Any, n_threads: int, observers: Callable[[], Observers]) -> None:
    """Prepare a process that carries out training runs."""
    end_with_parent()
    hide_bars()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    torch.set_num_threads(n_threads)
    _here.update(device=places.get(), observers=observers, read={})


def _in_process(job: TrainingJob) -> tuple[str, list[str]]:
    """Carry out a training run in a process of its own, and return its error and its messages."""
    lines: list[str] = []
    return _error_of(job, _here["device"], _here["observers"], lines.append, _here["read"]), lines
