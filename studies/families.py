"""Estimated differences between models, and families of tests that are corrected together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..probes.record import Predictions
from .clip_test import clip_test, seed_variance
from .scored import Scored, align
from .significance import Estimate, corrected_t_test
from .verdict import Pair, PairTest, Verdict, correct_family, verdict

Method = Literal["clips", "folds"]
METHODS = {"clips": "clip-level test", "folds": "corrected t-test over folds"}
"""Names of the tests; results on a test split are always tested clip by clip."""


@dataclass(frozen=True)
class Model:
    """Predictions of a frontend with a backend on a data set, for each seed.

    Args:
        of_seed: Predictions by seed.
        accuracy: Mean accuracy over seeds, as a fraction.
        is_random: Whether the frontend or the backend has random weights.
        cross_validated: Whether the predictions come from a cross-validation; False for a test split.
    """

    of_seed: Mapping[int, Predictions]
    accuracy: float
    is_random: bool
    cross_validated: bool

    @property
    def seeds(self) -> list[Predictions]:
        """Predictions of each seed."""
        return list(self.of_seed.values())


@dataclass(frozen=True)
class Family:
    """Tests of frontends with one backend on one data set.

    Args:
        dataset: Name of the data set.
        backend: Name of the backend.
        variant: Options of `Probe` that all frontends share, such as `pooling=max`; empty if there is one variant.
        method: Name of the test.
        tests: Tests of all pairs of frontends, corrected together.
        verdict: Verdict on the frontends; None if there are fewer than two, or if a pair cannot be tested.
        controls: Tests of all other frontends against each control, by name of the control; those of one control are
            corrected together.
    """

    dataset: str
    backend: str
    variant: str
    method: str
    tests: Sequence[PairTest]
    verdict: Verdict | None
    controls: Mapping[str, Sequence[PairTest]]


def compare_frontends(
    names: tuple[str, str, str],
    models: Mapping[str, Model],
    controls: Sequence[str],
    method: Method,
    seeds: float | None,
) -> Family:
    """Test all pairs of frontends, and each frontend against each control.

    Args:
        names: Data set, backend and variant.
        models: Models by name of the frontend.
        controls: Names of the control frontends.
        method: Test to use in a cross-validation, `clips` or `folds`.
        seeds: Variance over seeds of the accuracy of one model, from `seeds_of`; None if it is unknown.
    """
    estimates = {(a, b): estimate_pair(models[a], models[b], seeds, method) for a, b in combinations(models, 2)}
    known = {pair: estimate for pair, estimate in estimates.items() if estimate is not None}
    is_whole = len(known) == len(estimates) > 0
    tests = correct_family(known)
    against = {}
    for control in [name for name in controls if name in models]:
        of_control: dict[Pair, Estimate] = {}
        for (a, b), found in known.items():
            if control in (a, b) and not (a in controls and b in controls):
                of_control[(a, control) if b == control else (b, control)] = found if b == control else -found
        against[control] = correct_family(of_control)
    said = METHODS[method if all(model.cross_validated for model in models.values()) else "clips"]
    return Family(*names, said, tests, verdict(tests) if is_whole else None, against)


def estimate_pair(a: Model, b: Model, seeds: float | None, method: Method) -> Estimate | None:
    """Estimate the difference between two models on the clips that both were scored on.

    Args:
        a: First model; the difference is a minus b.
        b: Second model.
        seeds: Variance over seeds of the accuracy of one model; None if it is unknown.
        method: Test to use in a cross-validation, `clips` or `folds`; a test split is tested clip by clip.

    Returns:
        Difference with its standard error; None if the models have too few clips in common.
    """
    scored = align([a.seeds, b.seeds])
    if not scored.can_be_tested:
        return None
    if method == "folds" and a.cross_validated:
        return _over_folds(scored) if len(set(scored.clips.folds)) > 1 else None
    return clip_test(
        *(table * scored.weights for table in scored.correct),
        groups=scored.groups,
        seeds=seeds,
        deterministic=(not a.is_random, not b.is_random),
        cross_validated=a.cross_validated,
    )


def estimate_paired(pair: tuple[Model, Model], seeds: float | None) -> Estimate | None:
    """Estimate the difference between two models with paired seeds, such as two poolings of the same feature maps.

    Args:
        pair: Two models; they are compared for the seeds that both have.
        seeds: Variance over seeds of the difference, from `seeds_of_differences`; None if it is unknown.

    Returns:
        Difference with its standard error; None if the models have too few clips or no seed in common.
    """
    a, b = _paired(*pair)
    scored = align([a, b])
    if not scored.can_be_tested:
        return None
    difference = np.subtract(*scored.correct)
    return clip_test(
        difference * scored.weights,
        np.zeros((1, difference.shape[1])),
        groups=scored.groups,
        seeds=seeds,
        deterministic=(not any(model.is_random for model in pair), True),
        cross_validated=pair[0].cross_validated,
    )


def seeds_of(models: Sequence[Model]) -> float | None:
    """Return the variance over seeds of the accuracy of one model, pooled over models; None if it is unknown.

    The variance is estimated on the clips that all random models were scored on.
    """
    scored = align([model.seeds for model in models if model.is_random and len(model.seeds) > 1])
    return _seed_variance(scored.correct, scored)


def seeds_of_differences(pairs: Sequence[tuple[Model, Model]]) -> float | None:
    """Return the variance over seeds of the difference of one pair, pooled over pairs; None if it is unknown."""
    several = [_paired(*pair) for pair in pairs if any(model.is_random for model in pair)]
    scored = align([seeds for pair in several if pair[0] for seeds in pair])
    differences = [np.subtract(a, b) for a, b in zip(scored.correct[::2], scored.correct[1::2], strict=True)]
    return _seed_variance(differences, scored)


def _seed_variance(tables: Sequence[NDArray[Any]], scored: Scored) -> float | None:
    return seed_variance([each * scored.weights for each in tables], scored.groups) if scored.can_be_tested else None


def _paired(a: Model, b: Model) -> tuple[list[Predictions], list[Predictions]]:
    """Return the predictions of two models for their common seeds.

    The predictions of a deterministic model are reused for every seed.
    """
    if not a.is_random:
        return a.seeds[:1] * len(b.seeds), b.seeds
    if not b.is_random:
        return a.seeds, b.seeds[:1] * len(a.seeds)
    common = [seed for seed in a.of_seed if seed in b.of_seed]
    return [a.of_seed[seed] for seed in common], [b.of_seed[seed] for seed in common]


def _over_folds(scored: Scored) -> Estimate:
    names, position = np.unique(np.asarray(scored.clips.folds), return_inverse=True)
    sizes = np.bincount(position)
    a, b = (np.bincount(position, table.mean(axis=0), minlength=len(names)) / sizes for table in scored.correct)
    return corrected_t_test(a - b, sizes.tolist())
