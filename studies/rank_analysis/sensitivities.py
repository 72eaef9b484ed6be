"""The headline with one choice changed, and signs that the training recipe decides."""

from collections.abc import Sequence

import numpy as np

from .analysis import Sensitivity
from .compared import Task
from .data import RANDOM, TRAINED
from .pooling import Estimated, difference, pool_both
from .ranks import LEAST
from .statistics import Flags

TRAINED_ONLY = "trained nets only"
TIMES_CHANCE = 1.5
MANY = 0.2


def sensitivities(tasks: Sequence[Task]) -> list[Sensitivity]:
    """Return ρ for each arm that replaces `random` or `trained`, and without architectures that were not trained.

    Each is compared with the main arms on the same architectures. The last conditions on the outcome: it is a
    sensitivity and no better headline. All are on all clips, without cross-fitting.
    """
    names = dict.fromkeys(arm for task in tasks for arm in task.arms if arm.startswith((f"{RANDOM}-", f"{TRAINED}-")))
    found = []
    for name in names:
        having = [task for task in tasks if name in task.arms]
        pair = (name, TRAINED) if name.startswith(RANDOM) else (RANDOM, name)
        subsets = [np.isfinite(task.values(name)) for task in having]
        found.append(_sensitivity(name, having, pair, subsets, subsets))
    everywhere = [task.is_in for task in tasks]
    found.append(_sensitivity(TRAINED_ONLY, tasks, (RANDOM, TRAINED), [is_trained(task) for task in tasks], everywhere))
    return found


def _sensitivity(
    name: str, tasks: Sequence[Task], pair: tuple[str, str], subsets: Sequence[np.ndarray], others: Sequence[np.ndarray]
) -> Sensitivity:
    changed, main = pool_both(_correlate(tasks, pair, subsets), _correlate(tasks, (RANDOM, TRAINED), others))
    apart = difference(changed.value - main.value, np.tanh(changed.draws) - np.tanh(main.draws))
    n = {task.task.name: int((task.is_in & subset).sum()) for task, subset in zip(tasks, subsets, strict=True)}
    return Sensitivity(name, changed.statistic(), apart, n)


def _correlate(tasks: Sequence[Task], pair: tuple[str, str], subsets: Sequence[np.ndarray]) -> list[Estimated]:
    found = []
    for task, subset in zip(tasks, subsets, strict=True):
        frame, drawn = task.frame(subset), task.frame(subset, drawn=True)
        n = int(frame.weights.sum())
        value = float(frame.rho(*(frame.ranks(task.values(arm)) for arm in pair))) if n >= LEAST else np.nan
        found.append((value, drawn.fisher(*(task.drawn_ranks(drawn, arm) for arm in pair)), n))
    return found


def is_trained(task: Task) -> np.ndarray:
    """Return whether the training accuracy of each architecture is 1.5 times chance or more; True if it is unknown."""
    return ~(np.asarray(task.task.train_accuracy, float) < TIMES_CHANCE / task.task.n_classes)


def flags(task: Task) -> Flags:
    """Return signs that the training recipe, not the architecture, decides the trained rank."""
    failed = task.is_in & ~is_trained(task)
    n = max(1, task.n)
    share = float((task.is_in & np.asarray(task.task.at_grid_end, bool)).sum() / n)
    return Flags(
        not_trained=[name for name, one in zip(task.data.architectures, failed, strict=True) if one],
        share_at_grid_end=share,
        many_not_trained=bool(failed.sum() > MANY * n),
        many_at_grid_end=share > MANY,
    )
