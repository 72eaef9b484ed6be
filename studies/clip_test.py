"""Clip-level test of the difference between two frontends, from the clips that each of them classifies correctly."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .significance import Estimate

INFLATION = 1.2
INFLATION_ONE_SEED = 1.5
"""Factors of the variance over clips in a cross-validation, calibrated by `benchmarks/clip_test.py`.

With one seed the factor also covers the unknown variance over seeds. This is valid up to a standard deviation over
seeds of about 2.4 points for 160 clips, or 1.2 points for 400 clips.
"""


def clip_test(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    groups: Sequence[object] | None = None,
    seeds: float | None = None,
    deterministic: tuple[bool, bool] = (False, False),
    cross_validated: bool = True,
    inflation: float | None = None,
) -> Estimate:
    """Estimate the difference between the accuracies of two frontends on the same clips.

    The variance of the difference is the sum of two parts. The first is `inflation` times the variance over clips of
    the mean difference on a clip, divided by the number of clips. The second is, for each frontend with random
    weights, the variance over seeds divided by the number of its seeds. The models of different folds share most of
    their training clips, so their errors are correlated. Nadeau & Bengio (Inference for the generalization error,
    Machine Learning 52, 2003) therefore enlarge a variance over folds by 1 + k n_test/n_train. The correlation between
    clips is far weaker: simulations of whole nested searches (`benchmarks/clip_test.py`) gave the factor 1.2, and 1.5
    if the variance over seeds is unknown. The variance is at least that of rounding to one clip, 1/(12 n^2).

    Args:
        a: Correct predictions of the first frontend (1 or True) on each clip, `(n_seeds, n_clips)`, out-of-fold or on
            a test split.
        b: Correct predictions of the second frontend on the same clips; the number of seeds may differ.
        groups: Group of each clip, such as its recording, if the predictions within a group are correlated; None if
            each clip is its own group.
        seeds: Variance over seeds of the accuracy of one frontend, from `seed_variance`; None if it is unknown.
        deterministic: Whether `a` and `b` have no random weights, such as `mfcc`.
        cross_validated: Whether the predictions come from a cross-validation. The clips of a single test split share
            one fitted model, so their variance is not inflated.
        inflation: Factor of the variance over clips; None for the calibrated one.

    Returns:
        Difference with its standard error. It applies only to the drawn weights if a frontend has random weights and
        the variance over seeds is unknown.

    Example:
        >>> import numpy as np
        >>> a, b = np.array([[1, 1, 1, 1, 1, 0, 1, 1]]), np.array([[1, 0, 1, 0, 1, 0, 1, 0]])
        >>> estimate = clip_test(a, b, cross_validated=False)
        >>> estimate.difference, round(estimate.standard_error, 3), estimate.these_weights_alone
        (0.375, 0.183, True)
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a has {a.shape[1]} clips and b has {b.shape[1]}; expected the same clips in the same order")
    of_clip = np.mean(a, axis=0) - np.mean(b, axis=0)
    alone = seeds is None and not all(deterministic)
    if not cross_validated:
        inflation = 1.0
    elif inflation is None:
        inflation = INFLATION_ONE_SEED if alone else INFLATION
    variance = inflation * variance_of_mean(of_clip[None], groups)
    for correct, is_fixed in zip((a, b), deterministic, strict=True):
        variance += 0.0 if is_fixed else (seeds or 0.0) / len(correct)
    least = 1 / (12 * len(of_clip) ** 2)
    return Estimate(float(of_clip.mean()), float(np.sqrt(max(variance, least))), these_weights_alone=alone)


def seed_variance(tables: Iterable[NDArray[Any]], groups: Sequence[object] | None = None) -> float | None:
    """Return the variance over seeds of the accuracy on all possible clips, pooled over frontends.

    Accuracies differ between seeds because some weights are better, and also because each set of weights happens to
    suit other clips. The second effect, the interaction of seeds and clips, is already part of the variance over clips
    and is subtracted here: in a table of clips x seeds of one frontend, (MS_seed - MS_interaction) / n_clips estimates
    the variance component of seeds (Searle, Casella & McCulloch, Variance components, 1992, ch. 4). Frontends are
    weighted by their degrees of freedom, n_seeds - 1. With groups, interactions are first summed within each group.

    Args:
        tables: Correct predictions (1 or True) of each frontend, `(n_seeds, n_clips)`; tables with one seed are
            skipped.
        groups: Group of each clip, as in `clip_test`.

    Returns:
        Variance, 0 or more; None if no frontend has two seeds.

    Example:
        >>> import numpy as np
        >>> seed_variance([np.array([[1, 1, 1, 1], [0, 0, 0, 0]])])
        0.5
        >>> seed_variance([np.array([[1, 0, 1, 1]])]) is None
        True
    """
    component, degrees = 0.0, 0
    for table in tables:
        n_seeds = len(table)
        if n_seeds > 1:
            of_seed = np.mean(table, axis=1, keepdims=True)
            interaction = table - of_seed - np.mean(table, axis=0) + np.mean(table)
            # Both sums have n_seeds - 1 degrees of freedom, which are the weight of this table in the mean.
            component += float(np.sum((of_seed - of_seed.mean()) ** 2)) - variance_of_mean(interaction, groups)
            degrees += n_seeds - 1
    return max(0.0, component / degrees) if degrees else None


def variance_of_mean(values: NDArray[Any], groups: Sequence[object] | None = None) -> float:
    """Return the variance of the mean over clips, summed over rows, which allows for dependence within groups.

    The variance is G/(G - 1) times the sum over the G groups of the squared sums of deviations, divided by n_clips^2
    (Liang & Zeger, Biometrika 73, 1986). Without groups this is the variance over clips (ddof=1) divided by n_clips.

    Args:
        values: Values of clips, `(n_rows, n_clips)`.
        groups: Group of each clip; None if each clip is its own group.

    Raises:
        ValueError: There are fewer than two groups.
    """
    deviations = values - values.mean(axis=1, keepdims=True)
    n_clips = values.shape[1]
    if groups is not None:
        _, position = np.unique(np.asarray(groups), return_inverse=True)
        deviations = np.stack([np.bincount(position, row) for row in deviations])
    n_groups = deviations.shape[1]
    if n_groups < 2:
        raise ValueError(f"{n_groups} group of clips; expected two or more to estimate a variance")
    return float(n_groups / (n_groups - 1) * np.sum(deviations**2) / n_clips**2)
