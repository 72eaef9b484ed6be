"""Regret of choosing by untrained accuracy, on hand-worked subsets and on made-up results."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.decisions import Subsets, decisions_of, draw_subsets, mean_decisions, regrets, top


def rng():
    return np.random.default_rng(0)


def test_regret_chooses_on_one_half_and_values_on_the_other():
    choice = np.array([[0.5, 0.9, 0.7, 0.9]])
    value = np.array([[0.6, 0.7, 0.8, 0.1]])
    subsets = Subsets(choice, value, choice, choice, choice)
    # In this order, the best by choice is the first, the third, and then the second, which is valued at 0.7.
    found = regrets(subsets, np.array([[0, 2, 1, 3]]))
    assert found[0] == pytest.approx([0.1, -0.1, 0, 0])
    assert regrets(subsets, np.array([[3, 1, 2, 0]]))[0] == pytest.approx([0, 0, 0, 0])  # of ties, the first one


def test_top():
    assert top(np.array([[0.1, 0.5, 0.5, 0.4]]), 2).tolist() == [[False, True, True, False]]
    assert top(np.array([[0.5, 0.5, 0.5, 0.4]]), 1).tolist() == [[True, False, False, False]]


def test_subsets_are_drawn_without_replacement_and_never_from_those_apart(tasks):
    task = tasks[0]
    found = draw_subsets(task, 20, rng())
    assert found.choice.shape == (1000, 20)
    for row in found.recalled[:20]:
        assert set(row) <= set(task.values("trained")[:80])
    parameters = found.parameters
    assert all(len(set(row)) == 20 for row in parameters)
    assert set(parameters.ravel()) == set(task.data.columns["n_parameters"][:80])
    assert (found.choice != found.value).any()
    assert (found.choice + found.value).mean() / 2 == pytest.approx(found.recalled.mean(), abs=0.005)


def test_sizes_are_at_most_half_of_the_architectures(tasks):
    sizes = [(one.n_candidates, one.k) for one in decisions_of(tasks[0], rng()).regrets]
    assert sizes == [(20, 1), (20, 5), (40, 1), (40, 5)]
    few = prepare(made_up(n_families=4, per_family=1, n_tasks=1), 5, 0)[0]
    found = decisions_of(few, rng())
    assert [(one.n_candidates, one.k) for one in found.regrets] == [(2, 1), (2, 5)]
    assert np.isnan(found.regrets[1].points)
    none = prepare(made_up(n_families=1, per_family=3, n_tasks=1), 5, 0)[0]
    assert decisions_of(none, rng()).regrets == []
    assert mean_decisions([found, decisions_of(none, rng())]).regrets == []


def test_a_perfect_rank_costs_nothing_and_a_random_one_much():
    good = decisions_of(prepare(made_up(rho=0.99, n_tasks=1, n_clips=2000), 5, 0)[0], rng())
    bad = decisions_of(prepare(made_up(rho=0.0, n_tasks=1, n_clips=2000, family_effect=0), 5, 0)[0], rng())
    for better, worse in zip(good.regrets, bad.regrets, strict=True):
        assert better.points < 1.5 < worse.points
        assert better.share < 0.15
        assert better.recall > worse.recall
        assert worse.recall == pytest.approx(worse.chance, abs=0.15)
        assert better.chance == better.k / better.n_candidates
    found, random = good.searches[1], bad.searches[1]
    assert found.n_within_point["untrained"] <= 3
    assert found.n_within_point["random"] > 20
    assert random.n_within_point["untrained"] > 10
    assert found.regret["untrained"][-1] == 0
    assert found.regret["untrained"][0] == pytest.approx(good.regrets[2].points)
    # One random architecture is as far from the best as the mean of all.
    assert found.regret["random"][0] > 15


def test_decisions_are_averaged_over_tasks(tasks):
    both = [decisions_of(task, rng()) for task in tasks]
    found = mean_decisions(both)
    for mean, first, second in zip(found.regrets, both[0].regrets, both[1].regrets, strict=True):
        assert mean.points == pytest.approx((first.points + second.points) / 2)
        assert mean.recall == pytest.approx((first.recall + second.recall) / 2)
    curves = [one.searches[0].regret["random"] for one in both]
    assert found.searches[0].regret["random"] == pytest.approx((curves[0] + curves[1]) / 2)


def test_on_shared_clips_recall_counts_no_luck_that_u_and_y_share():
    """All architectures guess, and u and y are the same guesses: on all clips the recall would be 1."""
    data = made_up(per_family=20, shared=True, n_tasks=1, n_clips=200, n_seeds=1, arms=())
    guesses = rng().integers(2, size=(160, 1, 200)).astype(float)
    right = {"random": guesses, "trained": guesses}
    task = prepare(replace(data, tasks=[replace(data.tasks[0], right=right)]), 4, 0)[0]
    found = decisions_of(task, rng()).regrets[1]
    assert (found.n_candidates, found.k) == (20, 5)
    assert found.recall == pytest.approx(found.chance, abs=0.06)


def test_on_shared_clips_the_choice_by_u_does_not_see_the_clips_of_the_value(shared_tasks):
    found = draw_subsets(shared_tasks[0], 10, rng())
    assert not set(np.round(found.untrained.ravel(), 9)) <= set(np.round(shared_tasks[0].values("random"), 9))
