"""Reliability of scores over seeds and clips, and what it limits: ceilings and the correction for attenuation."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import nan, sqrt

import numpy as np

from .compared import Task
from .data import RANDOM, TRAINED
from .pooling import spread
from .ranks import LEAST, QUANTILE, Frame
from .scores import draw_halves, halves
from .statistics import Attenuation, Ceiling, Reliability, Statistic

N_SPLITS = 1000
STABLE = 0.6
"""Least reliability at which a correction for attenuation is stable."""


def spearman_brown(r: float, factor: float) -> float:
    """Return the reliability of a score that is `factor` times as long as scores with a correlation of r.

    It is `factor` r/(1 + (`factor` - 1) r) (Spearman 1910, Brown 1910), and 0 for a negative correlation.

    Example:
        >>> spearman_brown(0.5, 3)
        0.75
    """
    return nan if np.isnan(r) else factor * max(r, 0) / (1 + (factor - 1) * max(r, 0))


def reliability(task: Task, name: str, rng: np.random.Generator) -> tuple[Reliability, Reliability]:
    """Return the reliability of an arm's scores, and that of the scores of one seed.

    Over seeds it is the mean correlation of pairs of seeds, stepped up to the number of seeds. Over clips it is the
    mean correlation of random halves of the clips, which keep groups together and classes balanced, stepped up to all
    clips. Over both it comes from `components`, because the luck of one seed with one clip shrinks with the number of
    both, which Spearman-Brown's formula does not allow for.

    Args:
        task: A task.
        name: Name of the arm.
        rng: Draws the halves.
    """
    arm = task.arms[name]
    if task.n < LEAST:
        nothing = Reliability(nan, nan, nan)
        return nothing, nothing
    frame = Frame.of(task.is_in[None].astype(float))
    of_clip = draw_halves(arm.labels, arm.groups, N_SPLITS, rng)
    complete = int(arm.n_runs[task.is_in].min())
    singles = [replace(arm, right=arm.right[:, [seed]], n_runs=np.minimum(arm.n_runs, 1)) for seed in range(complete)]
    pairs = list(combinations(range(complete), 2))
    scores = [frame.ranks(single.scores[None]) for single in singles]
    of_seeds = _mean([float(frame.rho(scores[i], scores[j])[0]) for i, j in pairs])
    of_halves = [[frame.ranks(half) for half in halves(single, of_clip)] for single in singles]
    same = _mean([float(frame.rho(*both).mean()) for both in of_halves])
    other = _mean([float(frame.rho(of_halves[i][0], of_halves[j][1]).mean()) for i, j in pairs])
    clips = _mean(
        [float(frame.rho(of_halves[i][half], of_halves[j][half]).mean()) for i, j in pairs for half in (0, 1)]
    )
    first, second = (frame.ranks(half) for half in halves(arm, of_clip))
    between = float(frame.rho(first, second).mean())
    whole, one = (
        Reliability(spearman_brown(of_seeds, n), spearman_brown(r, 2), components(other, same, clips, n))
        for n, r in ((complete, between), (1, same))
    )
    return whole, one


def components(other: float, same_seed: float, same_clips: float, n_seeds: int) -> float:
    """Return the reliability over seeds and clips of the mean of several seeds on all clips.

    Scores of one seed on half of the clips, with variance 1, are the sum of the architecture (T), its luck with the
    seed (S), with the clips (C), and of the seed with the clips (E). Halves and seeds that differ have the correlation
    T, halves with the same seed T + S, and seeds on the same half T + C. On all clips C and E are half as large, and
    with n seeds S and E are an n-th.

    Args:
        other: Correlation of scores with other seeds and other clips.
        same_seed: Correlation of scores with the same seed and other clips.
        same_clips: Correlation of scores with other seeds and the same clips.
        n_seeds: Number of seeds.

    Returns:
        T/(T + S/n + C/2 + E/(2 n)).

    Example:
        >>> components(0.5, 0.7, 0.6, 2)  # T = 0.5, S = 0.2, C = 0.1, E = 0.2
        0.7142857142857143
    """
    of_seeds, of_clips = max(same_seed - other, 0), max(same_clips - other, 0)
    rest = max(1 - other - of_seeds - of_clips, 0)
    return max(other, 0) / (max(other, 0) + of_seeds / n_seeds + of_clips / 2 + rest / (2 * n_seeds))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else nan


def ceiling(untrained: Reliability, trained: Reliability, one_seed: Reliability) -> Ceiling:
    """Return the highest correlations that noise allows.

    Args:
        untrained: Reliability of u.
        trained: Reliability of y.
        one_seed: Reliability of y with one seed.
    """
    pairs = [(getattr(untrained, name), getattr(trained, name)) for name in ("seeds", "clips", "both")]
    return Ceiling(
        predictor=Reliability(*(sqrt(u * y) for u, y in pairs)),
        noiseless=Reliability(*(sqrt(y) for _, y in pairs)),
        retest=one_seed,
    )


def attenuation(
    task: Task, rho: float, untrained: Reliability, trained: Reliability, rng: np.random.Generator
) -> Attenuation:
    """Return ρ corrected for noise.

    Its interval repeats ρ and both reliabilities in each draw, each on one split, and has the relative spread of their
    quotient.

    Args:
        task: A task.
        rho: ρ(u, y).
        untrained: Reliability of u.
        trained: Reliability of y.
        rng: Draws the halves.
    """
    by = "clips" if np.isnan(untrained.both) or np.isnan(trained.both) else "both"
    found = (getattr(untrained, by), getattr(trained, by))
    value = rho / sqrt(found[0] * found[1]) if min(found) > 0 else nan
    if task.n < LEAST or np.isnan(value):
        return Attenuation(Statistic(value), True, by)
    frame = task.frame(drawn=True)
    product = np.ones(len(frame.weights))
    ranks = []
    for name in (RANDOM, TRAINED):
        arm = task.arms[name]
        of_clip = draw_halves(arm.labels, arm.groups, N_SPLITS, rng)
        split = np.arange(len(frame.weights)) % N_SPLITS
        first, second = (half[split] for half in halves(arm, of_clip, rng if by == "both" else None))
        r = np.maximum(frame.rho(frame.ranks(first), frame.ranks(second)), 0)
        product *= 2 * r / (1 + r)
        ranks.append(task.drawn_ranks(frame, name))
    with np.errstate(divide="ignore", invalid="ignore"):
        corrected = frame.rho(*ranks) / np.sqrt(product)
    error = abs(value / float(np.mean(corrected[np.isfinite(corrected)]))) * spread(corrected)
    return Attenuation(Statistic(value, value - QUANTILE * error, value + QUANTILE * error), min(found) < STABLE, by)
