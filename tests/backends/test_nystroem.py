"""The support vector machine with landmarks."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends.base import Backend
from untrained.backends.nystroem import NystroemSVM
from untrained.backends.svm import SVMClassifier
from untrained.testing.backend import is_saved_without_pickle, repeats_itself

SPLITS = [(np.flatnonzero(np.arange(120) % 3 != fold), np.flatnonzero(np.arange(120) % 3 == fold)) for fold in range(2)]


class Small(NystroemSVM):
    param_grid = {"gamma": [0.01, "auto"], "C": [0.1, 8.0]}

    def __init__(self, n_landmarks=20, C="search", gamma="search", max_iter=1000, seed=0):
        super().__init__(n_landmarks, C, gamma, max_iter, seed)


@parametrize_with_checks([NystroemSVM(n_landmarks=10)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_candidates_are_those_of_the_exact_kernel():
    exact = [candidate for candidate in SVMClassifier(kernel="rbf").candidates() if candidate.pop("kernel")]
    key = str
    assert sorted(NystroemSVM().candidates(), key=key) == sorted(exact, key=key)


def test_a_search_equals_separate_fits_in_memory_and_by_batches(classes, assert_same, as_rows):
    X, y = classes(120, n_classes=3)
    backend = Small()
    found = backend.search(X, y, SPLITS)
    assert_same(found, Backend.search(backend, X, y, SPLITS))
    assert_same(backend.search(as_rows(X), y, SPLITS), found)


def test_all_clips_are_landmarks_if_there_are_few(classes):
    X, y = classes(30)
    assert NystroemSVM().fit(X, y).landmarks_.shape == (30, 12)


def test_landmarks_depend_on_the_seed_only(classes, as_rows):
    X, y = classes(120)
    machines = [NystroemSVM(20, seed=seed).fit(each, y) for seed, each in ((0, X), (0, as_rows(X)), (1, X))]
    np.testing.assert_array_equal(machines[0].landmarks_, machines[1].landmarks_)
    assert not np.array_equal(machines[0].landmarks_, machines[2].landmarks_)
    np.testing.assert_allclose(machines[0].decision_function(X), machines[1].decision_function(X), atol=1e-4)


def test_more_landmarks_approach_the_exact_kernel(classes):
    X, y = classes(400, distance=0.5)
    exact = SVMClassifier("rbf", 2.0, "auto").fit(X[:300], y[:300]).predict(X[300:])
    agreement = [np.mean(NystroemSVM(n, 2.0, "auto").fit(X[:300], y[:300]).predict(X[300:]) == exact) for n in (3, 300)]
    assert agreement[0] < 0.75
    assert agreement[1] > 0.85


@pytest.mark.parametrize("arguments", [{"n_landmarks": 0}, {"seed": -1}, {"C": 0.0}, {"gamma": -1.0}], ids=str)
def test_invalid_arguments_are_refused(arguments, classes):
    ((name, value),) = arguments.items()
    X, y = classes(20)
    machine, everything = NystroemSVM(**arguments), np.arange(20)
    for learn in (machine.fit, lambda X, y: machine.search(X, y, [(everything, everything)])):
        with pytest.raises(ValueError, match=f"{name}={value}; expected"):
            learn(X, y)


def test_it_repeats_itself_and_is_saved():
    repeats_itself(Small())
    is_saved_without_pickle(Small)
