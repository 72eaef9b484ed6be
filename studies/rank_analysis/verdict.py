"""The rule, fixed before the study, by which it predicts or does not."""

from collections.abc import Sequence

import numpy as np

from .analysis import Condition, Verdict
from .statistics import Correlations, Statistic

HEADLINE = 0.5
MIN_ARCHITECTURES = 9
"""Smallest number of architectures in each task of a study that is not too small."""
MAX_WIDTH = 0.6
"""Largest width of the interval of the headline in a study that is not too small."""


def verdict(pooled: Correlations, more_than_size: Statistic, sizes: Sequence[int], left_out: Sequence[str]) -> Verdict:
    """Return the first statement whose conditions hold.

    "predicts, beyond size" needs all four lower ends above their limits: of the headline above 0.5, and of the ρ within
    families, of the partial ρ given size and of ρ(u) - max(ρ(n_parameters), ρ(flop)) above 0. "predicts" needs the
    first two, "between families only" the first. Otherwise the answer is "not shown".

    A study is too small to say if a task has fewer than 9 architectures, because with 9 even a ρ of 0.9 has the
    interval [0.48, 0.98] (Bonett-Wright) and fails the first condition; or if the interval of the headline is wider
    than 0.6, which leaves open whether the untrained rank is of little use or of much, such as [0.2, 0.8]. With 20
    architectures, the interval at a ρ of 0.7 is [0.32, 0.88], just narrow enough.

    Args:
        pooled: Correlations pooled over tasks.
        more_than_size: ρ(u) - max(ρ(n_parameters), ρ(flop)), pooled, with the maximum taken inside each draw.
        sizes: Number of architectures in each task.
        left_out: Names of tasks in which ρ cannot be estimated, which the headline leaves out.
    """
    conditions = [
        Condition("headline", pooled.rho, HEADLINE),
        Condition("within family", pooled.within_family, 0.0),
        Condition("partial, given size", pooled.partial.rho, 0.0),
        Condition("more than the better of parameters and FLOP", more_than_size, 0.0),
    ]
    holds = [condition.holds for condition in conditions]
    texts = ("not shown", "between families only", "predicts", "predicts", "predicts, beyond size")
    n_first = holds.index(False) if False in holds else len(holds)
    return Verdict(texts[n_first], conditions, _too_small(pooled.rho, sizes, left_out))


def _too_small(rho: Statistic, sizes: Sequence[int], left_out: Sequence[str]) -> str:
    if min(sizes) < MIN_ARCHITECTURES:
        noun = "architecture" if min(sizes) == 1 else "architectures"
        return f"{min(sizes)} {noun} in a task; expected {MIN_ARCHITECTURES} or more"
    if left_out:
        return f"the correlation cannot be estimated on {', '.join(left_out)}"
    width = rho.high - rho.low
    if np.isnan(width):
        return "the interval of the headline cannot be estimated"
    if width > MAX_WIDTH:
        return f"the interval of the headline is {width:.2f} wide; expected {MAX_WIDTH} or less"
    return ""
