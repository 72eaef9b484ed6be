"""Correction of the tests of a family of pairs of frontends, and the verdict that follows from all pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from .significance import Estimate, holm

LEVEL = 0.05
Pair = tuple[str, str]


@dataclass(frozen=True)
class PairTest:
    """Test of one pair of a family.

    Args:
        a: Name of a frontend.
        b: Name of another frontend.
        estimate: Difference of the accuracies, `a` minus `b`, with its standard error and p-value.
        p_corrected: P-value after Holm's correction for all pairs of the family.
        detectable: Smallest true difference that the test detects with 80 % power at the corrected level, as a
            fraction.
    """

    a: str
    b: str
    estimate: Estimate
    p_corrected: float
    detectable: float

    @property
    def is_significant(self) -> bool:
        """Whether the corrected p-value is below 0.05."""
        return self.p_corrected < LEVEL


@dataclass(frozen=True)
class Verdict:
    """Best frontend of a family of tests, and the frontends that are significantly worse.

    Args:
        best: Frontend with the highest accuracy.
        not_separable: Frontends that are not significantly worse than the best, in order of decreasing accuracy.
        worse: Frontends that are significantly worse than the best, in order of decreasing accuracy.
        detectable: Median of the smallest detectable differences of all pairs, as a fraction.
        these_weights_alone: Whether a comparison with the best frontend ignores the variation over random weights.
    """

    best: str
    not_separable: Sequence[str]
    worse: Sequence[str]
    detectable: float
    these_weights_alone: bool


def correct_family(estimates: Mapping[Pair, Estimate]) -> list[PairTest]:
    """Correct the p-values of a family of pairs by Holm's method, without regard to other families.

    The smallest detectable difference is that of Holm's first step, at a level of 0.05 divided by the number of pairs.
    """
    corrected = holm([estimate.p for estimate in estimates.values()])
    return [
        PairTest(a, b, estimate, p, estimate.detectable(LEVEL / len(estimates)))
        for ((a, b), estimate), p in zip(estimates.items(), corrected, strict=True)
    ]


def verdict(tests: Sequence[PairTest]) -> Verdict:
    """Return the best frontend and the frontends that are significantly worse.

    The best frontend is known only after looking at the data. Testing it against the others as if it had been named
    beforehand would reject too often. Therefore all pairs are tested and corrected (Holm 1979). This controls the
    family-wise error rate at 5 %, whichever frontend is best. Multiple comparisons with the best (Hsu, Annals of
    Statistics 12, 1984) need fewer comparisons, but require the same standard error for all pairs. Frontends are
    ordered by their mean difference from all others on the clips that are tested.

    Args:
        tests: Tests of all pairs of frontends, corrected together.

    Raises:
        ValueError: The tests do not contain each pair exactly once.

    Example:
        >>> differences = {("a", "b"): 0.3, ("a", "c"): 0.04, ("b", "c"): -0.26}
        >>> found = verdict(correct_family({pair: Estimate(value, 0.05) for pair, value in differences.items()}))
        >>> found.best, found.not_separable, found.worse, round(found.detectable, 2)
        ('a', ['c'], ['b'], 0.16)
    """
    lead: dict[str, float] = {}  # sum of the differences from all other frontends
    for test in tests:
        lead[test.a] = lead.get(test.a, 0) + test.estimate.difference
        lead[test.b] = lead.get(test.b, 0) - test.estimate.difference
    of_pair = {frozenset((test.a, test.b)): test for test in tests}
    expected = {frozenset(pair) for pair in combinations(lead, 2)}
    if not tests or set(of_pair) != expected or len(of_pair) != len(tests):
        raise ValueError(f"{len(tests)} tests of {len(lead)} frontends; expected one test for each pair")
    best, *others = sorted(lead, key=lambda name: -lead[name])
    with_best = {name: of_pair[frozenset((best, name))] for name in others}
    worse = [name for name, test in with_best.items() if test.is_significant and _is_ahead(best, test)]
    return Verdict(
        best=best,
        not_separable=[name for name in others if name not in worse],
        worse=worse,
        detectable=median(test.detectable for test in tests),
        these_weights_alone=any(test.estimate.these_weights_alone for test in with_best.values()),
    )


def _is_ahead(name: str, test: PairTest) -> bool:
    return (test.estimate.difference > 0) == (test.a == name)
