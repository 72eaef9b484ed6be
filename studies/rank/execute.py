"""Execution of a rank study: carry out what is missing, and append each result at once."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...errors import TrainingError
from ...files import write_atomically
from ...probes.observers import Observers
from ...training.pool import Ended, Place, run_jobs
from . import results
from .items import RANDOM, Item
from .machine import THREADS, n_processes
from .plan import WORK, AnyJob, RankPlan
from .results import Record, Results
from .trained_scores import TrainedJob

Say = Callable[[str], None]
ERRORS = "errors.txt"
"""File with the traceback of each failure."""


class Schedule:
    """Items of a rank study that wait to be carried out, in order.

    Args:
        plan: Plan of the study.
        known: Results so far, to which new ones are added.
        is_mine: Function that returns whether this machine carries out an architecture.
        ends: Reading of `time.monotonic` after which nothing new is started; None for no limit.
    """

    def __init__(
        self, plan: RankPlan, known: Results, is_mine: Callable[[str], bool], ends: float | None = None
    ) -> None:
        self._plan, self.known, self._is_mine = plan, known, is_mine
        self._started: set[Item] = set()
        self._ends = ends

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._ends is not None and time.monotonic() >= self._ends

    def waiting(self) -> Iterator[Item]:
        """Yield the items that can be carried out now and were not started."""
        design = self._plan.design

        def chosen(task: str, architecture: str) -> float | None:
            return self.known.chosen(design.searched(task, architecture))

        for item in design.ready(chosen):
            if item not in self._started and self._is_mine(item.architecture) and not self.known.has_ended(item):
                yield item

    def take(self) -> "AnyJob | FailedJob | None":
        """Return the next job; None if there is none now, or the time is up."""
        if self.is_over:
            return None
        for item in self.waiting():
            self._started.add(item)
            try:
                return self._plan.job(item)
            except Exception as error:  # a plug-in may raise anything
                return FailedJob(item, error)
        return None

    def mine(self) -> list[str]:
        """Return the names of the architectures that this machine carries out."""
        return [name for name in self._plan.design.architectures if self._is_mine(name)]

    def count(self) -> tuple[int, int]:
        """Return the number of items that are done, and of all, of this machine."""
        total = self._plan.design.count_of(self.mine())
        return sum(self.known.done(item) is not None for item in self.known.records if self._counts(item)), total

    def _counts(self, item: Item) -> bool:
        design = self._plan.design
        is_change = item.arm.startswith("random-")
        return self._is_mine(item.architecture) and item.architecture in design.architectures and not is_change


@dataclass(frozen=True)
class FailedJob:
    """Item whose job cannot be made.

    Args:
        item: Key of the result.
        error: Why.
    """

    item: Item
    error: Exception

    def carry_out(self, place: Place) -> list[Record]:
        """Raise the error."""
        raise self.error

    def prepare(self, say: Say) -> None:
        """Do nothing."""


def execute(plan: RankPlan, schedule: Schedule, devices: Sequence[torch.device], say: Say) -> None:
    """Carry out all items that are missing, and append their results to the folder of the study.

    An item that fails is recorded with its error, and the others go on. It is tried again when the study runs again.

    Args:
        plan: Plan of the study.
        schedule: Items that wait.
        devices: Devices to compute on.
        say: Function that shows a line of text to the user.

    Raises:
        TrainingError: A process was killed; finished items are recorded.
    """
    n_done, total = schedule.count()
    n = n_processes(plan.config.jobs, devices)
    n_threads = THREADS if devices[0].type == "cpu" else None
    plan.folder.mkdir(parents=True, exist_ok=True)
    errors = plan.folder / ERRORS
    errors.unlink(missing_ok=True)
    # A generator, so that nothing more is prepared when the time is up.
    first = (plan.job(item) for item in _one_per_task(plan, schedule) if not schedule.is_over)
    options: dict[str, Any] = {"first": first, "n_threads": n_threads, "option": "--jobs"}
    with threads(n_threads):
        jobs: Iterator[tuple[AnyJob | FailedJob, Ended]]
        jobs = run_jobs(schedule.take, devices, n, _observers, say, **options)
        for job, ended in jobs:
            records = _records(job, ended, plan.machine)
            results.append(plan.folder, records)
            for record in records:
                schedule.known.add(record)
            if isinstance(job, TrainedJob) and not ended.error:
                job.forget()
            n_done += not records[-1].error
            if ended.error:
                before = errors.read_bytes() if errors.is_file() else b""
                write_atomically(errors, before + f"{job.item}\n{ended.error}\n".encode(errors="backslashreplace"))
            say(f"[{n_done}/{total}] {job.item}: {_line(records[-1])}")
            _refuse_broken_device(ended.error)
        _remove_empty(plan.folder / WORK)


def _refuse_broken_device(error: str) -> None:
    """Raise if a GPU computes nothing any more in this process, so that no further item fails for this reason."""
    line = error.partition("\n")[0]
    if "CUDA error" in line and "out of memory" not in line:
        raise TrainingError(f"the GPU has failed ({line}); run the same command to go on, which keeps all results")


def _observers() -> Observers:
    """Return the observers of a run that logs nothing."""
    return Observers(loggers=[], of_study=True)


@contextlib.contextmanager
def threads(n: int | None) -> Iterator[None]:
    """Set the number of threads of this process for a while, in which jobs run if there is one process.

    Args:
        n: Number of threads; None to leave it.
    """
    before = torch.get_num_threads()
    if n is not None:
        torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _remove_empty(folder: Path) -> None:
    """Remove a folder with those inside that hold no file."""
    for path in sorted([folder, *folder.rglob("*")], reverse=True):
        if path.is_dir():
            with contextlib.suppress(OSError):  # it holds an unfinished training
                path.rmdir()


def _one_per_task(plan: RankPlan, schedule: Schedule) -> list[Item]:
    """Return an item of each task, whose job decodes the data set for all others."""
    seed = plan.comparison.seeds[0]
    rates = {part.made.sample_rate: index for index, part in reversed(list(enumerate(plan.frontends[seed])))}
    tasks = {item.task for item in schedule.waiting()}
    names = [plan.architectures[index].name for index in rates.values()]
    return [Item(task, name, RANDOM, None, seed) for task in sorted(tasks) for name in names]


def _records(job: AnyJob | FailedJob, ended: Ended, machine: dict[str, Any]) -> list[Record]:
    if ended.error:
        return [Record(job.item, error=ended.error.partition("\n")[0], machine=machine)]
    found: list[Record] = ended.value
    return found


def _line(record: Record) -> str:
    """Return the outcome of an item in one line."""
    if record.error:
        return f"failed: {record.error}; see {ERRORS}"
    if record.validation is None:
        return f"{len(record.values)} values ({record.seconds:.1f} s)"
    return f"{100 * record.validation:.1f} % of the validation clips ({record.seconds:.1f} s)"
