"""Comparison of two arms of a task: plain, cross-fitted on shared clips, drawn and permuted."""

import numpy as np
import pytest
from rank_results import made_up
from scipy import stats
from untrained.studies.rank_analysis.compared import Task, permuted, prepare
from untrained.studies.rank_analysis.pooling import spread
from untrained.studies.rank_analysis.ranks import spearman
from untrained.studies.rank_analysis.scores import halves


def test_rho_is_spearmans_over_the_architectures_in_use(tasks):
    task: Task = tasks[0]
    assert task.n == 80
    found = task.compare()
    expected = stats.spearmanr(task.values("random")[:80], task.values("trained")[:80]).statistic
    assert found.value == pytest.approx(expected)
    assert task.cross_fitted() is None
    subset = np.arange(83) % 2 == 0
    assert task.compare(subset=subset).value == pytest.approx(task.compare_value(subset))
    assert len(task.compare(subset=subset).products) == 40


def test_draws_spread_as_other_studies_would(tasks):
    """The normal approximation of Bonett and Wright, which knows nothing of clips, is close."""
    found = tasks[0].compare()
    expected = np.sqrt((1 + found.value**2 / 2) / 77)
    assert spread(found.draws) == pytest.approx(expected, rel=0.2)


def test_cross_fitting_removes_the_luck_that_shared_clips_bring(shared_tasks):
    task = shared_tasks[0]
    found = task.cross_fitted()
    assert task.compare().value == found.rho
    assert found.plain == pytest.approx(spearman(task.values("random"), task.values("trained")))
    (u_a, u_b), (y_a, y_b) = (halves(task.arms[arm], task.splits) for arm in ("random", "trained"))
    ways = [(spearman(a, d) + spearman(b, c)) / 2 for a, b, c, d in zip(u_a, u_b, y_a, y_b, strict=True)]
    assert found.halves == pytest.approx(np.mean(ways))
    r_u, r_y = (np.mean([spearman(a, b) for a, b in zip(*pair, strict=True)]) for pair in ((u_a, u_b), (y_a, y_b)))
    assert found.rho == pytest.approx(np.mean(ways) * 2 / np.sqrt((1 + r_u) * (1 + r_y)))


def test_without_correlation_shared_clips_bring_one_that_cross_fitting_takes_away():
    plain, fitted = [], []
    for seed in range(12):
        data = made_up(rho=0.0, n_families=5, shared=True, n_tasks=1, n_clips=24, luck=0.4, family_effect=0, seed=seed)
        found = prepare(data, 2, 0)[0].cross_fitted()
        plain.append(found.plain)
        fitted.append(found.rho)
    assert np.mean(plain) > np.mean(fitted) + 0.1
    assert abs(np.mean(fitted)) < 0.1


def test_permutations_shuffle_the_trained_ranks(tasks):
    task = tasks[0]
    found = task.compare()
    z = permuted(found, task.draws.keys, found.frame.weights > 0, None)
    assert z[0] == pytest.approx(np.arctanh(found.value))
    order = task.draws.keys[4, :80].argsort()
    u, y = task.values("random")[:80], task.values("trained")[:80]
    assert np.tanh(z[5]) == pytest.approx(stats.spearmanr(u, y[order]).statistic)


def test_freedman_lane_permutes_residuals(tasks):
    task = tasks[0]
    found = task.compare(sizes=True)
    z = permuted(found, task.draws.keys, found.frame.weights > 0, None)
    assert np.tanh(z[0]) == pytest.approx(found.value)
    sizes = [stats.rankdata(task.data.columns[name][:80]) for name in ("n_parameters", "flop", "n_features")]
    columns = np.column_stack([np.ones(80), *sizes])
    u, y = (stats.rankdata(task.values(arm)[:80]) for arm in ("random", "trained"))

    def residual(values):
        return values - columns @ np.linalg.lstsq(columns, values)[0]

    order = task.draws.keys[0, :80].argsort()
    again = residual(y - residual(y) + residual(y)[order])
    assert np.tanh(z[1]) == pytest.approx(stats.pearsonr(residual(u), again).statistic)


def test_three_architectures_have_no_correlation():
    task = prepare(made_up(n_families=1, per_family=3, n_tasks=1, shared=True), 5, 0)[0]
    found = task.compare()
    assert np.isnan(found.value)
    assert np.isnan(task.cross_fitted().rho)
    assert np.isnan(task.compare_value())
