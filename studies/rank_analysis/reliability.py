"""Reliability of scores over seeds and clips, and what it limits: ceilings and the correction for attenuation."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import nan, sqrt

import numpy as np

from .compared import Task
from .data import RANDOM, TRAINED
from .ranks import LEAST, QUANTILE, Frame
from .scores import Arm, draw_halves, halves
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
    clips. Over both, each half has its own seeds too; an odd number of seeds is divided unevenly, which makes the value
    slightly low.

    For one seed, let r_ab be the mean correlation of halves with different seeds, and r_aa of halves with the same
    seed. Then the reliability over both is 2 r_ab/(1 + r_aa): the clips are stepped up, the seeds are not.

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
    one = Reliability(of_seeds, spearman_brown(same, 2), min(1.0, 2 * max(other, 0) / (1 + max(same, 0))))
    clips, both = (_between_halves(arm, frame, of_clip, way) for way in (None, rng))
    whole = Reliability(
        spearman_brown(of_seeds, complete),
        spearman_brown(clips, 2),
        spearman_brown(both, 2) if complete > 1 else nan,
    )
    return whole, one if complete > 1 else replace(one, both=nan)


def _between_halves(arm: Arm, frame: Frame, of_clip: np.ndarray, rng: np.random.Generator | None) -> float:
    first, second = halves(arm, of_clip, rng)
    return float(frame.rho(frame.ranks(first), frame.ranks(second)).mean())


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
    """Return ρ corrected for noise. Its interval repeats ρ and both reliabilities in each draw, each on one split.

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
        ranks.append(frame.ranks(task.scores[name]))
    with np.errstate(divide="ignore", invalid="ignore"):
        corrected = frame.rho(*ranks) / np.sqrt(product)
    error = float(np.std(corrected[np.isfinite(corrected)], ddof=1))
    return Attenuation(Statistic(value, value - QUANTILE * error, value + QUANTILE * error), min(found) < STABLE, by)
