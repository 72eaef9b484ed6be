"""Dry run of a rank study: what is done and to do, and the time that it would take, from a few timed steps."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...training.estimate import seconds_of_steps
from ..estimate import duration
from .execute import Schedule
from .items import LINEAR, TRAINED, Item
from .machine import THREADS, n_processes
from .plan import RankPlan
from .results import Results
from .trained_scores import TrainedJob

N_TIMED = 6  # number of architectures that are timed, from the fewest to the most operations
FIXED = {"random": 2.0, "proxies": 3.0, "nngp": 1.0}  # approximate time of items without training, in s


def dry_run(plan: RankPlan, schedule: Schedule, devices: Sequence[torch.device], folder_digest: str) -> Iterator[str]:
    """Yield a description of the work that a rank study would do, without doing it.

    Args:
        plan: Plan of the study.
        schedule: Items that wait.
        devices: Devices that would compute.
        folder_digest: Digest of the protocol.
    """
    design, config = plan.design, plan.config
    yield from plan.notes
    families = Counter(each.family for each in plan.architectures[: len(design.architectures)] if not each.is_apart)
    shown = ", ".join(f"{n} {family}" for family, n in families.items())
    yield f"protocol {folder_digest}"
    yield f"{len(design.architectures)} of {len(plan.architectures)} architectures: {shown}"
    apart = [each.name for each in plan.architectures if each.is_apart]
    if apart:
        yield f"reported apart: {', '.join(apart)}"
    for part in plan.data:
        counts = Counter(str(clip.split) for clip in part.made.listed)
        sets = len({clip.metadata.get("test_set", 0) for clip in part.made.listed if clip.split == "test"})
        shared = f"{sets} test sets" if sets > 1 else "both arms share the test clips"
        yield f"{part.name}: " + ", ".join(f"{n} {split}" for split, n in counts.items()) + f" clips; {shared}"
    for task, why in config.left_out.items():
        yield f"left out: {task}: {why}"
    n_done, total = schedule.count()
    yield f"{total} items: {n_done} done, {total - n_done} to do"
    waiting = _all_waiting(plan, schedule.known, schedule)
    if waiting:
        yield from _times(plan, waiting, devices)


def _times(plan: RankPlan, waiting: Sequence[Item], devices: Sequence[torch.device]) -> Iterator[str]:
    before = torch.get_num_threads()
    if devices[0].type == "cpu":
        torch.set_num_threads(THREADS)
    try:
        steps = _seconds(plan, devices[0])
    finally:
        torch.set_num_threads(before)
    n = n_processes(plan.config.jobs, devices)
    of_arm: Counter[str] = Counter()
    for item in waiting:
        of_arm[item.arm] += FIXED.get(item.arm) or steps[item.arm != LINEAR][item.task][item.architecture]
    counts = Counter(item.arm for item in waiting)
    for arm, seconds in of_arm.items():
        yield f"{arm}: {counts[arm]} items, {seconds / counts[arm]:.1f} s each, {duration(seconds)} on one process"
    total = sum(of_arm.values()) / n
    where = "this CPU" if devices[0].type == "cpu" else f"{len(devices)} x {plan.machine['device']}"
    yield (
        f"about {duration(total)} with {n} processes on {where} (estimated from a few timed steps of {N_TIMED} "
        "architectures)"
    )


def _seconds(plan: RankPlan, device: torch.device) -> list[dict[str, dict[str, float]]]:
    """Return the time of a trained head, and of a training, by task and architecture, in s."""
    names = plan.design.architectures
    flop = np.array([columns["flop"] for columns in plan.columns()][: len(names)], dtype=float)
    timed = np.unique(np.linspace(0, len(names) - 1, min(N_TIMED, len(names))).astype(int))
    chosen = np.argsort(flop, kind="stable")[timed]
    found: list[dict[str, dict[str, float]]] = [{}, {}]

    lengths: dict[int, list[NDArray[np.float64]]] = {}
    for task in plan.design.tasks:
        rate, seed = plan.design.learning_rates[0], plan.design.trained_seeds[0]
        items = [Item(task, names[index], TRAINED, rate, seed) for index in chosen]
        heads = [item._replace(arm=LINEAR, seed=plan.design.linear_seeds[0]) for item in items]
        jobs = [plan.job(item) for item in [*items, *heads]]
        trainings = [job.job for job in jobs if isinstance(job, TrainedJob)]
        n_samples = trainings[0].datamodule.samples_at(trainings[0].module.frontend.sample_rate)
        if n_samples not in lengths:
            each = np.array([seconds_of_steps(training, device) for training in trainings])
            lengths[n_samples] = [_fitted(flop, chosen, part) for part in np.split(each, 2)]
        for kind, seconds in zip(found, reversed(lengths[n_samples]), strict=True):
            kind[task] = dict(zip(names, map(float, seconds), strict=True))
    return found


def _fitted(flop: NDArray[np.float64], timed: NDArray[np.int64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the time of every architecture: a line through the timed ones, at least the shortest of them."""
    if len(timed) < 2 or np.ptp(flop[timed]) == 0:
        return np.full(len(flop), seconds.mean())
    slope, level = np.polyfit(flop[timed], seconds, 1)
    return np.maximum(level + max(slope, 0.0) * flop, seconds.min())


def _all_waiting(plan: RankPlan, known: Results, schedule: Schedule) -> list[Item]:
    """Return all items that are not done, with those whose learning rate is not chosen yet."""
    design, done = plan.design, known.done
    found = []
    for name in schedule.mine():
        for task in design.tasks:
            rate = known.chosen(design.searched(task, name)) or design.learning_rates[0]
            found += [*design.frozen(task, name), *design.searched(task, name), *design.at_rate(task, name, rate)]
    return [item for item in found if not done(item)]
