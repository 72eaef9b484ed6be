import numpy as np
from untrained.backends.base import Backend, SearchResult, first_of_best


def test_ties_go_to_the_first():
    result = SearchResult(
        [{}, {}, {}], [[np.array([0, 1])], [np.array([1, 1])], [np.array([1, 1])]], [np.array([1, 1])]
    )
    assert result.best == 1
    assert first_of_best(np.array([0.3, 0.1 + 0.2])) == 0


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
