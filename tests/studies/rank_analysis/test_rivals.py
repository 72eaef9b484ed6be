"""Rivals: values that are not finite, the family mean, paired differences and their correction."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from scipy import stats
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.correlations import pool_compared
from untrained.studies.rank_analysis.pooling import pool, spread
from untrained.studies.rank_analysis.rivals import RIVALS, compare_rivals, correlate_rival, family_mean, more_than_size
from untrained.studies.significance import holm


@pytest.fixture(scope="module")
def found(tasks):
    return {rival.name: rival for rival in compare_rivals(tasks, [task.compare() for task in tasks])}


def test_all_rivals_are_listed_and_those_that_were_run_are_tested(found):
    assert tuple(found) == RIVALS
    run = ["n_features", "n_parameters", "flop", "naswot", "synflow", "family_mean"]
    assert [name for name, rival in found.items() if np.isfinite(rival.difference.p)] == run
    assert [found[name].p_corrected for name in run] == holm([found[name].difference.p for name in run])
    assert np.isnan(found["zico"].rho.value)
    assert np.isnan(found["zico"].p_corrected)


def test_rho_of_a_rival_is_pooled_by_fishers_z(tasks, found):
    rho = [stats.spearmanr(task.task.rivals["naswot"][:80], task.values("trained")[:80]).statistic for task in tasks]
    assert list(found["naswot"].by_task.values()) == pytest.approx(rho)
    assert found["naswot"].rho.value == pytest.approx(np.tanh(np.mean(np.arctanh(rho))))
    headline = pool_compared([task.compare() for task in tasks])
    assert found["naswot"].difference.value == pytest.approx(headline.value - found["naswot"].rho.value)


def test_noise_on_u_makes_a_weaker_rival_and_chance_a_hopeless_one(found):
    assert found["synflow"].p_corrected < 1e-3
    assert 0.05 < found["naswot"].difference.value < 0.3
    paired = found["naswot"].difference
    assert paired.high - paired.low < found["synflow"].difference.high - found["synflow"].difference.low


def test_the_untrained_accuracy_is_no_better_than_itself(study):
    tasks = prepare(replace(study, tasks=study.tasks[:1]), 50, 0)
    u = tasks[0].values("random")
    with_u = replace(tasks[0].task, rivals={"naswot": u})
    tasks = [replace(tasks[0], task=with_u)]
    rival = compare_rivals(tasks, [tasks[0].compare()])[3]
    assert rival.difference.value == pytest.approx(0)
    assert rival.difference.p > 0.99


def test_a_rival_of_some_tasks_is_compared_on_these(tasks):
    without = replace(tasks[1], task=replace(tasks[1].task, rivals={}))
    rho = [task.compare() for task in tasks]
    rival = compare_rivals([tasks[0], without], rho)[3]
    assert rival.rho.value == pytest.approx(rival.by_task["task-0"])
    assert np.isnan(rival.by_task["task-1"])
    assert rival.difference.value == pytest.approx(rho[0].value - rival.rho.value)


def test_infinite_values_are_ranked_lowest_and_missing_ones_left_out(study):
    values = study.tasks[0].rivals["naswot"].copy()
    values[[3, 4, 9, 81]] = -np.inf, np.inf, np.nan, np.nan  # the last one is apart
    data = replace(study, tasks=[replace(study.tasks[0], rivals={"naswot": values})])
    task = prepare(data, 20, 0)[0]
    (rho, _, n), n_not_finite, n_missing = correlate_rival(task, "naswot")
    values = values.copy()
    values[[3, 4]] = -1e9
    has_value = np.isfinite(values) & task.is_in
    expected = stats.spearmanr(values[has_value], task.values("trained")[has_value]).statistic
    assert n == 79
    assert rho == pytest.approx(expected)
    assert (n_not_finite, n_missing) == (2, 1)
    rival = compare_rivals([task], [task.compare()])[3]
    u = stats.spearmanr(task.values("random")[has_value], task.values("trained")[has_value]).statistic
    assert rival.difference.value == pytest.approx(u - expected)  # u on the same architectures
    assert u != pytest.approx(task.compare().value)
    assert (rival.n_not_finite, rival.n_missing) == (2, 1)
    assert (
        correlate_rival(task, "flop").estimated[0]
        == pytest.approx(  # from the columns
            stats.spearmanr(study.columns["flop"][:80], task.values("trained")[:80]).statistic
        )
    )


def test_the_sizes_are_compared_where_both_are_known(study):
    flop, n_parameters = (study.columns[name].copy() for name in ("flop", "n_parameters"))
    flop[:30], n_parameters[30:35] = np.nan, np.nan
    columns = {**study.columns, "flop": flop, "n_parameters": n_parameters}
    task = prepare(replace(study, columns=columns, tasks=study.tasks[:1]), 20, 0)[0]
    u, y = task.values("random"), task.values("trained")
    rho = [stats.spearmanr(each[35:80], y[35:80]).statistic for each in (u, flop, n_parameters)]
    assert more_than_size([task], [task.compare()]).value == pytest.approx(rho[0] - max(rho[1:]))


def test_the_family_mean_leaves_the_architecture_out():
    is_in = np.array([1, 1, 1, 1, 0], bool)
    found = family_mean(np.array([0.1, 0.2, 0.6, 0.5, 0.9]), ["a", "a", "a", "b", "b"], is_in)
    assert found.tolist() == pytest.approx([0.4, 0.35, 0.15, np.nan, 0.5], nan_ok=True)


def test_one_family_has_no_family_mean():
    tasks = prepare(made_up(n_families=1, per_family=9, n_tasks=1, n_clips=40), 20, 0)
    found = {rival.name: rival for rival in compare_rivals(tasks, [tasks[0].compare()])}
    assert np.isnan([found["family_mean"].rho.value, found["family_mean"].p_corrected]).all()
    assert np.isfinite(found["naswot"].p_corrected)


def test_the_better_size_is_chosen_inside_each_draw(tasks):
    rho = [task.compare() for task in tasks]
    headline = pool_compared(rho)
    sizes = [
        pool(*zip(*(correlate_rival(task, name)[0] for task in tasks), strict=True))
        for name in ("n_parameters", "flop")
    ]
    found = more_than_size(tasks, rho)
    assert found.value == pytest.approx(headline.value - max(size.value for size in sizes))
    draws = np.tanh(headline.draws) - np.tanh(np.maximum(*(size.draws for size in sizes)))
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread(draws), rel=1e-3)


def test_three_architectures_have_no_rivals():
    tasks = prepare(made_up(n_families=1, per_family=3, n_tasks=1), 5, 0)
    assert np.isnan(correlate_rival(tasks[0], "naswot")[0][0])
