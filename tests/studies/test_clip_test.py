"""The clip-level test agrees with values computed by hand and with other formulas."""

import clip_test as calibration
import numpy as np
import pytest
from scipy import stats
from untrained.studies.clip_test import INFLATION, INFLATION_ONE_SEED, clip_test, seed_variance, variance_of_mean

RNG = np.random.default_rng(0)
A, B = RNG.random((3, 60)) < 0.7, RNG.random((2, 60)) < 0.5


def test_one_seed_on_a_test_split_is_the_paired_z_test():
    """On four clips b has one error more: d = (0, 0, 0, 1), mean 1/4, variance 1/4, standard error sqrt(1/16)."""
    found = clip_test(np.array([[1, 0, 1, 1]]), np.array([[1, 0, 1, 0]]), cross_validated=False)
    assert (found.difference, found.standard_error) == pytest.approx((1 / 4, 1 / 4))
    assert found.p == pytest.approx(2 * stats.norm.sf(1))
    many = clip_test(A[:1], B[:1], cross_validated=False)
    assert many.p == pytest.approx(2 * stats.norm.sf(abs(stats.ttest_rel(A[0] * 1.0, B[0] * 1.0).statistic)))


def test_both_parts_of_the_variance():
    """d = (1/2, 1/2, 0, 1) has a variance of 1/6 over clips; a has 2 seeds, b has 1, with a variance of 0.02."""
    a, b = np.array([[1, 0, 1, 1], [0, 1, 1, 1]]), np.array([[0, 0, 1, 0]])
    found = clip_test(a, b, seeds=0.02, inflation=1.5)
    assert found.difference == pytest.approx(1 / 2)
    assert found.standard_error**2 == pytest.approx(1.5 / 6 / 4 + 0.02 / 2 + 0.02)
    fixed = clip_test(a, b, seeds=0.02, inflation=1.5, deterministic=(False, True))
    assert fixed.standard_error**2 == pytest.approx(1.5 / 6 / 4 + 0.02 / 2)


@pytest.mark.parametrize(
    ("options", "factor", "alone"),
    [
        ({}, INFLATION_ONE_SEED, True),
        ({"deterministic": (True, False)}, INFLATION_ONE_SEED, True),
        ({"deterministic": (True, True)}, INFLATION, False),
        ({"seeds": 0.0}, INFLATION, False),
        ({"seeds": 0.0, "cross_validated": False}, 1, False),
        ({"cross_validated": False}, 1, True),
    ],
)
def test_inflation_and_validity_depend_on_seeds_and_protocol(options, factor, alone):
    found = clip_test(A[:1], B[:1], **options)
    assert found.standard_error**2 == pytest.approx(factor * np.var(A[0] - 1.0 * B[0], ddof=1) / 60)
    assert found.these_weights_alone == alone


def test_equal_predictions_do_not_differ_and_other_clips_are_refused():
    assert clip_test(A, A).p == 1
    assert clip_test(np.ones((1, 6)), np.zeros((1, 6))).p < 1e-6
    with pytest.raises(ValueError, match="a has 60 clips and b has 59"):
        clip_test(A, B[:, 1:])


def test_seed_variance_is_the_variance_component_of_a_two_way_table():
    """The expected mean squares use the textbook sums, with the interaction as the remainder of the total."""
    components = []
    for table in (A, B):
        s, n = table.shape
        total = np.sum((table - table.mean()) ** 2)
        seeds = n * np.sum((table.mean(1) - table.mean()) ** 2)
        clips = s * np.sum((table.mean(0) - table.mean()) ** 2)
        interaction = (total - seeds - clips) / ((n - 1) * (s - 1))
        components.append((s - 1) * (seeds / (s - 1) - interaction) / n)
    assert seed_variance([A, B, A[:1]]) == pytest.approx(max(0, sum(components) / 3))
    assert sum(components) > 0 or seed_variance([A, B]) == 0
    # Seeds (1, 1, 1, 0) and (0, 0, 0, 0): MS_seed = 9/8, MS_interaction = 1/8, of 4 clips.
    assert seed_variance([np.array([[1, 1, 1, 0], [0, 0, 0, 0]])]) == pytest.approx(1 / 4)
    assert seed_variance([np.array([[1, 0], [0, 1]])]) == 0  # only interaction
    assert seed_variance([A[:1]]) is None


def test_clips_of_a_group_count_once():
    """Copies of each clip in its group leave all variances unchanged."""
    groups = np.repeat(np.arange(60), 3)
    a, b = np.repeat(A, 3, axis=1), np.repeat(B, 3, axis=1)
    assert clip_test(a, b, groups=groups).standard_error == pytest.approx(clip_test(a=A, b=B).standard_error)
    assert clip_test(a, b).standard_error < 0.7 * clip_test(A, B).standard_error
    strong = np.array([[1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 1]])
    assert seed_variance([np.repeat(strong, 2, axis=1)], np.repeat(range(6), 2)) == pytest.approx(
        seed_variance([strong])
    )
    # Sums of deviations by group: (1, -1) of values (1, 1, 0, 0) -> 2/1 x 2 / 16.
    assert variance_of_mean(np.array([[1, 1, 0, 0]]), ["a", "a", "b", "b"]) == pytest.approx(1 / 4)
    with pytest.raises(ValueError, match="1 group of clips"):
        variance_of_mean(np.ones((1, 3)), ["a"] * 3)


def test_the_calibration_rejects_less_with_a_larger_factor():
    """This is one small replicate of the simulation that calibrates the factors."""
    found = calibration.replicate((calibration.Cell(n_clips=48, n_folds=3, group_size=2), 0, True))
    rows = [rates for key, rates in found.items() if key.split()[0] in calibration.PARTS]
    assert len(rows) == 2 * len(calibration.PARTS)
    assert (np.diff(np.array(rows)[:, 1:]) <= 0).all()
    assert 1 / 8 < found["accuracy"] < 1
    assert found["weaker by"] > 0
