import numpy as np
import pytest
from untrained.backends.base import Backend
from untrained.backends.guard import checked_labels, failures_line, fitted, predicted, refuse_odd_candidates
from untrained.backends.sklearn import AnyClassifier
from untrained.backends.standardized import Standardized
from untrained.errors import PluginError, UsageError

LDA = "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"
X = np.random.default_rng(0).normal(size=(24, 3))
Y = np.arange(24) % 3
SPLITS = [(np.arange(12), np.arange(12, 24)), (np.arange(12, 24), np.arange(12))]


class Odd(Backend):
    """A backend whose argument selects how it fails."""

    param_grid = {"does": ["fine", "raises", "float", "short", "text"]}

    def __init__(self, does="search"):
        self.does = does

    def fit(self, X, y):
        if self.does == "raises":
            raise NotImplementedError("not here")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        found = np.zeros(len(X), int)
        return {"float": found + 0.5, "short": found[1:], "text": found.astype(str)}.get(self.does, found)


@pytest.mark.parametrize("wrap", [lambda backend: backend, Standardized])
def test_candidates_that_fail_are_skipped_and_listed(wrap):
    found = wrap(Odd()).search(X, Y, SPLITS)
    assert found.candidates == [{"does": "fine"}]
    assert [len(row) for row in found.predictions] == [2]
    reasons = {each.candidate["does"]: each.reason for each in found.failed}
    assert reasons["raises"] == "NotImplementedError: not here"
    assert "0.5; expected one of the labels" in reasons["float"]
    assert "shape (11,) for 12 clips" in reasons["short"]
    assert "labels of type <U" in reasons["text"]
    line = failures_line("Odd", found.failed, 5)
    assert line.startswith(
        "4 of 5 candidates of Odd cannot be fitted and are skipped: {'does': 'raises'} fails with Not"
    )


def test_an_error_is_raised_if_all_candidates_fail():
    with pytest.raises(
        UsageError, match=r"Odd cannot be fitted with {'does': 'raises'}: NotImplementedError: not here"
    ):
        Standardized(Odd("raises")).search(X, Y, SPLITS)
    backend = AnyClassifier(LDA, grid={"solver": ["svd"], "shrinkage": ["auto", 0.5]})
    with pytest.raises(
        UsageError, match=r"all 2 candidates fail; for example, {.* fails with NotImplementedError: shrinkage not"
    ):
        backend.search(X, Y, SPLITS)


def test_lists_of_grids_are_searched_and_invalid_grids_refused():
    grids = [{"solver": ["svd"]}, {"solver": ["lsqr"], "shrinkage": [None, "auto"]}]
    assert len(AnyClassifier(LDA, grid=grids).search(X, Y, SPLITS).candidates) == 3
    for odd in ({"solver": "svd"}, {"solver": []}, {"solver": 3}, [{"solver": {"a": 1}}]):
        with pytest.raises(UsageError, match=r"grid: solver=.*expected a list of values"):
            refuse_odd_candidates(AnyClassifier(LDA, grid=odd))
    refuse_odd_candidates(AnyClassifier(LDA, grid=[]))


def test_errors_of_a_fit_or_a_prediction_name_the_backend_and_the_type():
    with pytest.raises(UsageError, match=r"Odd cannot be fitted with .*NotImplementedError"):
        fitted(Odd(), {"does": "raises"}, X, Y)
    with pytest.raises(PluginError, match="backend Odd cannot predict 24 clips: ValueError: predict"):
        predicted(Odd("short").fit(X, Y), X)
    with pytest.raises(PluginError, match="AttributeError"):
        predicted(object(), X)
    assert checked_labels([0.0, 1.0], 2, np.array([0, 1])).dtype.kind == "i"
