"""Draws of architectures, seeds and clips, all at once, for the intervals of all statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scores import Arm, divide, strata

CHUNK = 500  # number of draws whose counts of clips are in memory together
N_DRAWS = 10_000


@dataclass(frozen=True)
class Draws:
    """Draws with replacement, in which all statistics are computed again.

    Base designs are drawn for all tasks together, seeds inside each architecture, and groups of clips within each
    class. Each architecture of a draw has the same seeds and clips however often it occurs.

    Args:
        weights: Number of occurrences of each architecture, `(n_draws, n_architectures)`.
        scores: Accuracies on the drawn seeds and clips, `(n_draws, n_architectures)`, for each task by arm.
        keys: Random numbers that put the architectures in a random order, the same for all tasks,
            `(n_draws, n_architectures)`.
    """

    weights: NDArray[Any]
    scores: Sequence[Mapping[str, NDArray[Any]]]
    keys: NDArray[Any]


def draw(
    arms: Sequence[Mapping[str, Arm]], designs: Sequence[str], apart: NDArray[Any], n_draws: int, seed: int
) -> Draws:
    """Draw designs, seeds and clips.

    Args:
        arms: Arms of each task.
        designs: Base design of each architecture; all architectures of a drawn design are drawn.
        apart: Whether each architecture is reported apart and never drawn, `(n_architectures,)`.
        n_draws: Number of draws.
        seed: Seed.
    """
    streams = iter(np.random.default_rng(seed).spawn(2 + len(arms)))
    weights = draw_designs(designs, apart, n_draws, next(streams))
    keys = next(streams).random(weights.shape)
    return Draws(
        weights, [draw_scores(of_task, n_draws, rng) for of_task, rng in zip(arms, streams, strict=True)], keys
    )


def draw_designs(designs: Sequence[str], apart: NDArray[Any], n_draws: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw as many designs as there are, with replacement: occurrences of architectures, `(n_draws, n)`."""
    is_in = ~np.asarray(apart, bool)
    names, design = np.unique(np.asarray(designs)[is_in], return_inverse=True)
    weights = np.zeros((n_draws, len(is_in)))
    if len(names):
        weights[:, is_in] = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n_draws)[:, design]
    return weights


def draw_scores(arms: Mapping[str, Arm], n_draws: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw seeds and clips of one task, and return the accuracies of each arm, `(n_draws, n_architectures)`.

    Arms on the same test set have the same draws of clips. Arms that differ after a hyphen alone, such as `random` and
    `random-raw`, have the same draws of seeds.
    """
    found: dict[str, list[NDArray[Any]]] = {arm: [] for arm in arms}
    for first in range(0, n_draws, CHUNK):
        n = min(CHUNK, n_draws - first)
        counts: dict[int, NDArray[Any]] = {}
        places: dict[tuple[str, int], NDArray[Any]] = {}
        for name, arm in arms.items():
            if arm.test_set not in counts:
                counts[arm.test_set] = draw_clips(arm.labels, arm.groups, n, rng)
            side = (name.partition("-")[0], arm.right.shape[1])
            if side not in places:
                places[side] = rng.random((n, *arm.right.shape[:2]))
            found[name].append(_scores(arm, counts[arm.test_set], places[side]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def draw_clips(labels: NDArray[Any], groups: NDArray[Any], n_draws: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw groups of clips with replacement within each class: occurrences of clips, `(n_draws, n_clips)`."""
    group, members = strata(labels, groups)
    of_group = np.zeros((n_draws, sum(map(len, members))))
    for those in members:
        of_group[:, those] = rng.multinomial(len(those), np.full(len(those), 1 / len(those)), n_draws)
    return of_group[:, group]


def _scores(arm: Arm, counts: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    n_architectures, n_seeds, n_clips = arm.right.shape
    of_runs = (counts @ arm.right.reshape(-1, n_clips).T).reshape(-1, n_architectures, n_seeds)
    drawn = (places * arm.n_runs[:, None]).astype(int)  # runs of each architecture, with replacement
    chosen = np.take_along_axis(of_runs, drawn, axis=2) * (np.arange(n_seeds) < arm.n_runs[:, None])
    return divide(chosen.sum(axis=2), counts.sum(axis=1)[:, None] * arm.n_runs)


def permutations(keys: NDArray[Any], is_in: NDArray[Any], strata_of: Sequence[str] | None = None) -> NDArray[Any]:
    """Return random permutations of the architectures in use, `(n_draws, n_in_use)`, as places among them.

    Args:
        keys: Random numbers, `(n_draws, n_architectures)`; the same keys give the same order in every task.
        is_in: Whether each architecture is in use, `(n_architectures,)`.
        strata_of: Family of each architecture if architectures are permuted within families only.
    """
    of_used = keys[:, is_in]
    if strata_of is None:
        return of_used.argsort(axis=1)
    _, family = np.unique(np.asarray(strata_of)[is_in], return_inverse=True)
    permuted = np.empty(of_used.shape, int)
    permuted[:, np.argsort(family, kind="stable")] = (family + of_used).argsort(axis=1)
    return permuted
