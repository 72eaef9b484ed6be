import warnings

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier as OneRidge
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained import BACKENDS
from untrained.backends.base import Backend
from untrained.backends.ridge import ALPHAS, RidgeClassifier
from untrained.backends.standardized import Standardized

SIZES = [(90, 12), (90, 89), (60, 60), (40, 300)]


@parametrize_with_checks([RidgeClassifier(), RidgeClassifier(alpha=2.0)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_penalties_are_those_of_rocket():
    np.testing.assert_allclose(ALPHAS, np.logspace(-3, 3, 10))


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_predictions_equal_those_of_scikit_learn(size, n_classes, standardize, classes):
    n, n_features = size
    X, y = classes(n + 200, n_features, n_classes, distance=4 / np.sqrt(n_features), seed=n)
    X = X * 10.0 ** np.random.default_rng(1).uniform(-1, 1, n_features) + 20
    X[:, 1] = 3  # a constant feature
    names = np.array(["c", "a", "e", "b", "d"])[y]
    theirs, ours, scaled = RidgeClassifierCV(np.logspace(-3, 3, 10)), BACKENDS.create("ridge"), X
    if standardize:
        scaled, ours = StandardScaler().fit(X[:n]).transform(X), Standardized(ours)
    theirs.fit(scaled[:n], names[:n])
    ours.fit(X[:n], names[:n])
    plain = ours.backend_ if standardize else ours
    assert plain.alpha_ == pytest.approx(theirs.alpha_)
    assert -plain.loo_errors_.min() == pytest.approx(theirs.best_score_, rel=1e-6)
    np.testing.assert_allclose(plain.decision_function(scaled[n:]), theirs.decision_function(scaled[n:]), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X[n:]), theirs.predict(scaled[n:]))
    assert 1.2 / n_classes < ours.score(X[n:], names[n:]) < 1


def test_float32_embeddings_are_fitted_in_float64(classes):
    X, y = classes(50, 80)
    X = (X + 1000).astype(np.float32)
    single, double = RidgeClassifier().fit(X, y), RidgeClassifier().fit(X.astype(np.float64), y)
    np.testing.assert_array_equal(single.coef_, double.coef_)
    assert single.coef_.dtype == np.float64


def test_a_penalty_that_is_given_is_fixed(classes):
    X, y = classes(60)
    fixed = RidgeClassifier(alpha=30.0).fit(X, y)
    assert (fixed.alpha_, fixed.candidates()) == (30.0, [{}])
    np.testing.assert_allclose(fixed.coef_, OneRidge(alpha=30.0).fit(X, y).coef_, rtol=1e-8)
    assert RidgeClassifier(alphas=[5.0, 7.0]).fit(X, y).alpha_ in (5.0, 7.0)


def test_a_clip_may_have_several_labels(classes):
    X, y = classes(80, distance=2)
    labels = np.c_[y < 2, y % 2 == 0, y == 3].astype(int)
    ours, theirs = RidgeClassifier().fit(X[:50], labels[:50]), RidgeClassifierCV(np.logspace(-3, 3, 10))
    theirs.fit(X[:50], labels[:50])
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    assert (ours.is_multilabel_, ours.classes_.tolist()) == (True, [0, 1, 2])
    np.testing.assert_array_equal(ours.predict(X[50:]), theirs.predict(X[50:]))
    np.testing.assert_allclose(ours.decision_function(X[50:]), theirs.decision_function(X[50:]), atol=1e-8)
    with pytest.raises(ValueError, match="y has several columns that are not all 0 or 1; expected one column"):
        RidgeClassifier().fit(X, np.c_[y, y])


def folds(X, y, n=4):
    return list(StratifiedKFold(n, shuffle=True, random_state=0).split(X, y))


@pytest.mark.parametrize(
    "backend", [RidgeClassifier(), RidgeClassifier("search", [0.1, 10.0, 1e3]), RidgeClassifier(10.0)], ids=str
)
@pytest.mark.parametrize("n_features", [8, 40, 90])
def test_a_search_equals_separate_fits(backend, n_features, classes, assert_same):
    """Some splits have fewer clips than 40 features, and others more."""
    X, y = classes(80, n_features)
    splits = [*folds(X, y), *((test, train) for train, test in folds(X, y, 3))]
    assert_same(backend.search(X + 100, y, splits), Backend.search(backend, X + 100, y, splits))


def test_the_protocol_chooses_among_penalties_if_asked(classes):
    X, y = classes(40)
    assert [each["alpha"] for each in RidgeClassifier("search").candidates()] == list(ALPHAS)
    found = RidgeClassifier("search", [0.1, 1e6]).search(X, y, folds(X, y))
    assert found.candidates == [{"alpha": 0.1}, {"alpha": 1e6}]
    assert RidgeClassifier("search").with_candidate(found.candidates[1]).fit(X, y).alpha_ == 1e6


def test_a_class_that_a_split_lacks_is_not_predicted(classes, assert_same):
    X, y = classes(60)
    lacking = [(np.flatnonzero(y != 3), np.arange(0, 60, 3)), (np.flatnonzero(y < 2), np.arange(0, 60, 3))]
    found = RidgeClassifier().search(X, y, lacking)
    assert_same(found, Backend.search(RidgeClassifier(), X, y, lacking))
    assert all(3 not in row for row in found.predictions[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0.0}, "alpha=0.0; expected 'loo', 'search' or a number above 0"),
        ({"alpha": "best"}, "alpha='best'; expected 'loo', 'search' or a number above 0"),
        ({"alpha": float("nan")}, "alpha=nan; expected"),
        ({"alpha": float("inf")}, "alpha=inf; expected"),
        ({"alphas": []}, r"alphas=\[\]; expected a list of numbers above 0"),
        ({"alphas": [1.0, -1.0]}, r"alphas=\[1.0, -1.0\]; expected a list of numbers above 0"),
        ({"alpha": 3.0, "alphas": [0.0]}, r"alphas=\[0.0\]; expected"),
        ({"alpha": None}, "alpha=None; expected 'loo', 'search' or a number above 0"),
        ({"alpha": [1]}, r"alpha=\[1\]; expected"),
        ({"alpha": True}, "alpha=True; expected"),
        ({"alphas": ["a"]}, r"alphas=\['a'\]; expected a list of numbers above 0"),
        ({"alphas": [True]}, r"alphas=\[True\]; expected"),
        ({"alphas": 3.0}, "alphas=3.0; expected"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message, classes):
    X, y = classes(20)
    backend = RidgeClassifier(**arguments)
    for learn in (backend.fit, lambda X, y: backend.search(X, y, folds(X, y, 2))):
        with pytest.raises(ValueError, match=message):
            learn(X, y)


def test_clips_that_cannot_be_fitted_are_refused(classes):
    X, y = classes(20)
    for bad, labels, message in (
        (np.where(np.arange(20)[:, None] == 3, np.nan, X), y, "Input X contains NaN"),
        (X * 1e200, y, "the squares of the features overflow; expected features below 1e150"),
        (X, np.zeros(20, int), "all labels are of one class, 0; expected two classes or more"),
    ):
        split = [(np.arange(10), np.arange(10, 20))]
        for learn in (RidgeClassifier().fit, lambda X, y, split=split: RidgeClassifier().search(X, y, split)):
            with pytest.raises(Exception, match=message), warnings.catch_warnings(action="ignore"):
                learn(bad, labels)


@pytest.mark.parametrize("n_features", [3, 40])
def test_the_first_of_equally_good_penalties_is_chosen(n_features):
    """Without information, errors differ by rounding alone."""
    fitted = RidgeClassifier().fit(np.full((40, n_features), 0.1), np.arange(40) % 3)
    assert fitted.alpha_ == fitted.alphas_[0]


def test_features_without_information_predict_the_most_frequent_class():
    y = np.array([0, 1, 1, 2, 1, 0])
    assert RidgeClassifier().fit(np.full((6, 3), 2.0), y).predict(np.zeros((2, 3))).tolist() == [1, 1]
