import numpy as np
import pytest
from untrained.studies.rank_report.study import design_of, n_rates


def test_a_complete_study_has_all_items(whole):
    assert whole.progress() == (486, 486)
    done, total = whole.counts()
    assert total["task-0", "trained"] == 27 * 3  # two learning rates of the first seed, and another seed
    assert done == total


def test_an_item_that_is_missing_or_has_failed_is_not_done(parts, made):
    some = parts(lambda record: record.item.arm != "linear")
    assert some.progress() == (486 - 54, 486)
    assert some.counts()[0]["task-1", "linear"] == 0
    assert len(some.known.failures) == 1


def test_without_results_there_is_no_analysis(nothing):
    assert (nothing.data, nothing.analysis) == (None, None)
    assert nothing.scored("task-0") == 0
    assert nothing.tasks == ["task-0", "task-1"]


def test_the_analysis_has_the_draws_of_the_protocol(whole):
    assert whole.analysis.n_draws == whole.protocol["rules"]["n_draws"] == 100
    assert whole.scored("task-0") == 24
    assert np.count_nonzero(whole.analysis.apart) == 3


def test_shared_clips_are_those_of_tasks_without_a_second_test_set(whole, shared):
    assert (whole.shared, shared.shared) == ([], ["task-0"])


@pytest.mark.parametrize(("rates", "n"), [(0.001, 1), ([0.0003, 0.001, 0.003], 3)])
def test_one_learning_rate_need_not_be_a_list(whole, rates, n):
    settings = whole.protocol["settings"]
    frozen = {**whole.protocol, "settings": {**settings, "training": {**settings["training"], "learning_rate": rates}}}
    assert len(design_of(frozen).learning_rates) == n
    assert n_rates(whole) == 2
