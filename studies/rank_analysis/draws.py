"""Draws of architectures, seeds and clips, for the intervals of all statistics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import RankData
from .scores import Arm, divide, is_used, strata

LEAST_SHARE = 0.5
"""Least share of draws in which a statistic must be defined to have an interval."""
LEAST_DESIGNS = 3  # number of designs of a family that is drawn by itself
CHUNK = 500  # number of draws whose counts of clips are in memory together
N_DRAWS = 10_000


@dataclass(frozen=True)
class Draws:
    """Draws with replacement, in which all statistics are computed again.

    A drawn architecture brings the luck of its seeds and clips along, so draws of architectures cover it. They do not
    cover luck with clips that architectures have in common. Drawing architectures and clips at once would count the
    former twice, because noise is drawn on top of noisy scores. The draws therefore have three parts, which `variance`
    puts together: architectures, clips, and both at once.

    Args:
        weights: Weight of each architecture, its number of occurrences, `(n_all_draws, n_architectures)`; see `parts`.
        centred: The same for statistics that are centred in each family.
        clips: Accuracies on drawn clips, `(n_draws // 4, n_architectures)`, for each task by arm.
        noise: Accuracies on drawn seeds and clips, `(n_draws // 4, n_architectures)`, for each task by arm.
        keys: Random numbers that put the architectures in a random order, the same for all tasks,
            `(n_draws, n_architectures)`.
    """

    weights: NDArray[Any]
    centred: NDArray[Any]
    clips: Sequence[Mapping[str, NDArray[Any]]]
    noise: Sequence[Mapping[str, NDArray[Any]]]
    keys: NDArray[Any]


def draw(data: RankData, arms: Sequence[Mapping[str, Arm]], n_draws: int, seed: int) -> Draws:
    """Draw designs, seeds and clips.

    Args:
        data: Results of the study.
        arms: Arms of each task.
        n_draws: Number of draws of designs; a quarter as many of clips, and of both.
        seed: Seed.
    """
    designs, order, *of_tasks, centred = np.random.default_rng(seed).spawn(3 + len(arms))
    keys = order.random((n_draws, len(data.designs)))
    n_clips = n_draws // 4
    once = np.broadcast_to(1.0 - np.asarray(data.apart, bool), (n_clips, len(data.designs)))
    found = [draw_scores(of_task, n_clips, rng) for of_task, rng in zip(arms, of_tasks, strict=True)]
    is_in = np.any([is_used(of_task, data.apart) for of_task in arms], axis=0)
    plain, within = (
        np.concatenate([weights, once, weights[:n_clips]])
        for weights in (draw_designs(data, is_in, n_draws, designs), draw_centred(data, is_in, n_draws, centred))
    )
    return Draws(plain, within, [clips for clips, _ in found], [noise for _, noise in found], keys)


def parts(draws: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the draws of architectures, `(n_draws,)`, of clips, and of both at once, `(n_draws // 4,)` each.

    The latter have the clips of the second and the architectures of the first of the first part.
    """
    n = len(draws) // 6
    return draws[: len(draws) - 2 * n], draws[len(draws) - 2 * n : len(draws) - n], draws[len(draws) - n :]


def variance(draws: NDArray[Any]) -> float:
    """Return the variance of a statistic over architectures, with their seeds and clips, from its draws.

    Scores have effects of architectures (A), of clips (B), and of both together (AB). Draws of architectures have the
    variance A + AB, draws of clips B + AB, and draws of both at once A + B + 3 AB (Owen, Annals of Applied Statistics
    1, 2007). Hence A + B + AB is the first plus the shared part of the clips, B = first + 2 second - third, if it is
    above 0.

    Args:
        draws: The statistic in each draw, `(n_all_draws,)`; draws that are not finite are left out.

    Returns:
        The variance; NaN if half of the draws of architectures or more are not finite.
    """
    first, second, third = parts(draws)
    finite = np.isfinite(first)
    if finite.sum() < 2 or finite.mean() <= LEAST_SHARE:
        return nan
    paired = np.isfinite(first[: len(third)]) & np.isfinite(second) & np.isfinite(third)
    of_architectures, of_clips, of_both = (each[: len(third)][paired] for each in (first, second, third))
    shared = 0.0
    if paired.sum() > 1:
        shared = float(np.var(of_architectures, ddof=1) + 2 * np.var(of_clips, ddof=1) - np.var(of_both, ddof=1))
    return float(np.var(first[finite], ddof=1)) + max(shared, 0.0)


def draw_designs(data: RankData, is_in: NDArray[Any], n_draws: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw designs with replacement inside each family: occurrences of architectures, `(n_draws, n_architectures)`.

    Families are fixed, not sampled. Of m designs, m - 1 are drawn, and each counts as m/(m - 1): draws of m have a
    variance that is too small by (m - 1)/m (Rao & Wu, Journal of the American Statistical Association 83, 1988).
    Families with one or two designs are drawn as one family, and a single design that is left over is drawn with the
    next smallest family. A drawn design brings all of its architectures along.

    Args:
        data: Results of the study.
        is_in: Whether each architecture is in the statistics of a task, `(n_architectures,)`; others are never drawn.
        n_draws: Number of draws.
        rng: Draws the designs.
    """
    strata_of = _merge_small(_families_of_designs(data, is_in))
    return _draw_inside(data.designs, is_in, strata_of, n_draws, rng, n_left_out=1)


def draw_centred(data: RankData, is_in: NDArray[Any], n_draws: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw designs as `draw_designs` does, for statistics that are centred in each family.

    All m designs of a family are drawn. Centring again in each draw already costs one degree of freedom; with m - 1
    draws, small families would lose two, and a family of two would not vary at all.
    """
    return _draw_inside(data.designs, is_in, _families_of_designs(data, is_in), n_draws, rng, n_left_out=0)


def _draw_inside(
    designs: Sequence[str],
    is_in: NDArray[Any],
    strata_of: Mapping[str, str],
    n_draws: int,
    rng: np.random.Generator,
    *,
    n_left_out: int,
) -> NDArray[Any]:
    """Draw m - `n_left_out` of the m designs of each stratum, and scale their weights to a sum of m."""
    weights = np.zeros((n_draws, len(designs)))
    for stratum in dict.fromkeys(strata_of.values()):
        names = [design for design, its in strata_of.items() if its == stratum]
        n = len(names)
        n_drawn = max(n - n_left_out, 1)
        drawn = rng.multinomial(n_drawn, np.full(n, 1 / n), n_draws) * (n / n_drawn)
        place = {design: index for index, design in enumerate(names)}
        for index, design in enumerate(designs):
            if design in place and is_in[index]:
                weights[:, index] = drawn[:, place[design]]
    return weights


def _families_of_designs(data: RankData, is_in: NDArray[Any]) -> dict[str, str]:
    """Return the family of each design that has an architecture in the statistics."""
    members = zip(data.designs, data.families, is_in, strict=True)
    return {design: family for design, family, one in members if one}


def _merge_small(families: Mapping[str, str]) -> dict[str, str]:
    """Return the family of each design, or an empty name if its family has too few designs to be drawn by itself."""
    merged: set[str] = set()
    n = 0
    for family, size in sorted(Counter(families.values()).items(), key=lambda one: one[1]):
        if size < LEAST_DESIGNS or n == 1:
            merged.add(family)
            n += size
    return {design: "" if family in merged else family for design, family in families.items()}


def draw_scores(
    arms: Mapping[str, Arm], n_draws: int, rng: np.random.Generator
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Draw clips and seeds of one task, and return the accuracies of each arm, `(n_draws, n_architectures)`.

    Arms on the same test set have the same draws of clips. Arms that differ after a hyphen alone, such as `random` and
    `random-raw`, have the same draws of seeds.

    Returns:
        Accuracies of all seeds on the drawn clips, and of the drawn seeds on them.
    """
    found: dict[str, list[tuple[NDArray[Any], NDArray[Any]]]] = {arm: [] for arm in arms}
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
    clips, noise = (
        {
            name: np.concatenate([np.empty((0, len(arms[name].n_runs))), *(pair[which] for pair in pairs)])
            for name, pairs in found.items()
        }
        for which in (0, 1)
    )
    return clips, noise


def draw_clips(labels: NDArray[Any], groups: NDArray[Any], n_draws: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw groups of clips with replacement within each class: occurrences of clips, `(n_draws, n_clips)`."""
    group, members = strata(labels, groups)
    of_group = np.zeros((n_draws, sum(map(len, members))))
    for those in members:
        of_group[:, those] = rng.multinomial(len(those), np.full(len(those), 1 / len(those)), n_draws)
    return of_group[:, group]


def _scores(arm: Arm, counts: NDArray[Any], places: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    n_architectures, n_seeds, n_clips = arm.right.shape
    of_runs = (counts @ arm.right.reshape(-1, n_clips).T).reshape(-1, n_architectures, n_seeds)
    drawn = (places * arm.n_runs[:, None]).astype(int)  # runs of each architecture, with replacement
    chosen = np.take_along_axis(of_runs, drawn, axis=2) * (np.arange(n_seeds) < arm.n_runs[:, None])
    n = counts.sum(axis=1)[:, None] * arm.n_runs
    return divide(of_runs.sum(axis=2), n), divide(chosen.sum(axis=2), n)


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
