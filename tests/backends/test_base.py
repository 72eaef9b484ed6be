import numpy as np
import pytest
from sklearn.base import clone
from untrained import BACKENDS
from untrained.backends.base import Backend, SearchResult, first_of_best


def test_ties_go_to_the_first():
    result = SearchResult(
        [{}, {}, {}], [[np.array([0, 1])], [np.array([1, 1])], [np.array([1, 1])]], [np.array([1, 1])]
    )
    assert result.best == 1
    assert first_of_best(np.array([0.3, 0.1 + 0.2])) == 0


def test_any_backend_can_be_searched(problem):
    class Nearest(Backend):
        param_grid = {"power": [1, 2]}

        def __init__(self, power="search"):
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


@pytest.mark.parametrize(
    ("name", "given", "n_candidates"),
    [
        ("svm", {}, 32),
        ("svm", {"kernel": "rbf"}, 28),
        ("svm", {"kernel": "linear"}, 4),
        ("svm", {"kernel": "rbf", "gamma": "auto"}, 4),
        ("svm", {"gamma": 0.5}, 4),
        ("svm", {"C": 1.0}, 8),  # the linear kernel and seven values of gamma
        ("elm", {"n_hidden": 500}, 1),
        ("linear_svm", {"C": 1.0}, 1),
        ("logistic", {"C": 1.0}, 1),
        ("knn", {"n_neighbors": 5}, 1),
    ],
)
def test_given_arguments_are_pinned_even_if_a_plain_fit_uses_the_same_value(name, given, n_candidates):
    backend = clone(BACKENDS.create(name, **given))
    candidates = backend.candidates()
    assert len(candidates) == n_candidates
    assert all(candidate.items() >= given.items() for candidate in candidates)
    assert all(backend.with_candidate(candidate).get_params().items() >= given.items() for candidate in candidates)


def test_a_default_that_users_may_also_give_is_reported(problem):
    class Ambiguous(Backend):
        param_grid = {"power": [1, 2]}

        def __init__(self, power=2):
            self.power = power

    with pytest.warns(UserWarning, match="Ambiguous searches power: it cannot tell whether power=2 was passed"):
        assert len(Ambiguous().candidates()) == 2
    assert Ambiguous(power=1).candidates() == [{"power": 1}]
