"""Values of proxies for a frontend, each computed on a copy of its own; what a proxy raises becomes a reason."""

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..frontends import Frontend
from ..registry import FRONTENDS, PROXIES
from .base import DegenerateError, Proxy
from .passes import problem_of_maps
from .subject import Labelled, Subject, needs_of, represented


class Score(NamedTuple):
    """Value of a proxy for a frontend.

    Args:
        proxy: Name of the proxy.
        value: Value; NaN or infinite if there is a reason.
        reason: Why the value is not finite or has no meaning, with the names of proxy and frontend; empty if it has.
        seconds: Time to compute it, in s.
    """

    proxy: str
    value: float
    reason: str
    seconds: float


def score(
    frontend: Frontend,
    batches: Sequence[Labelled],
    proxies: Sequence[Proxy],
    *,
    n_samples: int | None = None,
    n_classes: int | None = None,
) -> list[Score]:
    """Compute proxies for a frontend.

    Each proxy gets a new copy of the frontend, a new head and new batches, so that the frontend stays as it is and no
    proxy affects another. Random generators are seeded for each proxy and restored afterwards.

    Args:
        frontend: Frontend; calibrate it first if its input should be normalised.
        batches: Batches of waveforms `(batch, n_samples)` with labels `(batch,)`, integers from 0; most proxies read
            the first one alone. There may be none for proxies that need no data.
        proxies: Proxies to compute.
        n_samples: Length of the clips in samples; by default that of the batches.
        n_classes: Number of classes; by default one more than the largest label of the batches, and 2 without batches.

    Returns:
        A score for each proxy, in their order.

    Raises:
        UsageError: There are neither batches nor `n_samples`, or the batches have wrong shapes, waveforms that are not
            finite, or invalid labels.

    Example:
        >>> from untrained.frontends.sample_level import SampleLevel
        >>> from untrained.proxies.counts import NFeatures
        >>> score(SampleLevel(n_filters=2), [], [NFeatures()], n_samples=4000)[0].value
        14.0
    """
    for waveforms, labels in batches:
        _refuse_invalid(waveforms, labels, n_classes)
    if n_samples is None and not batches:
        raise UsageError("there are neither batches nor n_samples; give the length of the clips in samples")
    n_samples = batches[0][0].shape[1] if n_samples is None else n_samples
    if n_classes is None:
        n_classes = 1 + max((int(labels.max()) for _, labels in batches), default=1)
    with isolated(frontend):
        problem = problem_of_maps(frontend, n_samples)
    inputs: list[Labelled] = []  # computed once, by the first proxy that needs them
    return [_score(frontend, batches, inputs, proxy, n_samples, n_classes, problem) for proxy in proxies]


def averaged(scores: Sequence[Sequence[Score]]) -> list[Score]:
    """Return the mean of the scores of several seeds, with the sum of their times.

    A mean is not finite, and keeps the first reason, if the value of any seed is not finite.

    Args:
        scores: For each seed, a score for each proxy in the same order.
    """
    found = []
    for of_proxy in zip(*scores, strict=True):
        values = [each.value for each in of_proxy]
        reason = next((each.reason for each in of_proxy if each.reason), "")
        found.append(
            Score(of_proxy[0].proxy, sum(values) / len(values), reason, sum(each.seconds for each in of_proxy))
        )
    return found


def _score(
    frontend: Frontend,
    batches: Sequence[Labelled],
    inputs: list[Labelled],
    proxy: Proxy,
    n_samples: int,
    n_classes: int,
    problem: DegenerateError | None,
) -> Score:
    def prepare() -> None:
        if problem:
            raise problem
        if "data" in needs_of(proxy) and not inputs and frontend.has_maps:
            inputs.extend(represented(frontend, batches))

    def compute() -> float:
        subject = Subject(frontend, proxy, inputs, n_samples, n_classes)
        with torch.set_grad_enabled("backward" in proxy.needs):
            return _number(copy.deepcopy(proxy).compute(subject))

    return attempt(PROXIES.name_of(type(proxy)) or type(proxy).__name__, frontend, compute, prepare)


def attempt(
    name: str, frontend: Frontend, compute: Callable[[], float], prepare: Callable[[], None] = lambda: None
) -> Score:
    """Return the score that a function computes; what it raises becomes the reason.

    Args:
        name: Name of the proxy.
        frontend: Frontend, for the device and for messages.
        compute: Function that returns the value. Random generators are seeded for it and restored afterwards.
        prepare: Function that is called before, whose time does not count.
    """
    value, reason, started = math.nan, "", time.perf_counter()
    try:
        with isolated(frontend):
            prepare()
            started = time.perf_counter()
            value = compute()
        if not math.isfinite(value):
            reason = f"compute returned {value}"
    except DegenerateError as error:
        value, reason = error.value, error.reason
    except (MemoryError, torch.OutOfMemoryError):
        reason = "there is not enough memory; give shorter clips, or fewer with --n_clips"
    except Exception as error:  # a plug-in may raise anything
        text = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {text}".removesuffix(": ")
    seconds = time.perf_counter() - started
    who = f"proxy {name!r} of frontend {named(frontend)!r}"
    return Score(name, value, f"{who}: {reason}" if reason else "", seconds)


def named(frontend: Frontend) -> str:
    """Return the registered name of a frontend or, if it has none, the name of its class."""
    return FRONTENDS.name_of(type(frontend)) or type(frontend).__name__


def _refuse_invalid(waveforms: Tensor, labels: Tensor, n_classes: int | None) -> None:
    """Raise if a batch is not valid.

    Raises:
        UsageError: It is not.
    """
    if waveforms.ndim != 2 or not waveforms.numel() or labels.shape != waveforms.shape[:1]:
        raise UsageError(
            f"a batch has waveforms {tuple(waveforms.shape)} and labels {tuple(labels.shape)}; expected "
            "(batch, n_samples) and (batch,)"
        )
    if not waveforms.is_floating_point() or not torch.isfinite(waveforms).all():
        raise UsageError(f"a batch has waveforms of {waveforms.dtype} that are not all finite floating-point numbers")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise UsageError(f"a batch has labels of {labels.dtype}; expected integers from 0")
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or (n_classes is not None and most >= n_classes):
        last = "" if n_classes is None else f" to n_classes - 1 = {n_classes - 1}"
        raise UsageError(f"a batch has labels from {least} to {most}; expected integers from 0{last}")


def _number(value: object) -> float:
    """Return what a proxy returned as a number.

    Raises:
        DegenerateError: It is not a number.
    """
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise DegenerateError(f"compute returned {type(value).__name__} ({str(value)[:40]!r}); expected a number")
    return float(value)


@contextmanager
def isolated(frontend: Frontend) -> Iterator[None]:
    """Seed the generators of torch and NumPy, and restore them and the default precision afterwards.

    Args:
        frontend: Frontend, whose devices have generators too.
    """
    devices = {tensor.device for tensor in frontend.state_dict().values() if tensor.device.type == "cuda"}
    state, default = np.random.get_state(), torch.get_default_dtype()  # noqa: NPY002
    try:
        with torch.random.fork_rng([device.index for device in devices]):
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        torch.set_default_dtype(default)
