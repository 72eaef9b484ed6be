"""Jobs of a study: each is carried out by one process on one device, alone or beside others."""

import contextlib
import itertools
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from pickle import PicklingError
from typing import Any, NamedTuple, Protocol, TypeVar

import torch

from ..datamodules import AudioDataModule
from ..errors import TrainingError
from ..probes.observers import Observers
from ..terminal import end_with_parent, hide_bars
from .sounds import Sounds

_REMEDY = "a plug-in cannot be sent to another process; define it in a module, or use"


class Place(NamedTuple):
    """Where a job is carried out.

    Args:
        device: Device to compute on.
        observers: Function that creates the loggers and callbacks of one run.
        say: Function that shows a line of text to the user.
        read: What earlier jobs of the process have read, such as the sounds of a data set, by any key.
    """

    device: torch.device
    observers: Callable[[], Observers]
    say: Callable[[str], None]
    read: dict[Any, Any]

    def sounds_of(
        self, datamodule: AudioDataModule, name: str, sample_rate: int, stores: Path | None, random_crop: float = 0
    ) -> Sounds:
        """Return the sounds of a data set, which each process reads once.

        Args:
            datamodule: Data set.
            name: Name of the data set.
            sample_rate: Sample rate in Hz.
            stores: Folder that holds all stores, with the cache of waveforms.
            random_crop: Duration in s of longer waveforms; 0 if there are none.
        """
        place = (name, sample_rate)
        if place not in self.read:
            self.read[place] = Sounds(datamodule, sample_rate, stores=stores, say=self.say, random_crop=random_crop)
        found: Sounds = self.read[place]
        return found


class Job(Protocol):
    """Work of a study that one process carries out on one device, and that can be sent to another process."""

    def carry_out(self, place: Place) -> Any:
        """Do the work, and return what the caller of `run_jobs` is given."""

    def prepare(self, say: Callable[[str], None]) -> None:
        """Prepare what several processes share, before they start."""


J = TypeVar("J", bound=Job)


class Ended(NamedTuple):
    """Outcome of a job.

    Args:
        value: What the job returned; None if it failed.
        error: Error with its traceback as text; empty if the job succeeded.
    """

    value: Any
    error: str


def run_jobs(
    take: Callable[[], J | None],
    devices: Sequence[torch.device],
    n_processes: int,
    observers: Callable[[], Observers],
    say: Callable[[str], None],
    *,
    first: Iterable[Job] = (),
    n_threads: int | None = None,
    option: str = "--training.jobs",
) -> Iterator[tuple[J, Ended]]:
    """Carry out jobs, and yield each with its outcome as soon as it has ended; the others go on.

    Each job has its own seeds, so results do not depend on the number of processes: on a CPU bit for bit, and on a GPU
    as far as its operations are deterministic.

    Args:
        take: Function that returns the next job, or None if there is none now. It is called again after each job that
            has ended, so the next job may depend on the outcomes so far.
        devices: Devices to compute on.
        n_processes: Number of processes; with fewer than two, jobs are carried out in this process.
        observers: Function that creates the loggers and callbacks of one run.
        say: Function that shows a line of text to the user.
        first: Jobs that are prepared before several processes start.
        n_threads: Number of threads of each process; by default, those of this process.
        option: Name of the option that sets the number of processes, for messages.

    Raises:
        TrainingError: A process was killed; the finished jobs have been yielded.
    """
    if n_processes < 2:
        here = Place(devices[0], observers, say, {})
        while job := take():
            yield job, _ended(job, here)
        return
    for each in first:
        with contextlib.suppress(Exception):  # the job itself reports it
            each.prepare(say)
    context = get_context("spawn")  # CUDA cannot be used in a process that is forked
    places = context.Queue()
    for device in itertools.islice(itertools.cycle(devices), n_processes):
        places.put(device)
    if n_threads is None:  # on a CPU, sums depend on the number of threads, so that it stays as in a single process
        n_threads = torch.get_num_threads() // (n_processes if devices[0].type == "cuda" else 1)
    with ProcessPoolExecutor(n_processes, context, _enter, (places, max(1, n_threads), observers)) as pool:
        running: dict[Future[tuple[Ended, list[str]]], J] = {}
        try:
            while True:
                while len(running) < n_processes and (job := take()):
                    running[pool.submit(_in_process, job)] = job
                if not running:
                    return
                ended = wait(running, return_when=FIRST_COMPLETED).done
                for future in sorted(ended, key=_is_broken):  # what has ended comes before a process that was killed
                    yield running.pop(future), _received(future, say, option)
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process of a training run was ended from outside, perhaps because memory ran out; run the same "
                f"command again, with {option} {max(1, n_processes // len(devices) // 2)}: finished runs and epochs "
                "are kept"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list((pool._processes or {}).values()):
                with contextlib.suppress(Exception):
                    process.terminate()


def one_by_one(jobs: Sequence[J]) -> Callable[[], J | None]:
    """Return a function that returns each of several jobs, then None."""
    remaining = iter(jobs)
    return lambda: next(remaining, None)


def _is_broken(future: "Future[tuple[Ended, list[str]]]") -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _received(future: "Future[tuple[Ended, list[str]]]", say: Callable[[str], None], option: str) -> Ended:
    """Return the outcome of a job from another process, and show its messages."""
    try:
        ended, lines = future.result()
    except (PicklingError, AttributeError, TypeError) as problem:
        return Ended(None, f"{type(problem).__name__}: {problem}; {_REMEDY} {option} 1\n")
    for line in lines:
        say(line)
    return ended


def _ended(job: Job, place: Place) -> Ended:
    """Carry out a job and return its outcome."""
    try:
        return Ended(job.carry_out(place), "")
    except Exception as error:  # a plug-in may raise anything
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Ended(None, f"{line}\n\n{''.join(traceback.format_exception(error))}")
    finally:
        if place.device.type == "cuda":  # others that share the device need what this job no longer does
            torch.cuda.empty_cache()


_here: list[Place] = []  # place of a process that carries out jobs


def _enter(places: Any, n_threads: int, observers: Callable[[], Observers]) -> None:
    """Prepare a process that carries out jobs."""
    end_with_parent()
    hide_bars()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    torch.set_num_threads(n_threads)
    _here[:] = [Place(places.get(), observers, print, {})]


def _in_process(job: Job) -> tuple[Ended, list[str]]:
    """Carry out a job in a process of its own, and return its outcome and its messages."""
    lines: list[str] = []
    return _ended(job, _here[0]._replace(say=lines.append)), lines
