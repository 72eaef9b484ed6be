"""z-scores are computed only from the clips that the backend is fitted to."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import KNN
from untrained.backends.standardized import Standardized
from untrained.backends.svm import SVMClassifier


@parametrize_with_checks([Standardized(ELMClassifier(n_hidden=60))])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def problem():
    """Features of very different scale, one of which is constant."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = rng.standard_normal((90, 8)) + 1.2 * rng.standard_normal((3, 8))[y]
    X[60:] *= 3  # so that means and deviations of a split differ from those of all clips
    X[:, 5] = 7.0
    return X * 10.0 ** np.arange(-4, 4) + 100.0, y


def splits_of(X, y):
    return list(StratifiedKFold(3).split(X, y))


def test_search_equals_grid_search_over_a_pipeline(problem):
    X, y = problem
    grid = {"svc__kernel": ["rbf"], "svc__gamma": [0.5, 0.125, "auto"], "svc__C": [0.1, 2.0, 8.0]}
    theirs = GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=splits_of(X, y)).fit(X, y)

    class Few(SVMClassifier):
        param_grid = {key.removeprefix("svc__"): values for key, values in grid.items()}

    ours = Standardized(Few()).search(X, y, splits_of(X, y))
    assert [{f"svc__{key}": value for key, value in each.items()} for each in ours.candidates] == theirs.cv_results_[
        "params"
    ]
    for split in range(3):
        np.testing.assert_allclose(ours.scores[:, split], theirs.cv_results_[f"split{split}_test_score"])
    chosen = Standardized(Few()).with_candidate(ours.candidates[ours.best]).fit(X, y)
    np.testing.assert_array_equal(chosen.predict(X), theirs.predict(X))


@pytest.mark.parametrize("backend", [SVMClassifier(), ELMClassifier(), KNN()], ids=str)
def test_search_equals_fits_of_each_split(problem, backend):
    X, y = problem
    found = Standardized(backend).search(X, y, splits_of(X, y))
    assert found.candidates == backend.candidates()
    for candidate, row in zip(found.candidates, found.predictions, strict=True):
        for (train, test), given in zip(splits_of(X, y), row, strict=True):
            fitted = Standardized(backend).with_candidate(candidate).fit(X[train], y[train])
            np.testing.assert_array_equal(fitted.predict(X[test]), given)


def test_z_scores_help_if_features_differ_in_scale(problem):
    X, y = problem
    plain = SVMClassifier().search(X, y, splits_of(X, y)).best_score
    assert Standardized(SVMClassifier()).search(X, y, splits_of(X, y)).best_score > plain + 0.1


def test_a_constant_feature_is_only_centred(problem):
    X, y = problem
    fitted = Standardized(KNN()).fit(X, y)
    assert fitted.deviation_[5] == 1
    assert fitted.class_scores(X)[0].shape == (90, 3)
    np.testing.assert_allclose(X.mean(axis=0), fitted.mean_)
