"""Correlations pooled over tasks, and their intervals."""

import numpy as np
import pytest
import rank_intervals
from untrained.studies.rank_analysis.pooling import difference, pool, spread

RNG = np.random.default_rng(0)


def test_correlations_are_pooled_by_fishers_z():
    draws = [RNG.normal(0.5, 0.2, 4000), RNG.normal(1.0, 0.1, 4000)]
    found = pool([0.5, 0.8], draws, [20, 30])
    assert found.value == pytest.approx(np.tanh((np.arctanh(0.5) + np.arctanh(0.8)) / 2))
    statistic = found.statistic(0.01)
    error = spread(np.mean(draws, axis=0))
    z = np.arctanh(found.value)
    ends = np.tanh([z - 1.96 * error, z + 1.96 * error])
    assert [statistic.low, statistic.high] == pytest.approx(ends, abs=1e-4)
    assert statistic.p == 0.01


def test_a_task_without_a_correlation_is_left_out():
    draws = [RNG.normal(size=100), np.full(100, np.nan)]
    found = pool([1.0, np.nan], draws, [20, 2])
    assert found.value == 1
    assert found.draws.tolist() == draws[0].tolist()
    nothing = pool([np.nan], draws[1:], [2])
    assert np.isnan(nothing.value)
    assert np.isnan(nothing.statistic().low)


def test_the_spread_is_the_root_of_the_variance_of_the_draws():
    assert spread(np.array([1.0, 2, 3])) == 1
    assert np.isnan(spread(np.array([1.0, np.nan, np.nan])))


def test_p_of_a_difference_comes_from_its_spread():
    draws = RNG.normal(size=1000)
    draws *= 0.1 / spread(draws)
    found = difference(0.196, draws)
    assert found.p == pytest.approx(0.05, abs=1e-3)
    assert found.low == pytest.approx(0, abs=1e-4)
    assert difference(0.0, np.zeros(9)).p == 1
    assert np.isnan(difference(np.nan, draws).p)


def test_the_simulation_of_coverage_runs():
    cell = rank_intervals.Cell(rho=0.7, per_family=(3,) * 8, n_seeds=2, n_clips=16, n_draws=20)
    *covers, width = rank_intervals.replicate((cell, 0, (0.0, 2.0)))
    assert covers[0] in (0, 1)
    assert covers[2] == 0  # no interval contains a correlation of 2
    assert 0 < width < 2
