import numpy as np
import torch
from untrained.studies.rank.estimate import _extrapolated, _spread, dry_run
from untrained.studies.rank.execute import Schedule
from untrained.studies.rank.results import Results

CPU = [torch.device("cpu")]


def test_what_is_to_do_is_counted_and_timed(planned, known):
    plan = planned()
    lines = list(dry_run(plan, Schedule(plan, Results(), lambda name: True), CPU, "abc"))
    assert lines[0] == "protocol abc"
    assert "synthetic-events: 16 train, 8 validation, 24 test clips; 2 test sets" in lines
    assert "left out: rhythm: clips of this length have no rhythm" in lines
    assert "28 items: 0 done, 28 to do" in lines
    assert any(line.startswith("trained: 8 items, ") for line in lines)
    assert lines[-1].startswith("about ")
    assert "with 1 process on this CPU (estimated from a few timed steps of 4 architectures)" in lines[-1]
    assert not plan.folder.exists()
    done = list(dry_run(plan, Schedule(plan, known, lambda name: True), CPU, "abc"))
    assert done[-1] == "28 items: 28 done, 0 to do"


def test_architectures_that_are_not_timed_follow_from_their_costs():
    features = np.array([[1, 10, 0], [1, 20, 0], [1, 40, 0], [1, 80, 0]], dtype=float)
    found = _extrapolated(features, {0: 2.0, 1: 3.0, 3: 9.0})
    np.testing.assert_allclose(found, [2, 3, 5, 9], rtol=1e-6)


def test_timed_architectures_are_spread_over_the_costs():
    found = _spread(np.array([5.0, 1, 4, 2, 3, 6, 0]))
    assert sorted(found) == list(range(7))
    assert [int(np.array([5, 1, 4, 2, 3, 6, 0])[index]) for index in found[:3]] == [3, 1, 5]
