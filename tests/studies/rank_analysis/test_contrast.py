"""Specificity of the untrained rank to its task."""

import numpy as np
import pytest
from scipy import stats
from untrained.studies.rank_analysis.contrast import contrast


def test_the_matrix_holds_all_pairs_of_tasks(tasks):
    rho = [task.compare() for task in tasks]
    found = contrast(tasks, rho)
    u, y = ([task.values(arm)[:80] for task in tasks] for arm in ("random", "trained"))
    expected = [[stats.spearmanr(a, b).statistic for b in y] for a in u]
    assert found.rho == pytest.approx(np.array(expected))
    diagonal = found.rho[0, 0] + found.rho[1, 1]
    assert found.specificity.value == pytest.approx((diagonal - found.rho[0, 1] - found.rho[1, 0]) / 2)
    assert found.specificity.low > 0
    assert found.specificity.p < 0.01


def test_equal_tasks_have_no_specificity(tasks):
    twice = [tasks[0], tasks[0]]
    found = contrast(twice, [task.compare() for task in twice])
    assert found.specificity.value == pytest.approx(0)
    assert found.specificity.p == 1 or found.specificity.high < 1e-9


def test_one_task_has_no_specificity(tasks):
    found = contrast(tasks[:1], [tasks[0].compare()])
    assert found.rho.shape == (1, 1)
    assert np.isnan(found.specificity.value)
