"""Weighted rank correlations agree with scipy on the samples that the weights stand for."""

import numpy as np
import pytest
from scipy import stats
from untrained.studies.rank_analysis.ranks import Frame, around, bonett_wright, fisher, spearman, tau_b, weighted_ranks

RNG = np.random.default_rng(0)
N = 30
TIED = RNG.integers(0, 8, (2, N)).astype(float)
FAMILIES = [f"f{index % 3}" for index in range(N)]


def test_ranks_are_those_of_the_repeated_values():
    weights = RNG.integers(0, 4, (5, N))
    for values in (TIED[0], RNG.integers(0, 8, (5, N)).astype(float)):
        found = weighted_ranks(values, weights)
        for row, times, ranks in zip(np.broadcast_to(values, (5, N)), weights, found, strict=True):
            expected = stats.rankdata(np.repeat(row, times))
            assert np.repeat(ranks, times).tolist() == expected.tolist()


def test_nan_values_are_ties_of_each_other():
    values = np.array([0.3, np.nan, 0.1, np.nan, 0.2])
    assert weighted_ranks(values, np.ones(5)).tolist() == [5, 1.5, 3, 1.5, 4]
    assert weighted_ranks(values, np.array([[1, 1, 1, 3, 1]])).tolist() == [[7, 2.5, 5, 2.5, 6]]
    assert weighted_ranks(values[None], np.ones(5)).tolist() == [[5, 1.5, 3, 1.5, 4]]


def test_rho_is_spearmans_of_the_repeated_values():
    weights = RNG.integers(0, 4, (5, N)).astype(float)
    frame = Frame.of(weights)
    found = frame.rho(frame.ranks(TIED[0]), frame.ranks(TIED[1]))
    for times, rho in zip(weights.astype(int), found, strict=True):
        assert rho == pytest.approx(stats.spearmanr(*np.repeat(TIED, times, axis=1)).statistic)


def test_values_without_weight_may_be_nan_and_do_not_count():
    values = np.where(np.arange(N) < 5, np.nan, TIED[0])
    frame = Frame.of((np.arange(N) >= 5).astype(float))
    expected = stats.spearmanr(TIED[0, 5:], TIED[1, 5:]).statistic
    assert frame.rho(frame.ranks(values), frame.ranks(TIED[1])) == pytest.approx(expected)
    assert spearman(values, TIED[1]) == pytest.approx(expected)


def test_rho_within_families_is_that_of_centred_ranks():
    frame = Frame.of(np.ones(N), FAMILIES)
    ranks = stats.rankdata(TIED, axis=1)
    for name in set(FAMILIES):
        is_in = np.array(FAMILIES) == name
        ranks[:, is_in] -= ranks[:, is_in].mean(axis=1, keepdims=True)
    found = frame.rho(*(frame.ranks(values) for values in TIED))
    assert found == pytest.approx(stats.pearsonr(*ranks).statistic)


def test_partial_rho_is_the_correlation_of_residuals():
    covariates = [RNG.normal(size=N), TIED[0] + RNG.normal(size=N), TIED[1] + RNG.normal(size=N)]
    columns = np.column_stack([np.ones(N), *(stats.rankdata(one) for one in covariates)])
    ranks = stats.rankdata(TIED, axis=1).T
    residuals = ranks - columns @ np.linalg.lstsq(columns, ranks)[0]
    frame = Frame.of(np.ones(N), covariates=covariates)
    found = frame.rho(*(frame.ranks(values) for values in TIED))
    assert found == pytest.approx(stats.pearsonr(*residuals.T).statistic)
    repeated = Frame.of(np.ones(N), covariates=[*covariates, covariates[0]])  # says nothing new
    assert repeated.rho(*(repeated.ranks(values) for values in TIED)) == pytest.approx(found)


def test_partial_rho_with_one_covariate_has_a_closed_form():
    z = TIED[0] + RNG.normal(size=N)
    uy, uz, yz = (stats.spearmanr(a, b).statistic for a, b in ((TIED[0], TIED[1]), (TIED[0], z), (TIED[1], z)))
    frame = Frame.of(np.ones(N), covariates=[z])
    expected = (uy - uz * yz) / np.sqrt((1 - uz**2) * (1 - yz**2))
    assert frame.rho(*(frame.ranks(values) for values in TIED)) == pytest.approx(expected)


def test_constant_values_have_no_correlation():
    frame = Frame.of(np.ones((2, N)))
    assert np.isnan(frame.rho(frame.ranks(np.full(N, 0.5)), frame.ranks(TIED[0]))).all()
    explained = Frame.of(np.ones(N), covariates=[TIED[0]])
    assert np.isnan(explained.rho(explained.ranks(TIED[0]), explained.ranks(TIED[1])))
    alone = Frame.of(np.ones(N), [str(index) for index in range(N)])
    assert np.isnan(alone.rho(alone.ranks(TIED[0]), alone.ranks(TIED[1])))


def test_three_architectures_are_too_few():
    assert np.isnan(spearman(np.arange(3.0), np.arange(3.0)))
    assert np.isnan(tau_b(np.arange(3.0), np.arange(3.0)))
    assert spearman(np.arange(4.0), np.arange(4.0)) == 1


def test_tau_b_is_scipys():
    assert tau_b(*TIED) == pytest.approx(stats.kendalltau(*TIED).statistic)
    assert np.isnan(tau_b(TIED[0], np.zeros(N)))


def test_bonett_wright_of_the_pilot():
    """17 architectures: .93 [.76, .98], .56 [.07, .83], .86 [.58, .96]."""
    for rho, low, high in ((0.93, 0.76, 0.98), (0.56, 0.07, 0.83), (0.86, 0.58, 0.96)):
        found = bonett_wright(rho, 17)
        assert (round(found.low, 2), round(found.high, 2)) == pytest.approx((low, high), abs=0.011)
    assert np.isnan(bonett_wright(0.5, 3).low)


def test_fishers_z_is_finite_at_one():
    assert fisher(0.5, 20) == pytest.approx(np.arctanh(0.5))
    assert fisher(1.0, 4) == pytest.approx(np.arctanh(0.9))
    assert -fisher(-1.0, 80) == fisher(1.0, 80) < 7
    assert around(1.0, 0.1, 80).low < 1
