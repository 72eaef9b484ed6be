"""Analysis of a rank study, as dataclasses: everything that a report, a figure or a file shows.

Correlations are Spearman's ρ, accuracies are fractions, and a statistic that cannot be estimated is NaN, as in
`statistics`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .statistics import (
    Attenuation,
    Correlations,
    CrossFitted,
    Decisions,
    Flags,
    Reliability,
    Scores,
    SignificantPairs,
    Statistic,
)


@dataclass(frozen=True)
class TaskAnalysis:
    """Results of one task.

    Args:
        name: Name of the task.
        n: Number of architectures in the statistics.
        left_out: Architectures without an untrained or a trained score.
        scores: Accuracies of all architectures, those reported apart included.
        correlations: Correlations of untrained and trained accuracy.
        rho_apart: ρ of the architectures that are reported apart.
        untrained_reliability: Reliability of u.
        trained_reliability: Reliability of y.
        cross_fitted: Cross-fitted ρ; None if u and y have clips of their own.
        attenuation: ρ corrected for noise.
        significant_pairs: τ over pairs whose trained accuracies differ by more than chance.
        decisions: Regret.
        flags: Signs that the training recipe, not the architecture, decides.
    """

    name: str
    n: int
    left_out: Sequence[str]
    scores: Scores
    correlations: Correlations
    rho_apart: float
    untrained_reliability: Reliability
    trained_reliability: Reliability
    cross_fitted: CrossFitted | None
    attenuation: Attenuation
    significant_pairs: SignificantPairs
    decisions: Decisions
    flags: Flags


@dataclass(frozen=True)
class Contrast:
    """Specificity of the untrained rank to its task.

    Args:
        tasks: Names of the tasks.
        rho: ρ(u of task t, y of task s), `(n_tasks, n_tasks)`, rows t and columns s; the diagonal as in the headline.
        specificity: Mean of the diagonal minus mean of the other entries; NaN with one task.
    """

    tasks: Sequence[str]
    rho: NDArray[Any]
    specificity: Statistic


@dataclass(frozen=True)
class Rival:
    """Another predictor of the trained accuracy, compared with the untrained accuracy.

    Args:
        name: Name of the predictor, such as `n_parameters`.
        rho: ρ(rival, y), pooled over tasks by Fisher's z.
        difference: ρ(u, y) - ρ(rival, y), both pooled, paired in each draw; p is two-sided, from the difference divided
            by its standard deviation over draws.
        p_corrected: P-value after Holm's correction for all rivals.
        by_task: ρ(rival, y) of each task, by name.
        n_not_finite: Number of infinite values over all tasks; each is ranked lowest.
        n_missing: Number of architectures over all tasks that lack a value. They are left out of this comparison, of
            the untrained accuracy too. Tasks without any value do not count.
    """

    name: str
    rho: Statistic
    difference: Statistic
    p_corrected: float
    by_task: Mapping[str, float]
    n_not_finite: int
    n_missing: int


@dataclass(frozen=True)
class Band:
    """Pairs of architectures whose untrained accuracies differ by an amount in a band.

    Args:
        low: Smallest difference, in percentage points.
        high: Largest difference, exclusive; infinite in the last band.
        share: Share of pairs with the same order in the trained accuracy; a trained tie counts as half.
        n_pairs: Number of pairs; pairs that share an architecture are not independent. Where u and y share clips, it is
            a mean over splits of the clips.
    """

    low: float
    high: float
    share: float
    n_pairs: int


@dataclass(frozen=True)
class Agreement:
    """Probability that the architecture that is better untrained is better trained, given the difference untrained.

    Args:
        difference: Difference of untrained accuracies, in percentage points, ascending, `(n,)`.
        probability: Isotonic regression over the pairs of all tasks, `(n,)`.
        low: Lower end of a pointwise 95 % band over designs, `(n,)`.
        high: Upper end of the band, `(n,)`.
        bands: Share of pairs that agree, in bands of the difference.
    """

    difference: NDArray[Any]
    probability: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    bands: Sequence[Band]


@dataclass(frozen=True)
class Sensitivity:
    """The headline with one choice changed.

    Args:
        name: Arm that replaces `random` or `trained`, or `trained nets only`.
        rho: ρ with that choice, pooled over tasks, on all clips.
        difference: `rho` minus ρ of the main arms, on the same architectures (for `trained nets only`: on all).
        n: Number of architectures in each task, by task.
    """

    name: str
    rho: Statistic
    difference: Statistic
    n: Mapping[str, int]


@dataclass(frozen=True)
class Condition:
    """One condition of the verdict: the lower end of an interval is above a limit.

    Args:
        name: What is estimated.
        statistic: Its estimate and interval.
        limit: The limit.
    """

    name: str
    statistic: Statistic
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the lower end of the interval is above the limit; False if it cannot be estimated."""
        return bool(self.statistic.low > self.limit)


@dataclass(frozen=True)
class Verdict:
    """What the study shows, by the rule that was fixed before it.

    Args:
        text: "predicts, beyond size", "predicts", "between families only" or "not shown".
        conditions: The four conditions, in the order of the rule: headline, within family, partial, more than size.
        too_small: Why the study is too small to say; empty if it is not. The text then describes the study, and is no
            evidence for or against prediction.
    """

    text: str
    conditions: Sequence[Condition]
    too_small: str


@dataclass(frozen=True)
class RankAnalysis:
    """All that a rank study says.

    Args:
        verdict: What the study shows.
        pooled: Correlations pooled over tasks; `pooled.rho` is the headline.
        tasks: Results of each task.
        contrast: Specificity of the untrained rank to its task.
        rivals: Other predictors, in the order of the protocol.
        agreement: Probability of the same order, given the difference untrained.
        sensitivities: The headline with one choice changed.
        decisions: Regret, a mean over tasks.
        architectures: Name of each architecture, as in the arrays of `Scores`.
        families: Family of each architecture.
        apart: Whether each architecture is reported apart, `(n_architectures,)`, bool.
        n_draws: Number of draws of the intervals, and of permutations.
        seed: Seed of all draws.
    """

    verdict: Verdict
    pooled: Correlations
    tasks: Sequence[TaskAnalysis]
    contrast: Contrast
    rivals: Sequence[Rival]
    agreement: Agreement
    sensitivities: Sequence[Sensitivity]
    decisions: Decisions
    architectures: Sequence[str]
    families: Sequence[str]
    apart: NDArray[Any]
    n_draws: int
    seed: int
