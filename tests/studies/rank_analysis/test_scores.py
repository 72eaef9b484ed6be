"""Scores of architectures, and of halves of their clips and seeds."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from untrained.studies.rank_analysis.scores import (
    SWAPPED,
    arm_of,
    arms_of,
    divide,
    draw_halves,
    halves,
    is_used,
    strata,
)

DATA = made_up(n_families=2, per_family=3, n_tasks=1, n_clips=80, n_seeds=3)
TASK = DATA.tasks[0]


def without(task, arm, *runs):
    right = task.right[arm].copy()
    for run in runs:
        right[run] = np.nan
    return replace(task, right={**task.right, arm: right})


def test_scores_are_means_over_seeds_and_the_clips_of_the_arm():
    arms = arms_of(TASK)
    assert arms["random"].scores == pytest.approx(TASK.right["random"][:, :, :40].mean(axis=(1, 2)))
    assert arms["trained"].scores == pytest.approx(TASK.right["trained"][:, :, 40:].mean(axis=(1, 2)))
    assert arms["linear"].scores == pytest.approx(TASK.right["linear"][:, :, :40].mean(axis=(1, 2)))
    assert arms[SWAPPED].scores == pytest.approx(TASK.right["linear"][:, :, 40:].mean(axis=(1, 2)))
    assert (arms["random"].test_set, arms["trained"].test_set, arms["linear"].test_set) == (0, 1, 0)


def test_a_run_with_a_missing_clip_is_not_used():
    task = without(TASK, "random", (0, 0, 3), (1,))
    arm = arm_of(task, "random")
    assert arm.n_runs.tolist() == [2, 0, 3, 3, 3, 3]
    assert arm.scores[0] == pytest.approx(TASK.right["random"][0, 1:, :40].mean())
    assert np.isnan(arm.scores[1])
    assert np.isnan(arm.of_clips[1]).all()
    used = is_used(arms_of(task), np.array([0, 0, 0, 0, 0, 1]))
    assert used.tolist() == [True, False, True, True, True, False]


def test_clips_that_were_not_predicted_by_an_arm_of_the_other_test_set_do_not_matter():
    task = without(TASK, "trained", (slice(None), slice(None), slice(0, 40)))
    assert (arm_of(task, "trained").n_runs == 3).all()


def test_groups_are_divided_within_their_class():
    labels = np.array(["a"] * 6 + ["b"] * 4)
    groups = np.array(["1", "1", "2", "3", "3", "4", "5", "6", "7", "7"])
    group, members = strata(labels, groups)
    assert [one.tolist() for one in members] == [[0, 1, 2, 3], [4, 5, 6]]
    of_clip = draw_halves(labels, groups, 400, np.random.default_rng(0))
    of_group = of_clip[:, [0, 2, 3, 5, 6, 7, 8]]
    assert (of_group[:, group] == of_clip).all()
    assert (of_group[:, :4].sum(axis=1) == 2).all()
    assert set(of_group[:, 4:].sum(axis=1)) == {1, 2}
    assert np.abs(of_clip.mean(axis=0) - 0.5).max() < 0.1


def test_groups_with_several_classes_are_a_stratum():
    _, members = strata(np.array(["a", "b", "a", "a", "b"]), np.array(["1", "1", "2", "3", "4"]))
    assert [one.tolist() for one in members] == [[0], [1, 2], [3]]


def test_halves_have_their_own_clips():
    arm = arm_of(TASK, "random")
    of_clip = draw_halves(arm.labels, arm.groups, 5, np.random.default_rng(0))
    found = halves(arm, of_clip)
    for half in (0, 1):
        for split in range(5):
            expected = TASK.right["random"][:, :, :40][:, :, of_clip[split] == half].mean(axis=(1, 2))
            assert found[half, split] == pytest.approx(expected)


def test_halves_may_have_their_own_seeds():
    right = np.zeros((6, 3, 80))
    right[:, 0], right[:, 1] = 1, 0.5  # each seed has its own accuracy
    task = replace(TASK, right={**TASK.right, "random": right})
    arm = arm_of(without(task, "random", (0, 2), (1, 0), (1, 1)), "random")
    of_clip = draw_halves(arm.labels, arm.groups, 50, np.random.default_rng(0))
    found = halves(arm, of_clip, np.random.default_rng(1))
    assert {tuple(sorted(pair)) for pair in found[:, :, 0].T.tolist()} == {(0.5, 1.0)}
    assert np.isnan(found[:, :, 1]).any(axis=0).all()  # one run cannot be divided
    # Of three seeds, one half has two.
    assert {tuple(sorted(pair)) for pair in found[:, :, 2].T.tolist()} == {(0.25, 1.0), (0.5, 0.5), (0.0, 0.75)}


def test_divide():
    assert divide(np.array([1.0, 1.0]), np.array([2, 0])).tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
