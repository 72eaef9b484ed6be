"""Accuracy that is lost by choosing architectures by their untrained accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compared import Task
from .data import RANDOM, TRAINED
from .scores import draw_halves, halves
from .statistics import Decisions, Regret, Search

N_SUBSETS = 1000
N_CANDIDATES = (20, 40)
TRAINED_K = (1, 5)
POINT = 0.01
ORDERS = ("untrained", "random", "parameters")


@dataclass(frozen=True)
class Subsets:
    """Random subsets of the architectures, drawn without replacement, each with its own halves of clips and seeds.

    Args:
        choice: Trained accuracies by which the best architecture is chosen, `(n_subsets, n_candidates)`.
        value: Trained accuracies on other clips, and other seeds if there are several, which value the choice,
            `(n_subsets, n_candidates)`.
        recalled: Trained accuracies by which recall is counted, `(n_subsets, n_candidates)`: on all clips, or on the
            clips of the value if u and y share clips.
        untrained: Untrained accuracies, on the clips of the choice if u and y share clips.
        parameters: Numbers of parameters.
    """

    choice: NDArray[Any]
    value: NDArray[Any]
    recalled: NDArray[Any]
    untrained: NDArray[Any]
    parameters: NDArray[Any]


def draw_subsets(task: Task, n_candidates: int, rng: np.random.Generator) -> Subsets:
    """Draw subsets of the architectures of a task, in random order, so that ties are broken at random.

    Args:
        task: A task.
        n_candidates: Number of architectures in a subset.
        rng: Draws the subsets and the halves.
    """
    members = rng.random((N_SUBSETS, task.n)).argsort(axis=1)[:, :n_candidates]
    members = np.flatnonzero(task.is_in)[members]
    arm = task.arms[TRAINED]
    of_clip = draw_halves(arm.labels, arm.groups, N_SUBSETS, rng)
    has_seeds = int(arm.n_runs[task.is_in].min()) > 1
    choice, value = halves(arm, of_clip, rng if has_seeds else None)
    u, recalled = (np.broadcast_to(task.values(name), choice.shape) for name in (RANDOM, TRAINED))
    if task.splits is not None:
        u, recalled = halves(task.arms[RANDOM], of_clip)[0], halves(arm, of_clip)[1]
    parameters = np.broadcast_to(np.asarray(task.data.columns["n_parameters"], float), choice.shape)
    return Subsets(*(np.take_along_axis(one, members, axis=1) for one in (choice, value, recalled, u, parameters)))


def regrets(subsets: Subsets, order: NDArray[Any]) -> NDArray[Any]:
    """Return the regret after training 1, 2, ... architectures in an order, `(n_subsets, n_candidates)`, as a fraction.

    The best architecture of the subset and the best of those trained so far are chosen on one half of clips and seeds
    and valued on the other, so that no choice profits from its own noise.

    Args:
        subsets: The subsets.
        order: Places of the architectures in the order of training, `(n_subsets, n_candidates)`.
    """
    choice, value = (np.take_along_axis(one, order, axis=1) for one in (subsets.choice, subsets.value))
    is_best = np.ones(choice.shape, bool)
    is_best[:, 1:] = choice[:, 1:] > np.maximum.accumulate(choice, axis=1)[:, :-1]  # of ties, the first one
    place = np.maximum.accumulate(np.where(is_best, np.arange(choice.shape[1]), 0), axis=1)
    so_far = np.take_along_axis(value, place, axis=1)
    return np.asarray(so_far[:, -1:] - so_far)


def top(values: NDArray[Any], k: int) -> NDArray[Any]:
    """Return whether each value is among the k largest of its row, bool; of ties, the first ones."""
    return np.asarray(np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1) < k)


def decisions_of(task: Task, rng: np.random.Generator) -> Decisions:
    """Return regret over random subsets of 20 and of 40 architectures, or of half of them if there are fewer.

    Subsets are drawn without replacement, because a bootstrap fails for maxima.
    """
    sizes = sorted({min(size, task.n // 2) for size in N_CANDIDATES if task.n >= 4})
    found, searches = [], []
    for size in sizes:
        subsets = draw_subsets(task, size, rng)
        orders = {
            "untrained": np.argsort(-subsets.untrained, axis=1, kind="stable"),
            "random": np.broadcast_to(np.arange(size), subsets.choice.shape),
            "parameters": np.argsort(-subsets.parameters, axis=1, kind="stable"),
        }
        curves = {name: regrets(subsets, order) for name, order in orders.items()}
        best = np.take_along_axis(subsets.value, subsets.choice.argmax(axis=1)[:, None], axis=1)[:, 0]
        room = float((best - np.median(subsets.value, axis=1)).mean())
        for k in TRAINED_K:
            is_defined = k < size
            loss = float(curves["untrained"][:, k - 1].mean()) if is_defined else nan
            both = top(subsets.untrained, k) & top(subsets.recalled, k)
            recall = float(both.sum() / (k * len(both))) if is_defined else nan
            found.append(Regret(size, k, 100 * loss, loss / room if room > 0 else nan, recall, min(1.0, k / size)))
        means = {name: 100 * curve.mean(axis=0) for name, curve in curves.items()}
        searches.append(Search(size, means, {name: _n_within_point(curve) for name, curve in means.items()}))
    return Decisions(found, searches)


def _n_within_point(curve: NDArray[Any]) -> int:
    """Return the number of architectures from which on the mean regret, in points, is at most 1."""
    too_large = np.flatnonzero(curve > 100 * POINT)
    return int(too_large[-1]) + 2 if len(too_large) else 1


def mean_decisions(found: Sequence[Decisions]) -> Decisions:
    """Return the mean over tasks of regrets and curves, for the numbers of candidates that all tasks have."""
    if any(not one.regrets for one in found):
        return Decisions([], [])
    common = set.intersection(*({search.n_candidates for search in one.searches} for one in found))
    regrets_, searches = [], []
    for regret in found[0].regrets:
        if regret.n_candidates in common:
            same = [r for one in found for r in one.regrets if (r.n_candidates, r.k) == (regret.n_candidates, regret.k)]
            points, share, recall = (
                float(np.mean([getattr(r, name) for r in same])) for name in ("points", "share", "recall")
            )
            regrets_.append(Regret(regret.n_candidates, regret.k, points, share, recall, regret.chance))
    for search in found[0].searches:
        if search.n_candidates in common:
            same_size = [s for one in found for s in one.searches if s.n_candidates == search.n_candidates]
            means = {name: np.mean([s.regret[name] for s in same_size], axis=0) for name in ORDERS}
            within = {name: _n_within_point(curve) for name, curve in means.items()}
            searches.append(Search(search.n_candidates, means, within))
    return Decisions(regrets_, searches)
