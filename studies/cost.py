"""Measures of the cost of a frontend, and the Pareto front of cost and accuracy."""

from collections.abc import Callable, Sequence
from math import floor, log10

from .analysis import Cell

COSTS: dict[str, Callable[[Cell], float | None]] = {
    "parameters": lambda cell: cell.first.n_parameters,
    "FLOP per clip": lambda cell: cell.first.flop,
    "seconds per clip": lambda cell: cell.seconds_per_clip,
}
"""Functions that return a cost of a cell, or None if the cost is unknown, by the name of the cost."""


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the Pareto-optimal pairs of cost and score, each once, in order of increasing cost.

    Example:
        >>> pareto_front([(2, 50), (1, 40), (3, 45), (4, 60)])
        [(1, 40), (2, 50), (4, 60)]
    """
    best: list[tuple[float, float]] = []
    for cost, value in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or value > best[-1][1]:
            best.append((cost, value))
    return best


def decades(costs: Sequence[float]) -> list[float]:
    """Return the powers of ten that enclose all positive costs; empty if no cost is positive.

    Example:
        >>> decades([0, 20, 700])
        [10.0, 100.0, 1000.0]
    """
    positive = [cost for cost in costs if cost > 0]
    if not positive:
        return []
    low, high = floor(log10(min(positive))), floor(log10(max(positive))) + 1
    return [10.0**power for power in range(low, high + 1)]
