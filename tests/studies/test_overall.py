import numpy as np
import pytest
from untrained.probes.record import Predictions
from untrained.studies.families import Model, compare_frontends, seeds_of
from untrained.studies.overall import compare_overall, groups

N = 120
RNG = np.random.default_rng(2)


def test_all_tables_of_a_study(analysis):
    (overall,) = analysis.overall
    assert overall.n_datasets == 2
    names = ["temporal-n_filters=4", "sample_level-n_filters=2", "mfcc", "logmel_stats"]
    assert list(overall.ranks) == names
    of_table = {
        dataset: np.array([analysis.cells[dataset, name, "nearest_class"].accuracy for name in names])
        for dataset in analysis.datasets
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


def made(rows, ids, *, is_random=True):
    seeds = [Predictions(ids, [""] * N, [""] * N, ["x"] * N, ["x" if right else "y" for right in row]) for row in rows]
    return Model(dict(enumerate(seeds)), float(np.mean(rows)), is_random, cross_validated=True)


def outcome(models, origins):
    families = []
    for dataset, backend in dict.fromkeys((dataset, backend) for dataset, _, backend in models):
        of_name = {key[1]: model for key, model in models.items() if (key[0], key[2]) == (dataset, backend)}
        families.append(compare_frontends((dataset, backend, ""), of_name, [], "clips", seeds_of([*of_name.values()])))
    return families, compare_overall(families, models, origins)


def test_two_tables_of_the_same_clips_count_as_one_data_set():
    ids = [f"{index:03d}" for index in range(N)]
    table = {name: made(RNG.random((2, N)) < share, ids) for name, share in (("vgg", 0.8), ("temporal", 0.6))}
    models = {(dataset, name, "svm"): model for dataset in ("short", "long") for name, model in table.items()}
    families, overall = outcome(models, {"short": "clips", "long": "clips"})
    assert overall.n_datasets == 1
    assert overall.tests[0].estimate.standard_error == pytest.approx(families[0].tests[0].estimate.standard_error)
    _, apart = outcome(models, {"short": 1, "long": 2})
    assert apart.n_datasets == 2
    assert apart.tests[0].estimate.standard_error < overall.tests[0].estimate.standard_error


def test_more_clips_do_not_reduce_the_variance_over_seeds():
    """The seeds of a frontend differ by the same amount on both sets of clips."""
    ids = [f"{index:03d}" for index in range(N)]
    rows = np.stack([np.arange(N) % 10 < 9, np.arange(N) % 10 < 3])
    models = {}
    for dataset in ("a", "b"):
        models[dataset, "vgg", "svm"] = made(rows, ids)
        models[dataset, "temporal", "svm"] = made(rows[:, ::-1], ids)
    families, overall = outcome(models, {"a": 1, "b": 2})
    of_seeds = np.sqrt(2 * seeds_of([models["a", "vgg", "svm"], models["a", "temporal", "svm"]]) / 2)
    assert overall.tests[0].estimate.standard_error > of_seeds
    one = families[0].tests[0].estimate.standard_error
    assert overall.tests[0].estimate.standard_error ** 2 == pytest.approx(of_seeds**2 + (one**2 - of_seeds**2) / 2)


def test_a_baseline_with_a_random_backend_is_random():
    ids = [f"{index:03d}" for index in range(N)]
    models = {}
    for name, share in (("mfcc", 0.7), ("logmel_stats", 0.5)):
        models["data", name, "svm"] = made(RNG.random((1, N)) < share, ids, is_random=False)
        models["data", name, "elm"] = made(RNG.random((1, N)) < share, ids)
    _, overall = outcome(models, {"data": 1})
    assert overall.tests[0].estimate.these_weights_alone


def test_there_is_no_comparison_if_a_frontend_has_no_seed_on_all_tables():
    ids = [f"{index:03d}" for index in range(N)]
    whole = made(RNG.random((2, N)) < 0.7, ids)
    models = {("data", "vgg", backend): whole for backend in ("svm", "elm")}
    for seed, backend in enumerate(("svm", "elm")):
        models["data", "temporal", backend] = Model({seed: whole.of_seed[seed]}, 0.7, True, cross_validated=True)
    assert outcome(models, {"data": 1})[1] is None


def test_groups_join_neighbours_if_no_two_of_them_differ():
    apart = {frozenset(pair) for pair in ("ac", "ad", "bd")}
    differ = lambda one, other: frozenset((one, other)) in apart  # noqa: E731
    assert groups("abcd", differ) == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert groups("abcd", lambda one, other: False) == [["a", "b", "c", "d"]]
    assert groups("abcd", lambda one, other: True) == []
    # Only a differs: b, c and d are one group, and the shorter groups inside it are not repeated.
    assert groups("abcd", lambda one, other: "a" in (one, other)) == [["b", "c", "d"]]
