"""Specificity of the untrained rank to its task."""

from collections.abc import Sequence
from math import nan

import numpy as np

from .analysis import Contrast
from .compared import Compared, Task
from .data import RANDOM, TRAINED
from .pooling import difference
from .ranks import LEAST, Frame
from .statistics import Statistic


def contrast(tasks: Sequence[Task], rho: Sequence[Compared]) -> Contrast:
    """Compare ρ(u, y) within tasks with ρ(u of one task, y of another).

    The specificity is the mean within tasks minus the mean between tasks, over the architectures that both have.

    Args:
        tasks: All tasks.
        rho: ρ(u, y) of each task.
    """
    n = len(tasks)
    matrix = np.full((n, n), nan)
    draws = np.zeros(len(tasks[0].draws.weights))
    for t, first in enumerate(tasks):
        for s, second in enumerate(tasks):
            if t == s:
                matrix[t, t] = rho[t].value
                draws = draws + np.tanh(rho[t].draws) / n
                continue
            both = (first.is_in & second.is_in).astype(float)
            frame, drawn = Frame.of(both), Frame.of(both * first.draws.weights)
            if both.sum() >= LEAST:
                pair = frame.ranks(first.values(RANDOM)), frame.ranks(second.values(TRAINED))
                matrix[t, s] = frame.rho(*pair)
            pair = first.drawn_ranks(drawn, RANDOM), second.drawn_ranks(drawn, TRAINED)
            draws = draws - drawn.rho(*pair) / (n * (n - 1))
    names = [task.task.name for task in tasks]
    if n == 1:
        return Contrast(names, matrix, Statistic(nan))
    between = matrix[~np.eye(n, dtype=bool)]
    return Contrast(names, matrix, difference(float(np.diag(matrix).mean() - between.mean()), draws))
