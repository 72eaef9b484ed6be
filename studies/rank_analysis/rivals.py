"""Rivals of the untrained accuracy: other predictors of the trained accuracy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..significance import holm
from .analysis import Rival
from .compared import Compared, Task
from .data import TRAINED
from .pooling import Estimated, difference, pool_both
from .ranks import LEAST
from .statistics import Statistic

RIVALS = (
    "n_features",
    "n_parameters",
    "flop",
    "naswot",
    "synflow",
    "jacob_cov",
    "zico",
    "nngp",
    "one_epoch",
    "family_mean",
)


def rival_values(task: Task, name: str) -> NDArray[Any]:
    """Return the values of a rival, `(n_architectures,)`; NaN where missing, and infinite where not finite.

    The family mean comes from the trained accuracies, the counts from the columns if the task lacks them.
    """
    if name == "family_mean":
        return family_mean(task.values(TRAINED), task.data.families, task.is_in)
    found = task.task.rivals.get(name, task.data.columns.get(name))
    return np.full(len(task.is_in), np.nan) if found is None else np.asarray(found, float)


def family_mean(y: NDArray[Any], families: Sequence[str], is_in: NDArray[Any]) -> NDArray[Any]:
    """Return the mean trained accuracy of the other members of each family, `(n,)`; NaN for the only member.

    With one family all are NaN: the mean of the others falls as y rises, so that the correlation would always be -1.

    Args:
        y: Trained accuracies, `(n,)`.
        families: Family of each architecture.
        is_in: Whether each architecture counts, `(n,)`.
    """
    names = np.asarray(families)
    found = np.full(len(y), np.nan)
    if len(np.unique(names[is_in])) < 2:
        return found
    for index in range(len(y)):
        others = is_in & (names == names[index])
        others[index] = False
        if others.any():
            found[index] = y[others].mean()
    return found


class Correlated(NamedTuple):
    """Correlation of a rival with the trained accuracy of a task.

    Args:
        estimated: The correlation; NaN if the rival has fewer than four values.
        n_not_finite: Number of infinite values.
        n_missing: Number of architectures that are left out; 0 if the rival has no value at all.
    """

    estimated: Estimated
    n_not_finite: int
    n_missing: int


def has_values(task: Task, *names: str) -> NDArray[Any]:
    """Return whether each architecture has a value of these rivals, finite or not, `(n_architectures,)`, bool."""
    return np.asarray(~np.isnan([rival_values(task, name) for name in names]).any(axis=0))


def correlate_rival(task: Task, name: str, subset: Any = True) -> Correlated:
    """Correlate a rival with the trained accuracy of a task, over the architectures for which it was computed.

    Infinite values, of either sign, are ranked lowest. A rival is not drawn again: its values are those of the study
    in all draws.

    Args:
        task: A task.
        name: Name of the rival.
        subset: Which architectures are compared, `(n_architectures,)`, bool.
    """
    values = rival_values(task, name)
    is_in = task.is_in & ~np.isnan(values) & subset
    n = int(is_in.sum())
    counts = int((np.isinf(values) & is_in).sum()), task.n - n if n else 0
    if n < LEAST:
        return Correlated((np.nan, np.full(len(task.draws.weights), np.nan), n), *counts)
    ranked = np.where(np.isinf(values), -np.inf, values)
    frame, drawn = task.frame(is_in), task.frame(is_in, drawn=True)
    value = float(frame.rho(frame.ranks(ranked), frame.ranks(task.values(TRAINED))))
    z = drawn.fisher(drawn.ranks(ranked), task.drawn_ranks(drawn, TRAINED))
    return Correlated((value, z, n), *counts)


def _correlate_u(tasks: Sequence[Task], rho: Sequence[Compared], subsets: Sequence[NDArray[Any]]) -> list[Estimated]:
    """Correlate u with y on a subset of the architectures of each task; `rho` has that of all of them."""
    return [
        whole.estimated if subset[task.is_in].all() else task.compare(subset=subset).estimated
        for task, whole, subset in zip(tasks, rho, subsets, strict=True)
    ]


def compare_rivals(tasks: Sequence[Task], rho: Sequence[Compared]) -> list[Rival]:
    """Compare the untrained accuracy with each rival: one test each, corrected together by Holm's method.

    A rival that was not computed for all tasks or all architectures is compared on those for which it was.

    Args:
        tasks: All tasks.
        rho: ρ(u, y) of each task.
    """
    found = []
    for name in RIVALS:
        of_tasks = [correlate_rival(task, name) for task in tasks]
        of_u = _correlate_u(tasks, rho, [has_values(task, name) for task in tasks])
        pooled, headline = pool_both([one.estimated for one in of_tasks], of_u)
        apart = difference(headline.value - pooled.value, np.tanh(headline.draws) - np.tanh(pooled.draws))
        by_task = {task.task.name: one.estimated[0] for task, one in zip(tasks, of_tasks, strict=True)}
        counts = sum(one.n_not_finite for one in of_tasks), sum(one.n_missing for one in of_tasks)
        found.append(Rival(name, pooled.statistic(), apart, np.nan, by_task, *counts))
    tested = [index for index, rival in enumerate(found) if np.isfinite(rival.difference.p)]
    corrected = holm([found[index].difference.p for index in tested])
    for index, p in zip(tested, corrected, strict=True):
        found[index] = replace(found[index], p_corrected=p)
    return found


def more_than_size(tasks: Sequence[Task], rho: Sequence[Compared]) -> Statistic:
    """Return ρ(u) - max(ρ(n_parameters), ρ(flop)), all pooled, with the maximum taken inside each draw.

    Args:
        tasks: All tasks.
        rho: ρ(u, y) of each task.
    """
    subsets = [has_values(task, "n_parameters", "flop") for task in tasks]
    of_u = _correlate_u(tasks, rho, subsets)
    parameters, flop = (
        [correlate_rival(task, name, subset).estimated for task, subset in zip(tasks, subsets, strict=True)]
        for name in ("n_parameters", "flop")
    )
    of_parameters, headline = pool_both(parameters, of_u)
    of_flop, _ = pool_both(flop, of_u)
    best = np.tanh(np.maximum(of_parameters.draws, of_flop.draws))
    return difference(headline.value - np.maximum(of_parameters.value, of_flop.value), np.tanh(headline.draws) - best)
