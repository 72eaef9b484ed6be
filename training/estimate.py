"""Estimated time of training runs, from a few steps of each network."""

import time
from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from ..datamodules.classes import classes_learned
from ..frontends.precision import float32_products
from .data import clips_in_a_batch
from .fitting import N_CHECKS
from .jobs import TrainingJob
from .order import BatchOrder
from .parts import Part, parts_of

N_STEPS = 3  # number of steps that are timed, after one that is not
OVERHEAD = 0.004  # time of a step outside the network, in s: loaders, loops and logs
WRITING = 3.0  # approximate time for checkpoints, figures and logs of a run, in s


def seconds_of_jobs(jobs: Sequence[TrainingJob], device: torch.device) -> float:
    """Return the estimated time of training runs that are carried out one after another, in s.

    Each network is timed once for each length of the clips. A frozen frontend needs one pass of each clip, unless
    clips change at random; the steps of its head take next to no time.

    Args:
        jobs: Training runs.
        device: Device to train on.
    """
    known: dict[tuple[str, int, int, bool], tuple[float, float]] = {}
    total = 0.0
    for job in jobs:
        n_samples = job.datamodule.samples_at(job.module.frontend.sample_rate)
        place = (
            job.key.params["frontend"],
            n_samples,
            clips_in_a_batch(job.datamodule.batch_size),
            job.module.head_only,
        )
        if place not in known:
            known[place] = _seconds_of_step(job, device)
        total += _seconds_of(job, *known[place])
    return total


def seconds_of_steps(job: TrainingJob, device: torch.device) -> float:
    """Return the estimated time of one training run of which only the scores are kept, in s.

    Args:
        job: Training run.
        device: Device to train on.
    """
    return _seconds_of(job, *_seconds_of_step(job, device)) - WRITING


def _seconds_of(job: TrainingJob, step: float, clip: float) -> float:
    """Return the time of a run from that of a step and of a forward pass of one clip."""
    total = WRITING
    listed = job.datamodule.listed
    for part in parts_of(listed, job.datamodule.seed):
        n_steps = _n_steps(job, part)
        if job.module.head_only and not job.module.changes_clips:
            total += clip * len(part.clips) + n_steps * OVERHEAD * len(job.module.learning_rates)
        else:
            checks = N_CHECKS * len(part.validation) * clip
            total += (n_steps * (step + OVERHEAD) + checks) * len(job.module.learning_rates)
    return total + clip * len(listed)


def _n_steps(job: TrainingJob, part: Part) -> int:
    if job.trainer["max_steps"] > 0:
        return int(job.trainer["max_steps"])
    return int(job.trainer["max_epochs"]) * len(
        BatchOrder(len(part.train), clips_in_a_batch(job.datamodule.batch_size), 0)
    )


def _seconds_of_step(job: TrainingJob, device: torch.device) -> tuple[float, float]:
    """Return the time of a step, and of a forward pass of one clip; 0 if the network fails, which the run reports."""
    frontend, n = job.module.frontend, clips_in_a_batch(job.datamodule.batch_size)
    n_classes = len(classes_learned(job.datamodule.listed))
    try:
        module = job.module.with_rate(job.module.learning_rates[0])
        network = module.build(n_classes).to(device)
        batch = torch.randn(n, job.datamodule.samples_at(frontend.sample_rate), device=device)
        labels = torch.arange(n, device=device) % n_classes
        step = clip = 0.0
        for index in range(1 + N_STEPS):
            start = time.perf_counter()
            with float32_products():
                loss = cross_entropy(network(batch), labels)
                loss.item()  # waits for the device
                middle = time.perf_counter()
                loss.backward()  # type: ignore[no-untyped-call]
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if index:
                clip += (middle - start) / n / N_STEPS
                step += (time.perf_counter() - start) / N_STEPS
    except Exception:  # a plug-in may raise anything
        return 0.0, 0.0
    return step, clip
