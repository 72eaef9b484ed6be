"""Tests of significance agree with their formulas, with scipy, and at the limits of their arguments."""

import math

import numpy as np
import pytest
from scipy import stats
from untrained.studies.significance import Estimate, corrected_t_test, holm


def test_the_corrected_test_is_a_t_test_with_a_larger_variance():
    differences = np.array([0.02, 0.05, -0.01, 0.04, 0.06, 0.03, 0.0, 0.05, 0.02, 0.04])
    k = len(differences)
    plain = stats.ttest_1samp(differences, 0)
    # With folds of equal size, n_test/n_train = 1/(k - 1).
    t = plain.statistic * np.sqrt((1 / k) / (1 / k + 1 / (k - 1)))
    assert corrected_t_test(differences, [50] * k).p == pytest.approx(2 * stats.t.sf(t, k - 1))
    assert corrected_t_test(-differences, [50] * k).p == corrected_t_test(differences, [50] * k).p
    assert corrected_t_test(differences, [50] * k).p > plain.pvalue


def test_equal_differences_on_all_folds_have_the_variance_of_rounding():
    """A few small folds may have equal differences by chance."""
    assert corrected_t_test(np.zeros(5), [10] * 5).p == 1
    assert 0.02 < corrected_t_test(np.full(3, 1 / 8), [8] * 3).p < 0.1
    assert corrected_t_test(np.full(10, 0.1), [100] * 10).p < 1e-6
    rounded = np.array([0.1, 0.1 + 1e-9, 0.1])
    assert corrected_t_test(rounded, [8] * 3).p == pytest.approx(corrected_t_test(np.full(3, 0.1), [8] * 3).p)


def test_holm():
    assert holm([0.04]) == [0.04]
    assert holm([]) == []
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([0.5, 0.9, 0.6]) == [1, 1, 1]
    rng = np.random.default_rng(0)
    p = rng.random(20) ** 2
    corrected = np.array(holm(p.tolist()))
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(1, 20 * p) + 1e-12).all()  # never more conservative than Bonferroni
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


@pytest.mark.parametrize("degrees", [math.inf, 4])
def test_the_interval_ends_where_the_test_rejects(degrees):
    estimate = Estimate(0.08, 0.03, degrees)
    low, high = estimate.interval
    assert low + high == pytest.approx(0.16)
    assert Estimate(high - 0.08, 0.03, degrees).p == pytest.approx(0.05)
