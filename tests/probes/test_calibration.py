import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from untrained import BACKENDS
from untrained.backends.standardized import Standardized
from untrained.probes.calibration import MIN_CLIPS, calibrate, probabilities


def problem(n):
    X, y = make_classification(2000 + n, 20, n_informative=8, n_classes=4, n_clusters_per_class=1, random_state=0)
    return X[:n], y[:n], X[n:], y[n:]


def calibration_error(confidences, right):
    bins = np.minimum((confidences * 10).astype(int), 9)
    parts = (bins == index for index in range(10))
    return sum(abs(confidences[part].mean() - right[part].mean()) * part.mean() for part in parts if part.any())


@pytest.mark.parametrize(("name", "candidate"), [("svm", {"C": 2.0}), ("elm", {"n_hidden": 100}), ("knn", {})])
def test_probabilities_of_new_clips_are_right_as_often_as_they_say(name, candidate):
    X, y, new, true = problem(200)
    backend = Standardized(BACKENDS.create(name))
    splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    found = calibrate(backend, candidate, X, y, splits)
    assert found.n_clips == 200
    model = backend.with_candidate(candidate).fit(X, y)
    given = probabilities(*model.class_scores(new), found.inverse_temperature)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    before = probabilities(*model.class_scores(new), 1.0)
    assert log_loss(true, given) < 1.02 * log_loss(true, before)
    right = given.argmax(axis=1) == true
    assert calibration_error(given.max(axis=1), right) < 0.15  # too low for what is better with the clips of all folds


def test_too_few_clips_are_not_calibrated():
    X, y, *_ = problem(MIN_CLIPS - 1)
    found = calibrate(BACKENDS.create("knn"), {}, X, y, list(StratifiedKFold(3).split(X, y)))
    assert (found.n_clips, found.inverse_temperature) == (MIN_CLIPS - 1, None)


def test_perfect_scores_do_not_make_certain():
    X = np.repeat([[0.0], [1.0]], 40, axis=0)
    y = np.repeat([0, 1], 40)
    found = calibrate(BACKENDS.create("svm"), {}, X, y, list(StratifiedKFold(4).split(X, y)))
    model = BACKENDS.create("svm").fit(X, y)
    assert 0.9 < probabilities(*model.class_scores(X), found.inverse_temperature).max() < 1
