import re
import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends import scaling, svm
from untrained.backends.svm import SVMClassifier
from untrained.registry import BACKENDS


@parametrize_with_checks([SVMClassifier()])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_search_equals_grid_search(problem):
    X, y = problem
    splits = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
    result = SVMClassifier().search(X, y, splits)
    theirs = GridSearchCV(SVC(), list(SVMClassifier.param_grid), cv=splits).fit(X, y)
    assert len(result.candidates) == 32
    assert result.candidates == theirs.cv_results_["params"]
    for split in range(3):
        np.testing.assert_allclose(result.scores[:, split], theirs.cv_results_[f"split{split}_test_score"])
    assert result.candidates[result.best] == theirs.best_params_
    assert result.best_score == pytest.approx(theirs.best_score_)
    chosen = SVMClassifier(**theirs.best_params_).fit(X, y)
    np.testing.assert_array_equal(chosen.predict(X), theirs.predict(X))


def test_max_iter_limits_the_time_of_libsvm():
    rng = np.random.default_rng(0)
    X, y = 100 * rng.standard_normal((120, 5)), rng.integers(0, 2, 120)
    with pytest.warns(UserWarning, match="terminated early"):
        machine = SVMClassifier(kernel="linear", C=32.0, max_iter=1000).fit(X, y)
    assert machine.svc_.n_iter_.max() == 1000


def folds(X, y, n=4):
    return list(StratifiedKFold(n, shuffle=True, random_state=0).split(X, y))


@pytest.mark.parametrize("gamma", ["scale", "auto", 0.03])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_svm_equals_grid_search(gamma, offset, classes):
    X, y = classes(100)
    X = X + offset  # far from the origin, where distances from inner products lose digits
    splits = folds(X, y)
    grid = {"kernel": ["rbf"], "gamma": [gamma], "C": [0.1, 2.0, 8.0, 32.0]}

    class One(SVMClassifier):
        param_grid = grid

    found = One().search(X, y, splits)
    theirs = GridSearchCV(SVC(), grid, cv=splits).fit(X, y)
    assert [dict(candidate) for candidate in found.candidates] == theirs.cv_results_["params"]
    for split in range(len(splits)):
        np.testing.assert_allclose(found.scores[:, split], theirs.cv_results_[f"split{split}_test_score"])


def test_a_search_without_memory_for_its_kernels_warns_and_gives_the_same_result(classes, assert_same):
    X, y = classes(60)
    splits = folds(X, y)
    small = SVMClassifier(max_memory=1e-6)
    with pytest.warns(
        UserWarning, match=r"max_memory=1e-06 GiB is too small for the kernels of 60 clips.*max_memory"
    ) as warned:
        found = small.search(X, y, splits)
    assert_same(found, SVMClassifier().search(X, y, splits))
    advised = float(str(warned[0].message).rpartition("max_memory ")[2])
    assert SVMClassifier(max_memory=advised)._jobs_that_fit(60, 45) > 0


@pytest.mark.parametrize("max_memory", [0.0, 6.0])
def test_a_large_search_warns_how_long_it_takes_and_names_backends_that_scale(max_memory, classes, monkeypatch):
    """The advice of the warning works: each backend that it names fits the same clips."""
    monkeypatch.setattr(svm, "MANY", 50)
    monkeypatch.setattr(scaling, "FEW", 20)
    monkeypatch.setattr(svm, "machine_memory", lambda: 0)  # too little for the kernels
    X, y = classes(60)
    machine = SVMClassifier(kernel="linear", C=1.0, max_memory=max_memory)
    first, *others = folds(X, y)
    cost = r"1 fits to 45 clips for one split, and 0.0 GiB for kernels; one fit takes less than a minute, .* n\^[23]\."
    with pytest.warns(UserWarning, match=cost) as warned:
        machine.search(X, y, [first])
    with warnings.catch_warnings(action="error"):
        machine.search(X, y, others[:1])  # as Standardized does, which searches one split at a time
    (message,) = {str(warning.message) for warning in warned}
    assert "60 clips x 12 features" in message or max_memory == 0
    assert "max_memory " not in message.partition("; give ")[2]
    named = re.findall(r"\w+(?=,| or |$)", message.partition("--model.backend ")[2].partition(", which")[0])
    assert named == ["nystroem_svm", "linear_svm", "ridge", "elm", "logistic", "sgd"]
    for name in named:
        assert len(BACKENDS.create(name).fit(X, y).predict(X)) == 60


def test_the_number_of_threads_depends_on_max_memory(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    n = 8732  # clips of UrbanSound8K
    assert SVMClassifier(max_memory=1.0)._jobs_that_fit(n, n * 9 // 10) == 0
    assert SVMClassifier(max_memory=2.5)._jobs_that_fit(n, n * 9 // 10) == 1
    assert 2 <= SVMClassifier()._jobs_that_fit(n, n * 9 // 10) < 8
    assert SVMClassifier()._jobs_that_fit(400, 320) == 8
