from typing import ClassVar

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from untrained import BACKENDS, Backend
from untrained.backends.nearest_class import NearestClass
from untrained.backends.sklearn import Adapter
from untrained.errors import ContractError
from untrained.testing import check_backend, checks_of, results_of

# The tests of tests/backends run each of scikit-learn's checks separately.
SEARCHED = [
    check
    for name in BACKENDS.names()
    if name != "sklearn"
    for check in checks_of(BACKENDS.get(name))
    if check.name != "follows_scikit_learn"
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("check", SEARCHED, ids=str)
def test_our_backends(check):
    check()


class Discriminant(LinearDiscriminantAnalysis, Backend):
    """Linear discriminant analysis, whose solver cannot transform."""

    param_grid: ClassVar = {"shrinkage": ["auto", 0.5]}

    def __init__(self, shrinkage="search"):
        super().__init__(solver="lsqr", shrinkage=shrinkage)


class Adapted(Adapter):
    """Linear discriminant analysis through the adapter."""

    def make(self, n_clips):
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


class Inverted(Discriminant):
    """Predicts classes of values that are not finite, which scikit-learn's classifiers must refuse."""

    def predict(self, X):
        return super().predict(np.nan_to_num(X))


@pytest.mark.slow
def test_checks_that_do_not_apply_are_skipped():
    for cls, reasons in ((Discriminant, ["transform", "check_classifiers_one_label"]), (Adapted, ["one_label"])):
        *others, last = results_of(cls)
        assert all(result.is_kept and not result.skipped for result in others)
        assert (last.problem, last.is_kept) == ("", True)
        assert all(reason in last.skipped for reason in reasons)
    with pytest.raises(ContractError, match="follows_scikit_learn: check_estimators_nan_inf"):
        check_backend(Inverted)  # the other checks still run


class Candidates(NearestClass):
    """Has candidates with an unknown argument."""

    param_grid: ClassVar = {"width": [1]}


class Forgetful(NearestClass):
    """Cannot distinguish a given width from its default."""

    param_grid: ClassVar = {"width": [1, 2]}

    def __init__(self, width=1):
        self.width = width


class Constant(NearestClass):
    """Predicts the same class for all clips."""

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Strange(NearestClass):
    """Predicts unknown classes."""

    def predict(self, X):
        return super().predict(X) + 100


class Random(NearestClass):
    """Draws random numbers from the global generator in predict."""

    def predict(self, X):
        found = super().predict(X)
        return np.where(np.random.random(len(found)) < 0.05, self.classes_[0], found)  # noqa: NPY002


class Liar(NearestClass):
    """Predicts differently in a search than after a fit."""

    def search(self, X, y, splits):
        found = super().search(X, y, splits)
        return type(found)(found.candidates, [[labels * 0 for labels in row] for row in found.predictions], found.truth)


class Backwards(NearestClass):
    """Gives the predicted class the lowest score."""

    def class_scores(self, X):
        scores, kind = super().class_scores(X)
        return -scores, kind


BROKEN_BACKENDS = {
    Candidates: "has_candidates: a candidate sets 'width', which is not an argument",
    Forgetful: "pins_what_is_given: given width=1, the search also tries other values of width",
    Constant: "learns: the accuracy on linearly separable clips is 33 %",
    Strange: r"learns: predict returned \(60,\) labels .*; expected \(60,\) from y",
    Random: "repeats_itself: two fits to the same clips give different predictions",
    Liar: "searches_as_it_fits: .* a fit of {} predict different labels",
    Backwards: "scores_classes: the class with the highest score is not the predicted one",
}


@pytest.mark.filterwarnings("ignore:Forgetful searches width")
@pytest.mark.parametrize("cls", BROKEN_BACKENDS, ids=lambda cls: cls.__name__)
def test_backends_that_violate_a_requirement(cls):
    with pytest.raises(ContractError, match=BROKEN_BACKENDS[cls]):
        check_backend(cls)


def test_scikit_learn_s_conventions_are_among_the_requirements():
    class Naive(Backend):
        """Does not record the number of features."""

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.means_ = np.stack([np.asarray(X)[y == label].mean(axis=0) for label in self.classes_])
            return self

        def predict(self, X):
            return self.classes_[((np.asarray(X)[:, None] - self.means_) ** 2).sum(axis=2).argmin(axis=1)]

    with pytest.raises(ContractError, match=r"follows_scikit_learn: check_.*"):
        check_backend(Naive)
