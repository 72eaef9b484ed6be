"""Pairs of architectures, counted by the difference of their untrained accuracies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..rank_analysis.analysis import Agreement
from .words import number, several

DEGENERATE = 0.005
"""Width of a band below which it says nothing: all drawn pairs agree, as after a few pairs that all agree."""


@dataclass(frozen=True)
class Pair:
    """Two architectures on a task.

    Args:
        points: Difference of their untrained accuracies, in points.
        same: Whether the better one without training is the better one with training.
        first: Index of one architecture.
        second: Index of the other.
    """

    points: float
    same: bool
    first: int
    second: int


def pairs_of(
    tasks: Iterable[tuple[Sequence[float | None], Sequence[float | None]]], apart: Sequence[bool]
) -> list[Pair]:
    """Return the pairs within each task, without those that are equal without training.

    Args:
        tasks: Untrained and trained accuracies of each task, as fractions; None or NaN where missing.
        apart: Whether each architecture is reported apart, and in no pair.
    """
    found = []
    for untrained, trained in tasks:
        known = [
            (index, u, y)
            for index, (u, y, one) in enumerate(zip(untrained, trained, apart, strict=True))
            if not one and u is not None and y is not None and u + y == u + y
        ]
        for (a, u, y), (b, v, z) in combinations(known, 2):
            if points := round(100 * abs(u - v), 9):
                found.append(Pair(points, (u - v) * (y - z) > 0, a, b))
    return found


def in_pairs(pairs: Sequence[Pair], points: float) -> str:
    """Return in how many pairs with at least a difference the order was the same, as a part of a sentence.

    Example:
        >>> in_pairs([Pair(12.0, True, 0, 1), Pair(15.0, True, 1, 2), Pair(1.0, False, 0, 2)], 10.0)
        'in all 2 pairs of 3 architectures with a difference of 12.0 points or more'
    """
    found = [pair for pair in pairs if pair.points >= points] or [
        pair for pair in pairs if pair.points == max(each.points for each in pairs)
    ]
    if not found:
        return "in no pair"
    same = sum(pair.same for pair in found)
    n = len({index for pair in found for index in (pair.first, pair.second)})
    share = f"all {several(len(found), 'pair')}" if same == len(found) else f"{same} of {several(len(found), 'pair')}"
    share = "the only pair" if same == len(found) == 1 else share
    least = number(min(pair.points for pair in found), 1)
    return f"in {share} of {several(n, 'architecture')} with a difference of {least} points or more"


def has_band(found: Agreement) -> NDArray[np.bool_]:
    """Return whether the band says anything at each difference: it is known, and wider than none at all."""
    return np.asarray(np.isfinite(found.low) & np.isfinite(found.high) & (found.high - found.low >= DEGENERATE), bool)
