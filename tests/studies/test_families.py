import numpy as np
import pytest
from untrained.probes.record import Predictions
from untrained.studies.families import (
    Model,
    compare_frontends,
    estimate_pair,
    estimate_paired,
    seeds_of,
    seeds_of_differences,
)

RNG = np.random.default_rng(1)
N = 120


def of(rows, *, is_random=True):
    """Return a model with these correct predictions, with one row for each seed."""
    ids, folds = [f"{index:03d}" for index in range(N)], [str(index // 24) for index in range(N)]
    seeds = [Predictions(ids, folds, [""] * N, ["x"] * N, ["x" if right else "y" for right in row]) for row in rows]
    return Model(dict(enumerate(seeds)), float(np.mean(rows)), is_random, cross_validated=True)


def model(share, n_seeds=2, *, is_random=True):
    return of(RNG.random((n_seeds, N)) < share, is_random=is_random)


def test_differences_from_a_control_are_a_separate_family():
    models = {"vgg": model(0.8), "temporal": model(0.4), "mfcc": model(0.6, 1, is_random=False)}
    family = compare_frontends(("data", "svm", ""), models, ["mfcc"], "clips", seeds_of([*models.values()]))
    assert [(test.a, test.b) for test in family.controls["mfcc"]] == [("vgg", "mfcc"), ("temporal", "mfcc")]
    of_pair = {(test.a, test.b): test for test in family.tests}
    for test in family.controls["mfcc"]:
        assert test.estimate == of_pair[test.a, "mfcc"].estimate
        assert test.p_corrected <= of_pair[test.a, "mfcc"].p_corrected
        assert test.detectable < of_pair[test.a, "mfcc"].detectable  # corrected for two pairs, not three
    turned = compare_frontends(("data", "svm", ""), dict(reversed(models.items())), ["mfcc"], "clips", None)
    assert turned.controls["mfcc"][-1].estimate.difference == family.controls["mfcc"][0].estimate.difference
    assert family.verdict is not None
    assert family.verdict.best == "vgg"
    assert "temporal" in family.verdict.worse


def test_with_one_seed_a_result_applies_only_to_its_weights():
    models = {"vgg": model(0.8, 1), "mfcc": model(0.6, 1, is_random=False)}
    (test,) = compare_frontends(("data", "svm", ""), models, [], "clips", seeds_of([*models.values()])).tests
    assert test.estimate.these_weights_alone
    assert seeds_of(list(models.values())) is None


def test_models_with_the_same_seeds_are_compared_seed_by_seed():
    """Weights that are bad for one pooling are bad for the other: accuracies vary over seeds, differences do not."""
    good, bad = RNG.random(N) < 0.9, RNG.random(N) < 0.3
    flipped = np.zeros(N, bool)
    flipped[np.flatnonzero(good & bad)[:12]] = True
    pair = of([good, bad]), of([good & ~flipped, bad & ~flipped])
    assert seeds_of(pair) > 0.1
    assert seeds_of_differences([pair]) == 0
    found = estimate_paired(pair, 0.0)
    assert found.difference == pytest.approx(12 / N)
    assert found.p < 0.01


def test_seeds_are_paired_by_their_numbers():
    """Seed 0 of one model failed, so only seeds 1 and 2 are compared; a model without randomness has every seed."""
    rows = RNG.random((3, N)) < [[0.9], [0.5], [0.7]]
    whole = of(rows)
    lacking = Model({seed: whole.of_seed[seed] for seed in (1, 2)}, 0.6, True, cross_validated=True)
    found = estimate_paired((whole, lacking), 0.0)
    assert (found.difference, found.p) == (0, 1)
    assert seeds_of_differences([(whole, lacking)]) == 0
    none = Model({7: whole.of_seed[0]}, 0.9, True, cross_validated=True)
    assert estimate_paired((whole, none), None) is None
    fixed = of(rows[:1], is_random=False)
    assert estimate_paired((fixed, whole), 0.0).difference == pytest.approx(rows[0].mean() - rows.mean())


def test_a_single_common_fold_is_not_tested_over_folds():
    a, b = of(RNG.random((2, N)) < 0.8), of(RNG.random((2, N)) < 0.6)
    few = [Predictions(*(list(column)[:24] for column in seed)) for seed in b.seeds]
    short = Model(dict(enumerate(few)), 0.6, True, cross_validated=True)
    assert estimate_pair(a, b, 0.0, "folds") is not None
    assert estimate_pair(a, short, 0.0, "folds") is None
    assert estimate_pair(a, short, 0.0, "clips") is not None
