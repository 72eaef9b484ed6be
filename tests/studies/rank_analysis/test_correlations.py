"""Correlations of tasks and their pool: families, inputs, partial, permutations and the linear arm."""

import numpy as np
import pytest
from rank_results import made_up
from scipy import stats
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.correlations import correlations, measure, permutation_p, pooled_ceiling, rho_apart
from untrained.studies.rank_analysis.statistics import Ceiling, Reliability

NAN = Reliability(np.nan, np.nan, np.nan)
CEILING = Ceiling(Reliability(np.nan, 0.9, 0.8), NAN, NAN)


@pytest.fixture(scope="module")
def found(tasks):
    return correlations(tasks, measure(tasks), [CEILING, CEILING])


def values(task):
    return task.values("random")[:80], task.values("trained")[:80]


def test_the_headline_is_pooled_by_fishers_z(tasks, found):
    of_tasks, pooled = found
    expected = [stats.spearmanr(*values(task)).statistic for task in tasks]
    assert [one.rho.value for one in of_tasks] == pytest.approx(expected)
    assert pooled.rho.value == pytest.approx(np.tanh(np.mean(np.arctanh(expected))))
    assert pooled.tau == pytest.approx(np.mean([stats.kendalltau(*values(task)).statistic for task in tasks]))
    widths = [one.rho.high - one.rho.low for one in (*of_tasks, pooled)]
    assert widths[2] < min(widths[:2])
    assert pooled.rho.p == 1 / 301


def test_the_closed_form_agrees_with_the_draws(found):
    for one in found[0]:
        assert one.closed_form.value == one.rho.value
        assert one.closed_form.low == pytest.approx(one.rho.low, abs=0.06)
        assert one.closed_form.high == pytest.approx(one.rho.high, abs=0.06)
    assert np.isnan(found[1].closed_form.value)


def test_each_input_and_all_but_each_family(tasks, found):
    of_first = found[0][0]
    u, y = values(tasks[0])
    for name in ("spectrogram", "waveform"):
        is_in = np.array(tasks[0].data.inputs[:80]) == name
        assert of_first.by_input[name].value == pytest.approx(stats.spearmanr(u[is_in], y[is_in]).statistic)
    assert len(of_first.without_family) == 8
    for name, rho in of_first.without_family.items():
        is_in = np.array(tasks[0].data.families[:80]) != name
        assert rho == pytest.approx(stats.spearmanr(u[is_in], y[is_in]).statistic)
    # The first family is better in both accuracies.
    assert min(of_first.without_family, key=of_first.without_family.get) == "family-0"


def test_within_families_and_partial(tasks, found):
    of_tasks, pooled = found
    assert [one.within_family.value for one in of_tasks] == pytest.approx(
        [t.compare(families=True).value for t in tasks]
    )
    assert [one.partial.rho.value for one in of_tasks] == pytest.approx([t.compare(sizes=True).value for t in tasks])
    assert pooled.within_family.p == pooled.partial.rho.p == pooled.partial.rho_in_families.p == 1 / 301
    assert pooled.within_family.value < pooled.rho.value


def test_the_gain_is_that_of_r_squared(tasks, found):
    u, y = (stats.rankdata(one) for one in values(tasks[0]))
    sizes = [stats.rankdata(tasks[0].data.columns[name][:80]) for name in ("n_parameters", "flop", "n_features")]

    def r_squared(*columns):
        design = np.column_stack([np.ones(80), *columns])
        return 1 - np.var(y - design @ np.linalg.lstsq(design, y)[0]) / np.var(y)

    assert found[0][0].partial.gain == pytest.approx(r_squared(*sizes, u) - r_squared(*sizes))


def test_the_linear_arm_is_compared_on_other_clips(tasks, found):
    _, y = values(tasks[0])
    linear = tasks[0].task.right["linear"][:80]
    on_first, on_second = linear[:, :, :120].mean(axis=(1, 2)), linear[:, :, 120:].mean(axis=(1, 2))
    of_first = found[0][0]
    assert of_first.linear_trained.value == pytest.approx(stats.spearmanr(on_first, y).statistic)
    assert of_first.untrained_linear.value == pytest.approx(stats.spearmanr(values(tasks[0])[0], on_second).statistic)


def test_p_without_correlation_is_uniform():
    """Of 40 studies, about half have p below a half, and few a small one."""
    p = []
    for seed in range(40):
        tasks = prepare(made_up(rho=0.0, n_families=3, n_clips=40, n_seeds=1, family_effect=0, seed=seed), 60, seed)
        p.append(permutation_p(tasks, [task.compare() for task in tasks]))
    assert 8 <= np.sum(np.array(p) < 0.5) <= 32
    assert np.sum(np.array(p) < 0.05) <= 6


def test_one_family_four_designs_of_four_families_and_no_linear_arm():
    one = prepare(made_up(n_families=1, per_family=20, n_tasks=1), 40, 0)
    of_tasks, _ = correlations(one, measure(one), [CEILING])
    assert of_tasks[0].within_family.value == pytest.approx(of_tasks[0].rho.value)
    assert np.isnan(of_tasks[0].without_family["family-0"])
    data = made_up(n_families=4, per_family=1, n_tasks=1)
    data.tasks[0].right.pop("linear")
    four = prepare(data, 40, 0)
    of_tasks, pooled = correlations(four, measure(four), [CEILING])
    assert np.isfinite(of_tasks[0].rho.value)
    assert np.isnan([pooled.within_family.value, pooled.within_family.p, pooled.partial.rho_in_families.value]).all()
    assert np.isnan(pooled.linear_trained.value)
    assert np.isnan(list(pooled.without_family.values())).all()


def test_ceilings_are_pooled():
    found = pooled_ceiling([CEILING, Ceiling(Reliability(np.nan, 0.7, 0.8), NAN, NAN)], [80, 80])
    assert found.predictor.clips == pytest.approx(np.tanh((np.arctanh(0.9) + np.arctanh(0.7)) / 2))
    assert found.predictor.both == pytest.approx(0.8)
    assert np.isnan(found.predictor.seeds)
    perfect = Ceiling(Reliability(1.0, 1.0, 0.8), NAN, NAN)
    pooled = pooled_ceiling([perfect, CEILING], [9, 9]).predictor
    assert pooled.clips == pytest.approx(np.tanh((np.arctanh(1 - 6 / 720) + np.arctanh(0.9)) / 2))
    assert pooled.seeds == 1  # known in one task


def test_architectures_that_are_reported_apart_have_a_rho_of_their_own(tasks):
    assert np.isnan(rho_apart(tasks[0]))  # there are three
    task = prepare(made_up(n_families=2, per_family=2, n_tasks=1, n_apart=6), 5, 0)[0]
    expected = stats.spearmanr(task.values("random")[4:], task.values("trained")[4:]).statistic
    assert rho_apart(task) == pytest.approx(expected)
    assert task.n == 4
