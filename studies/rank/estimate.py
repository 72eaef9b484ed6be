"""Dry run of a rank study: what is done and to do, and the time that it would take, from a few timed steps."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls

from ...proxies.batches import N_BATCHES, N_CLIPS
from ...training.estimate import seconds_of_steps
from ..estimate import duration
from .execute import Schedule, threads
from .items import LINEAR, NNGP, PROXIES, RANDOM, TRAINED, Item
from .machine import THREADS, n_processes
from .plan import RankPlan
from .trained_scores import TrainedJob

TIMING = 60.0  # time in s after which no further architecture is timed; the others are extrapolated
FITS = 1.0  # approximate time of the fits of a frozen frontend with its changes, in s
PROXY_CLIPS = 512  # number of clips in the training steps that take as long as all proxies of a network


def dry_run(plan: RankPlan, schedule: Schedule, devices: Sequence[torch.device], digest: str) -> Iterator[str]:
    """Yield a description of the work that a rank study would do, without doing it.

    Args:
        plan: Plan of the study.
        schedule: Items that wait.
        devices: Devices that would compute.
        digest: Digest of the protocol.
    """
    design, config = plan.design, plan.config
    yield from plan.notes
    yield f"protocol {digest}"
    taken = plan.architectures[: len(design.architectures)]
    families = Counter(each.family for each in taken if not each.is_apart)
    shown = ", ".join(f"{n} {family}" for family, n in families.items())
    yield f"{len(taken)} of {len(plan.architectures)} architectures: {shown}"
    apart = [each.name for each in taken if each.is_apart]
    if apart:
        yield f"reported apart: {', '.join(apart)}"
    for part in plan.data:
        counts = Counter(str(clip.split) for clip in part.made.listed)
        sets = len({clip.metadata.get("test_set", 0) for clip in part.made.listed if clip.split == "test"})
        clips = ", ".join(f"{n:,} {split}" for split, n in counts.items())
        yield f"{part.name}: {clips} clips; " + (f"{sets} test sets" if sets > 1 else "all arms share the test clips")
    for task, why in config.left_out.items():
        yield f"left out: {task}: {why}"
    if config.gate.n:
        yield f"gate: {config.gate.n} other designs, before the protocol is frozen; not counted below"
    n_done, total = schedule.count()
    yield f"{total:,} items: {n_done:,} done, {total - n_done:,} to do"
    waiting = _all_waiting(plan, schedule)
    if waiting:
        yield from _times(plan, waiting, devices)


def _times(plan: RankPlan, waiting: Sequence[Item], devices: Sequence[torch.device]) -> Iterator[str]:
    """Yield the estimated times of items by arm, and of all of them."""
    n = n_processes(plan.config.jobs, devices)
    with threads(THREADS if devices[0].type == "cpu" else None):
        steps, n_timed = _seconds(plan, devices[0])
    of_arm: dict[str, float] = {}
    for item in waiting:
        of_arm[item.arm] = of_arm.get(item.arm, 0.0) + _seconds_of(item, plan, steps)
    counts = Counter(item.arm for item in waiting)
    for arm, seconds in of_arm.items():
        yield f"{arm}: {counts[arm]:,} items, {seconds / counts[arm]:.1f} s each, {duration(seconds)} on one process"
    where = "this CPU" if devices[0].type == "cpu" else f"{len(devices)} x {plan.machine['device']}"
    processes = "1 process" if n == 1 else f"{n} processes"
    yield (
        f"about {duration(sum(of_arm.values()) / n)} with {processes} on {where} (estimated from a few timed steps of "
        f"{n_timed} architectures)"
    )


def _seconds_of(item: Item, plan: RankPlan, steps: dict[tuple[bool, str], dict[str, float]]) -> float:
    """Return the time of an item, in s; those without training follow from the times of a step and of a clip."""
    trained, head = (steps[is_head, item.task][item.architecture] for is_head in (False, True))
    if item.arm == RANDOM:
        return FITS + head * (2 if "mean_std" in plan.config.sensitivities else 1)
    if item.arm == PROXIES:
        return trained * PROXY_CLIPS / _n_clips_in_steps(plan, item.task)
    if item.arm == NNGP:
        clips = next(part.made.listed for part in plan.data if part.name == item.task)
        return head * N_BATCHES * N_CLIPS * len(plan.design.random_seeds) / len(clips)
    return head if item.arm == LINEAR else trained


def _n_clips_in_steps(plan: RankPlan, task: str) -> int:
    """Return the number of clips in all steps of a training."""
    recipe = plan.config.training
    if recipe.max_epochs is None:
        return int(recipe.max_steps * recipe.batch_size)
    listed = next(part.made.listed for part in plan.data if part.name == task)
    return int(recipe.max_epochs * sum(clip.split == "train" for clip in listed))


def _seconds(plan: RankPlan, device: torch.device) -> tuple[dict[tuple[bool, str], dict[str, float]], int]:
    """Return the time of a trained head (True) and of a training (False) by task and architecture, in s.

    Also returns the number of architectures that were timed.
    """
    names, design = plan.design.architectures, plan.design
    costs = [[1.0, row["flop"], row.get("activation_bytes", 0)] for row in plan.columns()[: len(names)]]
    features = np.array(costs, dtype=float)
    order = _spread(features[:, 1])
    by_length: dict[int, list[NDArray[np.float64]]] = {}
    found: dict[tuple[bool, str], dict[str, float]] = {}
    n_timed = 0
    for part in plan.data:
        n_samples = part.made.samples_at(plan.frontends[plan.comparison.seeds[0]][0].made.sample_rate)
        if n_samples not in by_length:
            timed: dict[int, list[float]] = {}
            start = time.perf_counter()
            for index in order:
                if timed and time.perf_counter() - start > TIMING and len(timed) >= features.shape[1]:
                    break
                item = Item(part.name, names[index], TRAINED, design.learning_rates[0], design.trained_seeds[0])
                head = item._replace(arm=LINEAR, seed=design.linear_seeds[0])
                timed[index] = [_time(plan, each, device) for each in (item, head)]
            by_length[n_samples] = [_extrapolated(features, {k: v[kind] for k, v in timed.items()}) for kind in (0, 1)]
            n_timed = max(n_timed, len(timed))
        for is_head, seconds in enumerate(by_length[n_samples]):
            found[bool(is_head), part.name] = dict(zip(names, map(float, seconds), strict=True))
    return found, n_timed


def _time(plan: RankPlan, item: Item, device: torch.device) -> float:
    job = plan.job(item)
    assert isinstance(job, TrainedJob)
    return seconds_of_steps(job.job, device)


def _spread(values: NDArray[np.float64]) -> list[int]:
    """Return indices so that each beginning is spread over the values; the extremes come last."""
    ranked = np.argsort(values, kind="stable")
    found: dict[int, None] = {}
    n_parts = 1
    while n_parts < 2 * len(ranked):
        middles = (np.arange(n_parts) + 0.5) / n_parts * len(ranked)
        found |= {int(ranked[int(place)]): None for place in middles}
        n_parts *= 2
    return list(found | {int(index): None for index in ranked})


def _extrapolated(features: NDArray[np.float64], timed: dict[int, float]) -> NDArray[np.float64]:
    """Return the time of every architecture; those that were not timed follow from their costs, by least squares."""
    known, seconds = list(timed), np.array(list(timed.values()))
    scale = features.max(axis=0)
    scale[scale == 0] = 1.0
    weights, _ = nnls(features[known] / scale, seconds)
    found: NDArray[np.float64] = features / scale @ weights
    found[known] = seconds
    return found


def _all_waiting(plan: RankPlan, schedule: Schedule) -> list[Item]:
    """Return all items that are not done, with those whose learning rate is not chosen yet."""
    design, known = plan.design, schedule.known
    found = []
    for name in schedule.mine():
        for task in design.tasks:
            rate = known.chosen(design.searched(task, name)) or design.learning_rates[0]
            found += [*design.frozen(task, name), *design.searched(task, name), *design.at_rate(task, name, rate)]
    return [item for item in found if not known.done(item)]
