"""Scores of architectures, from the correctness of their predictions: on all clips, and on halves of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import LINEAR, RANDOM, TRAINED, TaskData

SWAPPED = "linear-as-trained"
"""The arm `linear` on the clips of `trained`, where it stands for y."""


@dataclass(frozen=True)
class Arm:
    """Predictions of an arm on the clips on which it is scored.

    Args:
        right: Correctness, `(n_architectures, n_seeds, n_clips)`, with the complete runs of each architecture first
            and 0 in the others.
        n_runs: Number of complete runs of each architecture, `(n_architectures,)`.
        labels: Class of each clip, `(n_clips,)`.
        groups: Group of each clip, `(n_clips,)`.
        test_set: Test set of the clips, 0 or 1.
    """

    right: NDArray[Any]
    n_runs: NDArray[Any]
    labels: NDArray[Any]
    groups: NDArray[Any]
    test_set: int

    @property
    def of_clips(self) -> NDArray[Any]:
        """Mean correctness over seeds, `(n_architectures, n_clips)`; NaN without a complete run."""
        return divide(self.right.sum(axis=1), self.n_runs[:, None])

    @property
    def scores(self) -> NDArray[Any]:
        """Mean accuracy over seeds and clips, `(n_architectures,)`; NaN without a complete run."""
        return divide(self.right.sum(axis=(1, 2)), self.n_runs * self.right.shape[2])


def arm_of(task: TaskData, name: str) -> Arm:
    """Return an arm of a task. A run that lacks the prediction of a clip is not complete and not used.

    Args:
        task: Results of the task.
        name: Name of the arm in `task.right`, or `SWAPPED`.
    """
    clips = task.clips_of(TRAINED if name == SWAPPED else name)
    right = np.asarray(task.right[LINEAR if name == SWAPPED else name], float)[:, :, clips]
    is_complete = np.isfinite(right).all(axis=2) & (right.shape[2] > 0)
    order = np.argsort(~is_complete, axis=1, kind="stable")
    right = np.take_along_axis(np.where(is_complete[:, :, None], right, 0), order[:, :, None], axis=1)
    labels, groups = (np.asarray(values)[clips] for values in (task.labels, task.groups))
    return Arm(right, is_complete.sum(axis=1), labels, groups, int(np.max(task.test_set[clips], initial=0)))


def arms_of(task: TaskData) -> dict[str, Arm]:
    """Return all arms of a task by name, `SWAPPED` included."""
    names = [*task.right, *([SWAPPED] if LINEAR in task.right else [])]
    return {name: arm_of(task, name) for name in names}


def divide(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a/b, and NaN where b is 0."""
    found = np.full(np.broadcast_shapes(np.shape(a), np.shape(b)), nan)
    np.divide(a, b, out=found, where=np.asarray(b) != 0)
    return found


def strata(labels: NDArray[Any], groups: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Return the group of each clip as a number, `(n_clips,)`, and the groups of each class.

    Groups whose clips have several classes make up a stratum of their own.
    """
    _, group = np.unique(groups, return_inverse=True)
    _, label = np.unique(labels, return_inverse=True)
    n_groups = int(group.max(initial=-1)) + 1
    low, high = np.full(n_groups, len(label)), np.full(n_groups, -1)
    np.minimum.at(low, group, label)
    np.maximum.at(high, group, label)
    stratum = np.where(low == high, low, -1)
    return group, [np.flatnonzero(stratum == one) for one in np.unique(stratum)]


def draw_halves(labels: NDArray[Any], groups: NDArray[Any], n_splits: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw halves of the clips: half of the groups of each class, `(n_splits, n_clips)`, 0 or 1.

    The odd group of a class goes to one of the halves by chance.
    """
    group, members = strata(labels, groups)
    of_group = np.empty((n_splits, sum(map(len, members))))
    for those in members:
        places = rng.random((n_splits, len(those))).argsort(axis=1)
        of_group[:, those] = (places + rng.integers(2, size=(n_splits, 1))) % 2
    return of_group[:, group]


def halves(arm: Arm, of_clip: NDArray[Any], rng: np.random.Generator | None = None) -> NDArray[Any]:
    """Return the scores of both halves, `(2, n_splits, n_architectures)`.

    Args:
        arm: Predictions.
        of_clip: Half of each clip, 0 or 1, `(n_splits, n_clips)`.
        rng: Divides the seeds too, so that each half has its own; architectures with one complete run get NaN. If None,
            both halves have all seeds.
    """
    found = []
    n_seeds = arm.right.shape[1]
    if rng is not None:
        keys = rng.random((len(of_clip), *arm.right.shape[:2]))
        place = np.where(np.arange(n_seeds) < arm.n_runs[:, None], keys, 2).argsort(axis=2).argsort(axis=2)
    for half in (0, 1):
        is_in = (of_clip == half).astype(float)
        n_clips = is_in.sum(axis=1)
        if rng is None:
            found.append(divide(is_in @ arm.of_clips.T, n_clips[:, None]))
            continue
        of_runs = (is_in @ arm.right.reshape(-1, arm.right.shape[2]).T).reshape(len(is_in), -1, n_seeds)
        chosen = (place % 2 == half) & (place < arm.n_runs[:, None])
        found.append(divide((of_runs * chosen).sum(axis=2), chosen.sum(axis=2) * n_clips[:, None]))
    return np.stack(found)


def is_used(arms: Mapping[str, Arm], apart: NDArray[Any]) -> NDArray[Any]:
    """Return whether each architecture is in the statistics of a task, `(n,)`: it has u and y, and is not apart."""
    both = arms[RANDOM].scores + arms[TRAINED].scores
    return np.asarray(np.isfinite(both) & ~np.asarray(apart, bool))
