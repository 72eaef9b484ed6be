"""Searches that share work predict the same as separate fits of every candidate to every split."""

import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit, StratifiedKFold
from untrained.backends.base import Backend
from untrained.backends.elm import ELMClassifier
from untrained.backends.ridge import RidgeClassifier
from untrained.backends.standardized import Standardized
from untrained.backends.svm import SVMClassifier


class SmallELM(ELMClassifier):
    param_grid = {"n_hidden": [10, 40, 120]}  # the last one is larger than some train splits


def folds(X, y, n=4):
    return list(StratifiedKFold(n, shuffle=True, random_state=0).split(X, y))


def pairs_too(splits):
    """Return the splits of a nested selection: one for each fold, and one for each pair of folds."""
    tests = [test for _, test in splits]
    every = np.sort(np.concatenate(tests))
    pairs = [np.concatenate([tests[i], tests[j]]) for i in range(len(tests)) for j in range(i + 1, len(tests))]
    return [*splits, *((np.setdiff1d(every, pair), pair) for pair in pairs)]


SPLITS = {
    "folds": folds,
    "nested": lambda X, y: pairs_too(folds(X, y)),
    "shuffled": lambda X, y: list(ShuffleSplit(3, test_size=0.2, random_state=0).split(X)),
    "one": lambda X, y: folds(X, y)[:1],
}


@pytest.mark.parametrize("splits", SPLITS)
@pytest.mark.parametrize("backend", [SVMClassifier(), ELMClassifier(), ELMClassifier(alpha=3.0)], ids=str)
def test_a_search_equals_separate_fits(backend, splits, classes, assert_same):
    X, y = classes(120)
    chosen = SPLITS[splits](X, y)
    assert_same(backend.search(X, y, chosen), Backend.search(backend, X, y, chosen))


def test_a_class_that_a_split_lacks_is_not_predicted(classes, assert_same):
    X, y = classes(60)
    lacking = [(np.flatnonzero(y != 3), np.arange(0, 60, 3))]
    for backend in (SVMClassifier(), ELMClassifier()):
        found = backend.search(X, y, lacking)
        assert_same(found, Backend.search(backend, X, y, lacking))
        assert all(3 not in row[0] for row in found.predictions)


@pytest.mark.parametrize(
    "backend",
    [
        *(ELMClassifier(**arguments) for arguments in ({"n_hidden": 0}, {"seed": -1}, {"alpha": -0.5})),
        *(SVMClassifier(max_memory=size) for size in (-1, float("inf"), float("nan"))),
    ],
    ids=str,
)
def test_invalid_arguments_are_refused(backend, classes):
    X, y = classes(20)
    ((name, value),) = (
        item for item in backend.get_params().items() if item not in type(backend)().get_params().items()
    )
    for learn in (backend.fit, lambda X, y: backend.search(X, y, folds(X, y, 2))):
        with pytest.raises(ValueError, match=f"{name}={value}; expected"):
            learn(X, y)


def test_grids_are_those_of_the_study():
    assert len(SVMClassifier.param_grid[0]["gamma"]) * 4 + 4 == 32
    assert ELMClassifier.param_grid["n_hidden"] == [100, 250, 500, 1200, 1800, 2500]


@pytest.mark.parametrize(("standardize", "splits"), [(False, "nested"), (True, "one")])
@pytest.mark.parametrize("backend", [SmallELM(), SmallELM(alpha=3.0), RidgeClassifier(alpha="search")], ids=str)
def test_a_search_by_batches_equals_one_in_memory(backend, standardize, splits, classes, assert_same, as_rows):
    X, y = classes(200)
    backend = Standardized(backend) if standardize else backend
    chosen = SPLITS[splits](X, y)
    assert_same(backend.search(as_rows(X), y, chosen), backend.search(X, y, chosen))
    models = [backend.with_candidate(backend.candidates()[-1]).fit(each, y) for each in (as_rows(X), X)]
    np.testing.assert_allclose(*(model.class_scores(X)[0] for model in models), atol=1e-6)
