"""Rivals of the untrained accuracy: other predictors of the trained accuracy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..significance import holm
from .analysis import Rival
from .compared import Task
from .data import TRAINED
from .pooling import Pooled, difference, pool
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

    Args:
        y: Trained accuracies, `(n,)`.
        families: Family of each architecture.
        is_in: Whether each architecture counts, `(n,)`.
    """
    names = np.asarray(families)
    found = np.full(len(y), np.nan)
    for index in range(len(y)):
        others = is_in & (names == names[index])
        others[index] = False
        if others.any():
            found[index] = y[others].mean()
    return found


def pool_rival(tasks: Sequence[Task], name: str) -> tuple[Pooled, dict[str, float], int]:
    """Correlate a rival with the trained accuracy.

    NaN and infinite values, of either sign, are ranked lowest. A rival is not drawn again: its values are those of the
    study in all draws.

    Returns:
        The pooled ρ, ρ of each task by name, and the number of values that are not finite.
    """
    values, draws, sizes, n_not_finite = [], [], [], 0
    for task in tasks:
        known = rival_values(task, name)
        finite = np.isfinite(known)
        if not (finite & task.is_in).any():  # it was not computed
            value, drawn = np.nan, np.full(len(task.draws.weights), np.nan)
        else:
            n_not_finite += int((~finite & task.is_in).sum())
            ranked = np.where(finite, known, -np.inf)
            frame, of_draws = task.frame(), task.frame(drawn=True)
            value = float(frame.rho(frame.ranks(ranked), frame.ranks(task.values(TRAINED))))
            drawn = of_draws.fisher(of_draws.ranks(ranked), task.drawn_ranks(of_draws, TRAINED))
        values.append(value if task.n >= LEAST else np.nan)
        draws.append(drawn)
        sizes.append(task.n)
    by_task = {task.task.name: value for task, value in zip(tasks, values, strict=True)}
    return pool(values, draws, sizes), by_task, n_not_finite


def compare_rivals(tasks: Sequence[Task], headline: Pooled) -> list[Rival]:
    """Compare the untrained accuracy with each rival: one test each, corrected together by Holm's method.

    Args:
        tasks: All tasks.
        headline: Pooled ρ(u, y).
    """
    found = []
    for name in RIVALS:
        pooled, by_task, n_not_finite = pool_rival(tasks, name)
        apart = difference(headline.value - pooled.value, np.tanh(headline.draws) - np.tanh(pooled.draws))
        found.append(Rival(name, pooled.statistic(), apart, np.nan, by_task, n_not_finite))
    tested = [index for index, rival in enumerate(found) if np.isfinite(rival.difference.p)]
    corrected = holm([found[index].difference.p for index in tested])
    for index, p in zip(tested, corrected, strict=True):
        found[index] = replace(found[index], p_corrected=p)
    return found


def more_than_size(tasks: Sequence[Task], headline: Pooled) -> Statistic:
    """Return ρ(u) - max(ρ(n_parameters), ρ(flop)), all pooled, with the maximum taken inside each draw."""
    parameters, flop = (pool_rival(tasks, name)[0] for name in ("n_parameters", "flop"))
    best = np.tanh(np.maximum(parameters.draws, flop.draws))
    return difference(headline.value - np.maximum(parameters.value, flop.value), np.tanh(headline.draws) - best)
