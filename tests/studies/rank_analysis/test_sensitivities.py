"""Sensitivities and flags."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from scipy import stats
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.sensitivities import TRAINED_ONLY, flags, is_trained, sensitivities

N = 32


@pytest.fixture(scope="module")
def data():
    """The head `trained-last` was trained on the first 16 designs; 10 networks were not trained."""
    made = made_up(per_family=4, n_tasks=1, arms=("random-raw", "trained-last"))
    last = made.tasks[0].right["trained-last"].copy()
    last[16:] = np.nan
    accuracy = np.where(np.arange(N) < 10, 0.3, 0.9)  # 1.5 times chance is 0.375
    accuracy[20] = np.nan
    right = {**made.tasks[0].right, "trained-last": last}
    at_end = np.arange(N) < 6
    return replace(made, tasks=[replace(made.tasks[0], right=right, train_accuracy=accuracy, at_grid_end=at_end)])


@pytest.fixture(scope="module")
def prepared(data):
    return prepare(data, 100, 0)


@pytest.fixture(scope="module")
def found(prepared):
    return {one.name: one for one in sensitivities(prepared)}


def rho(task, a, b, is_in):
    return stats.spearmanr(task.values(a)[is_in], task.values(b)[is_in]).statistic


def test_an_arm_is_compared_on_the_architectures_that_have_it(prepared, found):
    task = prepared[0]
    assert list(found) == ["random-raw", "trained-last", TRAINED_ONLY]
    assert found["random-raw"].rho.value == pytest.approx(rho(task, "random-raw", "trained", np.arange(N)))
    first = np.arange(16)
    last = found["trained-last"]
    assert last.n == {"task-0": 16}
    assert last.rho.value == pytest.approx(rho(task, "random", "trained-last", first))
    assert last.difference.value == pytest.approx(last.rho.value - rho(task, "random", "trained", first))


def test_networks_that_were_not_trained_are_left_out_of_one_sensitivity(prepared, found):
    expected = rho(prepared[0], "random", "trained", np.arange(10, N))
    assert found[TRAINED_ONLY].rho.value == pytest.approx(expected)
    everyone = rho(prepared[0], "random", "trained", np.arange(N))
    assert found[TRAINED_ONLY].difference.value == pytest.approx(expected - everyone)
    assert found[TRAINED_ONLY].n == {"task-0": 22}
    assert is_trained(prepared[0])[20]  # its training accuracy is unknown


def test_more_than_a_fifth_is_flagged(prepared, tasks):
    found = flags(prepared[0])
    assert found.not_trained == [f"net-{index}" for index in range(10)]
    assert found.many_not_trained
    assert found.share_at_grid_end == pytest.approx(6 / N)
    assert not found.many_at_grid_end
    nothing = flags(tasks[0])
    assert nothing.not_trained == []
    assert not nothing.many_not_trained
