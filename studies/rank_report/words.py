"""Numbers of a rank study as text."""

from collections.abc import Sequence
from math import isfinite, isinf

from ..rank_analysis.statistics import Statistic

UNKNOWN = "–"
"""Text for a number that cannot be estimated."""
ARMS = {
    "random": "untrained: frozen network, backend (u)",
    "linear": "untrained: frozen network, trained linear head",
    "trained": "trained: the whole network (y)",
    "trained-last": "trained, with the head `last`",
    "proxies": "proxies",
    "nngp": "proxy nngp",
}
"""Descriptions of the arms, in the order of the report."""
CHANGES = {
    "random-raw": "u of embeddings that are not standardized",
    "random-mean_std": "u with mean and standard deviation as pooling",
    "random-last": "u of the last layer only",
    "random-columns": "u of 112 random features",
    "trained-last": "y with the head `last` (first 16 architectures)",
    "trained-common": "y at one learning rate for all",
    "trained nets only": "without networks that did not train",
}
"""Descriptions of the sensitivities by the name of their arm."""


def number(value: float, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals.

    Example:
        >>> number(0.7361), number(-0.001), number(float("nan"))
        ('0.74', '0.00', '–')
    """
    if not isfinite(value):
        return UNKNOWN
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign.

    Example:
        >>> signed(0.25), signed(-0.25), signed(0.001)
        ('+0.25', '-0.25', '0.00')
    """
    text = number(value, digits)
    return f"+{text}" if isfinite(value) and value > 0 and float(text) else text


def interval(statistic: Statistic, digits: int = 2) -> str:
    """Return the 95 % interval of a statistic.

    Example:
        >>> interval(Statistic(0.7, 0.52, 0.82))
        '[0.52, 0.82]'
    """
    if not (isfinite(statistic.low) and isfinite(statistic.high)):
        return UNKNOWN
    return f"[{number(statistic.low, digits)}, {number(statistic.high, digits)}]"


def estimate(statistic: Statistic, digits: int = 2) -> str:
    """Return a statistic with its 95 % interval.

    Example:
        >>> estimate(Statistic(0.7, 0.52, 0.82)), estimate(Statistic(0.7))
        ('0.70 [0.52, 0.82]', '0.70')
    """
    if not isfinite(statistic.value):
        return UNKNOWN
    found = interval(statistic, digits)
    return number(statistic.value, digits) + ("" if found == UNKNOWN else f" {found}")


def probability(p: float) -> str:
    """Return a p-value.

    Example:
        >>> probability(0.0312), probability(1e-12)
        ('0.031', '< 0.0001')
    """
    if not isfinite(p):
        return UNKNOWN
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def as_p(p: float) -> str:
    """Return a p-value with its sign of equality, for a sentence.

    Example:
        >>> as_p(0.0312), as_p(1e-12)
        ('p = 0.031', 'p < 0.0001')
    """
    text = probability(p)
    return f"p {text}" if text[:1] == "<" else f"p = {text}"


def percent(fraction: float, digits: int = 1) -> str:
    """Return a fraction in per cent.

    Example:
        >>> percent(0.8125)
        '81.2'
    """
    return number(100 * fraction, digits)


def count(value: float) -> str:
    """Return a whole number with separators.

    Example:
        >>> count(24700.0)
        '24,700'
    """
    return f"{value:,.0f}" if isfinite(value) else UNKNOWN


def band(low: float, high: float) -> str:
    """Return a range of differences in points.

    Example:
        >>> band(2, 5), band(20, float("inf"))
        ('2 to 5', 'over 20')
    """
    return f"over {low:g}" if isinf(high) else f"{low:g} to {high:g}"


def several(n: int, noun: str) -> str:
    """Return a number and a noun, in the plural if necessary.

    Example:
        >>> several(1, "task"), several(2, "task")
        ('1 task', '2 tasks')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def noise_of(n_seeds: int) -> str:
    """Return what the standard error of a score covers.

    Example:
        >>> noise_of(1), noise_of(2)
        ('over clips (one seed)', 'over 2 seeds and clips')
    """
    return "over clips (one seed)" if n_seeds == 1 else f"over {several(n_seeds, 'seed')} and clips"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names with commas, at most a few of them.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
