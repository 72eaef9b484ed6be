"""Rivals of the untrained accuracy: other predictors of the trained accuracy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
    """Return the values of a rival, `(n_architectures,)`; NaN where unknown.

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


def correlate_rival(task: Task, name: str) -> tuple[Estimated, int]:
    """Correlate a rival with the trained accuracy of a task.

    NaN and infinite values, of either sign, are ranked lowest. A rival is not drawn again: its values are those of the
    study in all draws.

    Returns:
        The correlation, NaN if the rival was not computed, and the number of values that are not finite.
    """
    known = rival_values(task, name)
    finite = np.isfinite(known)
    if task.n < LEAST or not (finite & task.is_in).any():
        return (np.nan, np.full(len(task.draws.weights), np.nan), task.n), 0
    ranked = np.where(finite, known, -np.inf)
    frame, drawn = task.frame(), task.frame(drawn=True)
    value = float(frame.rho(frame.ranks(ranked), frame.ranks(task.values(TRAINED))))
    z = drawn.fisher(drawn.ranks(ranked), task.drawn_ranks(drawn, TRAINED))
    return (value, z, task.n), int((~finite & task.is_in).sum())


def compare_rivals(tasks: Sequence[Task], rho: Sequence[Compared]) -> list[Rival]:
    """Compare the untrained accuracy with each rival: one test each, corrected together by Holm's method.

    A rival that was not computed for all tasks is compared on the tasks for which it was.

    Args:
        tasks: All tasks.
        rho: ρ(u, y) of each task.
    """
    found = []
    of_u = [one.estimated for one in rho]
    for name in RIVALS:
        of_tasks = [correlate_rival(task, name) for task in tasks]
        pooled, headline = pool_both([one for one, _ in of_tasks], of_u)
        apart = difference(headline.value - pooled.value, np.tanh(headline.draws) - np.tanh(pooled.draws))
        by_task = {task.task.name: one[0] for task, (one, _) in zip(tasks, of_tasks, strict=True)}
        found.append(Rival(name, pooled.statistic(), apart, np.nan, by_task, sum(n for _, n in of_tasks)))
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
    of_u = [one.estimated for one in rho]
    parameters, headline = pool_both([correlate_rival(task, "n_parameters")[0] for task in tasks], of_u)
    flop, _ = pool_both([correlate_rival(task, "flop")[0] for task in tasks], of_u)
    best = np.tanh(np.maximum(parameters.draws, flop.draws))
    return difference(headline.value - np.maximum(parameters.value, flop.value), np.tanh(headline.draws) - best)
