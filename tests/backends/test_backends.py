import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends.base import Backend, SearchResult, first_of_best
from untrained.backends.elm import ELMClassifier, hidden_layer
from untrained.backends.least_squares import output_weights
from untrained.backends.standardized import Standardized
from untrained.backends.svm import SVMClassifier


@parametrize_with_checks([ELMClassifier(n_hidden=60), SVMClassifier(), Standardized(ELMClassifier(n_hidden=60))])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 15)
    return rng.standard_normal((60, 10)) + 0.7 * rng.standard_normal((4, 10))[y], y


def test_elm_equals_the_original(reference):
    data = reference("elm")
    elm = ELMClassifier(n_hidden=50).fit(data["X_train"], data["y_train"])
    elm.weights_, elm.biases_ = data["weights"], data["biases"]
    hidden = np.maximum(data["X_train"] @ data["weights"] + data["biases"], 0)
    targets = np.where(data["y_train"][:, None] == data["classes"], 1.0, -1.0)
    elm.coefs_ = output_weights(hidden, targets)
    np.testing.assert_allclose(elm.coefs_, data["coefs"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(elm.decision_function(data["X_test"]), data["decision"], rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(elm.predict(data["X_test"]), data["predict"])


@pytest.mark.parametrize("n_hidden", [10, 50, 60, 70, 300])
def test_elm_equals_the_pseudo_inverse(problem, n_hidden):
    X, y = problem
    elm = ELMClassifier(n_hidden).fit(X, y)
    hidden = np.maximum(X @ elm.weights_ + elm.biases_, 0)
    hidden[:, ::7] = 0  # dead units
    targets = np.where(np.eye(4)[y] > 0, 1.0, -1.0)
    np.testing.assert_allclose(output_weights(hidden, targets), np.linalg.pinv(hidden) @ targets, rtol=1e-6, atol=1e-9)


def test_hidden_units_depend_on_seed_and_index_alone():
    few, many = hidden_layer(5, 10, seed=3), hidden_layer(5, 100, seed=3)
    np.testing.assert_array_equal(few[0], many[0][:, :10])
    np.testing.assert_array_equal(few[1], many[1][:10])
    assert not np.array_equal(few[0], hidden_layer(5, 10, seed=4)[0])


def test_study_s_grids():
    assert len(SVMClassifier.param_grid[0]["gamma"]) * 4 + 4 == 32
    assert ELMClassifier.param_grid["n_hidden"] == [100, 250, 500, 1200, 1800, 2500]


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


def test_ties_go_to_the_first():
    result = SearchResult(
        [{}, {}, {}], [[np.array([0, 1])], [np.array([1, 1])], [np.array([1, 1])]], [np.array([1, 1])]
    )
    assert result.best == 1
    assert first_of_best(np.array([0.3, 0.1 + 0.2])) == 0


def test_libsvm_stops_where_it_would_take_minutes():
    rng = np.random.default_rng(0)
    X, y = 100 * rng.standard_normal((120, 5)), rng.integers(0, 2, 120)
    with pytest.warns(UserWarning, match="terminated early"):
        machine = SVMClassifier(kernel="linear", C=32.0, max_iter=1000).fit(X, y)
    assert machine.svc_.n_iter_.max() == 1000


def test_any_classifier_with_the_contract_can_be_searched(problem):
    class Nearest(Backend):
        param_grid = {"power": [1, 2]}

        def __init__(self, power=2):
            self.power = power

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.centroids_ = np.stack([X[y == label].mean(0) for label in self.classes_])
            return self

        def predict(self, X):
            return self.classes_[(np.abs(X[:, None] - self.centroids_) ** self.power).sum(2).argmin(1)]

    X, y = problem
    result = Nearest().search(X, y, [(np.arange(0, 60, 2), np.arange(1, 60, 2))])
    assert result.candidates == [{"power": 1}, {"power": 2}]
    assert result.scores.shape == (2, 1)
