import numpy as np
import pytest


def test_all_tables_of_a_study(analysis):
    (overall,) = analysis.overall
    assert overall.datasets == ["synthetic-events", "synthetic-timbre"]
    names = ["temporal-n_filters=4", "sample_level-n_filters=2", "mfcc", "logmel_stats"]
    assert list(overall.ranks) == names
    of_table = {
        dataset: np.array([analysis.cells[dataset, name, "nearest_class"].accuracy for name in names])
        for dataset in overall.datasets
    }
    for test in overall.tests:
        a, b = names.index(test.a), names.index(test.b)
        expected = np.mean([found[a] - found[b] for found in of_table.values()])
        assert test.estimate.difference == pytest.approx(expected)
    means = np.mean(list(of_table.values()), axis=0)
    assert overall.verdict.best == names[int(means.argmax())]
    assert sum(overall.ranks.values()) == pytest.approx(1 + 2 + 3 + 4)
    best_everywhere = [name for name in names if overall.ranks[name] == 1]
    assert all(overall.verdict.best == name for name in best_everywhere)
    of_family = {family.dataset: family.tests[0].estimate.standard_error for family in analysis.families}
    error = np.sqrt(sum(each**2 for each in of_family.values())) / 2
    assert overall.tests[0].estimate.standard_error == pytest.approx(error)  # one backend: nothing else is averaged
