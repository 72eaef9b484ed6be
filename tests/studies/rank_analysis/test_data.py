"""Input of the analysis of a rank study: which clips score which arm, and results that do not fit."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up

DATA = made_up(n_families=2, per_family=2, n_tasks=1, n_clips=8)
TASK = DATA.tasks[0]


def test_arms_are_scored_on_the_clips_of_their_test_set():
    first = [True] * 4 + [False] * 4
    for arm in ("random", "random-raw", "linear"):
        assert TASK.clips_of(arm).tolist() == first
    for arm in ("trained", "trained-last"):
        assert TASK.clips_of(arm).tolist() == [not one for one in first]
    shared = replace(TASK, test_set=np.zeros(8, int))
    assert shared.shares_clips
    assert shared.clips_of("random").all()
    assert shared.clips_of("trained").all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"right": {"random": TASK.right["random"]}}, r"right has the arms \['random'\]; expected 'trained' too"),
        ({"groups": TASK.groups[1:]}, r"task task-0: groups has the shape \(7,\); expected \(8,\)"),
        ({"rivals": {"zico": np.zeros(3)}}, r"task task-0: zico has the shape \(3,\); expected \(4,\)"),
        ({"right": {**TASK.right, "linear": np.zeros((4, 1, 7))}}, r"right\['linear'\] has the shape \(4, 1, 7\)"),
    ],
)
def test_results_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TASK, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"families": ["a"]}, "families has 1 values; expected one for each of 4 architectures"),
        ({"columns": {"depth": np.zeros(5)}}, "depth has 5 values"),
        ({"columns": {"flop": np.zeros(4)}}, "columns lacks n_parameters, n_features; expected n_parameters, flop, n_"),
        ({"tasks": []}, "tasks is empty"),
    ],
)
def test_a_study_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(DATA, **changes)
