"""Statistics of a rank study, as dataclasses.

All correlations are Spearman's ρ and all accuracies fractions, unless a field says otherwise. A statistic that cannot
be estimated is NaN: fewer than four architectures, constant scores, or one seed where two are needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Statistic:
    """A statistic with its 95 % interval over architectures, seeds and clips.

    Args:
        value: Estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
        p: P-value; NaN for statistics that are not tested.
    """

    value: float
    low: float = nan
    high: float = nan
    p: float = nan


@dataclass(frozen=True)
class Reliability:
    """Reliability of a score: the expected correlation with a replicate of the same size.

    Args:
        seeds: Between replicates with other seeds on the same clips; NaN with one seed.
        clips: Between replicates with the same seeds on other clips.
        both: Between replicates with other seeds and other clips; NaN with one seed.
    """

    seeds: float
    clips: float
    both: float


@dataclass(frozen=True)
class Ceiling:
    """The highest correlations that noise allows.

    Args:
        predictor: `sqrt(rel_u * rel_y)`, the highest expected correlation of the untrained with the trained accuracy.
        noiseless: `sqrt(rel_y)`, the highest expected correlation of any predictor with the trained accuracy.
        retest: Expected correlation between the accuracies of two trainings with one seed each.
    """

    predictor: Reliability
    noiseless: Reliability
    retest: Reliability


@dataclass(frozen=True)
class Scores:
    """Accuracies of all architectures on one task, `(n_architectures,)` each, for a figure; NaN where missing.

    Args:
        untrained: u, mean accuracy of the untrained arm over seeds and clips.
        trained: y, mean accuracy of the trained arm.
        linear: u_linear, on the clips of u.
        untrained_error: Standard error of u over seeds and clips.
        trained_error: Standard error of y over seeds and clips.
    """

    untrained: NDArray[Any]
    trained: NDArray[Any]
    linear: NDArray[Any]
    untrained_error: NDArray[Any]
    trained_error: NDArray[Any]


@dataclass(frozen=True)
class Partial:
    """Correlation of untrained and trained ranks that size does not explain.

    Args:
        rho: Partial ρ given the ranks of log10 of `n_parameters`, `flop` and `n_features` together; p is one-sided, by
            permuting residuals (Freedman & Lane 1983).
        rho_in_families: The same given the families too.
        gain: Increase of R² of the trained ranks when the untrained ranks join the three sizes.
    """

    rho: Statistic
    rho_in_families: Statistic
    gain: float


@dataclass(frozen=True)
class Correlations:
    """Correlations of untrained and trained accuracy, on one task or pooled over tasks by Fisher's z.

    Args:
        rho: ρ(u, y); p is one-sided, by permuting y. It is the cross-fitted ρ where u and y share clips.
        tau: Kendall's τ-b, a mean over tasks.
        closed_form: ρ with the interval of Bonett & Wright (2000), to check `rho` with: it
            ignores seeds and clips; NaN for the pooled ρ.
        by_input: ρ within each type of input.
        without_family: ρ without each family, by family.
        within_family: ρ of ranks that are centred in each family; p by permuting within families.
        partial: ρ given size.
        linear_trained: ρ(u_linear, y), with u_linear on the clips of u.
        untrained_linear: ρ(u, u_linear), with u_linear on the clips of y.
        ceiling: Highest correlations that noise allows.
    """

    rho: Statistic
    tau: float
    closed_form: Statistic
    by_input: Mapping[str, Statistic]
    without_family: Mapping[str, float]
    within_family: Statistic
    partial: Partial
    linear_trained: Statistic
    untrained_linear: Statistic
    ceiling: Ceiling


@dataclass(frozen=True)
class CrossFitted:
    """ρ of untrained accuracy on one half of the clips and trained accuracy on the other half.

    Args:
        rho: Mean over splits, brought to the full number of clips.
        halves: Mean over splits, as it is.
        plain: ρ on all clips, which shared clips inflate.
    """

    rho: float
    halves: float
    plain: float


@dataclass(frozen=True)
class Attenuation:
    """ρ corrected for noise, ρ/sqrt(rel_u * rel_y): a description, never the headline.

    It assumes independent errors of u and y, and Spearman-Brown's formula is exact only for parallel Pearson scores.

    Args:
        rho: Corrected ρ; may exceed 1. Its interval repeats ρ and both reliabilities in each draw.
        unstable: Whether a reliability is below 0.6, where the correction is not to be trusted.
        by: Reliabilities that are used, `both`, or `clips` with one seed.
    """

    rho: Statistic
    unstable: bool
    by: str


@dataclass(frozen=True)
class SignificantPairs:
    """Kendall's τ over the pairs of architectures whose trained accuracies differ by more than chance.

    Args:
        tau: (C - D)/(C + D) with C concordant and D discordant pairs; a tie of u counts as half of each.
        share: Share of pairs that differ by more than chance.
    """

    tau: float
    share: float


@dataclass(frozen=True)
class Regret:
    """Accuracy that is lost by training only the k best untrained architectures of a random subset.

    Args:
        n_candidates: Number of architectures in a subset.
        k: Number of architectures that are trained.
        points: Mean regret, in percentage points.
        share: Regret as a share of the difference between the best and the median architecture.
        recall: Share of the k best trained architectures that are among the k best untrained ones. Where u and y share
            clips, they are best on opposite halves of the clips, which lowers the recall.
        chance: Expected recall of a random order, `k/n_candidates`.
    """

    n_candidates: int
    k: int
    points: float
    share: float
    recall: float
    chance: float


@dataclass(frozen=True)
class Search:
    """Regret against the number of architectures that are trained, in each order.

    Args:
        n_candidates: Number of architectures in a subset.
        regret: Mean regret after training 1, 2, ... architectures, in percentage points, `(n_candidates,)`, by order:
            `untrained` (best first), `random` and `parameters` (largest first).
        n_within_point: Smallest number of trained architectures with a mean regret of at most 1 point, by order.
    """

    n_candidates: int
    regret: Mapping[str, NDArray[Any]]
    n_within_point: Mapping[str, int]


@dataclass(frozen=True)
class Decisions:
    """What is lost by choosing architectures by untrained accuracy.

    Args:
        regrets: Regret for each number of candidates and each k; NaN where k is not below the number of candidates.
        searches: Regret against the number of trained architectures, for each number of candidates.
    """

    regrets: Sequence[Regret]
    searches: Sequence[Search]


@dataclass(frozen=True)
class Flags:
    """Signs that the training recipe, not the architecture, decides the trained rank.

    Args:
        not_trained: Architectures with a training accuracy below 1.5 times chance.
        share_at_grid_end: Share of architectures whose chosen learning rate is an end of the grid.
        many_not_trained: Whether more than a fifth of the architectures are not trained.
        many_at_grid_end: Whether more than a fifth of the chosen learning rates are an end of the grid.
    """

    not_trained: Sequence[str]
    share_at_grid_end: float
    many_not_trained: bool
    many_at_grid_end: bool
