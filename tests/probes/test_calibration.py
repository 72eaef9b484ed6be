import numpy as np
import pytest
from calibration import as_probabilities, calibration_error, draw, loss_of
from sklearn.model_selection import StratifiedKFold
from untrained import BACKENDS
from untrained.backends.rows import as_rows
from untrained.backends.standardized import Standardized
from untrained.probes import calibration
from untrained.probes.calibration import MIN_CLIPS, calibrate, label, probabilities


def fitted(name, candidate, n_classes, distance):
    """Return a candidate fitted to 200 clips, its calibration on 5 folds, and new clips with their classes."""
    X, y = draw(200, n_classes, distance, seed=1)
    backend = Standardized(BACKENDS.create(name))
    splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X[:200], y[:200]))
    found = calibrate(backend, candidate, X[:200], y[:200], splits)
    assert found.n_clips == 200
    return backend.with_candidate(candidate).fit(X[:200], y[:200]), found, X[200:], y[200:]


@pytest.mark.parametrize(
    ("name", "candidate"),
    [
        ("svm", {"C": 8.0, "gamma": 2.0**-11}),  # probabilities are too high before the calibration
        ("elm", {"n_hidden": 2500}),  # too low
        ("knn", {"n_neighbors": 50}),  # too low
        ("knn", {"n_neighbors": 1}),  # always 1
    ],
)
def test_probabilities_of_new_clips_are_calibrated(name, candidate):
    model, found, new, truth = fitted(name, candidate, 10, 0.45)
    labels, scores, kind = label(model, new)
    given = probabilities(scores, kind, found.inverse_temperature, found.smoothing)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    raw = as_probabilities(scores, kind)
    assert calibration_error(given, labels, truth) < 0.06 < 0.12 < calibration_error(raw, labels, truth)
    assert loss_of(given, truth) < loss_of(raw, truth)


def test_the_label_has_the_highest_score():
    model, found, new, _ = fitted("svm", {"C": 8.0, "gamma": 2.0**-11}, 10, 0.45)
    labels, scores, kind = label(model, new)
    given, _ = model.class_scores(new)
    np.testing.assert_array_equal(labels, model.predict(new))
    assert np.mean(given.argmax(axis=1) != labels) > 0.02  # pairwise decisions determine the label
    np.testing.assert_array_equal(np.sort(scores), np.sort(given))
    for values in (scores, probabilities(scores, kind, found.inverse_temperature)):
        np.testing.assert_array_equal(values[np.arange(len(labels)), labels], values.max(axis=1))


def test_votes_of_few_neighbours_are_smoothed(monkeypatch):
    errors = []
    for smoothings in (calibration._SMOOTHINGS, calibration._SMOOTHINGS[:1]):
        monkeypatch.setattr(calibration, "_SMOOTHINGS", smoothings)
        model, found, new, truth = fitted("knn", {"n_neighbors": 5}, 10, 0.7)
        labels, scores, kind = label(model, new)
        given = probabilities(scores, kind, found.inverse_temperature, found.smoothing)
        errors.append(calibration_error(given, labels, truth))
    assert errors[0] < 0.6 * errors[1]


def test_too_few_clips_are_not_calibrated():
    X, y = (part[: MIN_CLIPS - 1] for part in draw(MIN_CLIPS, 4, 1.0, seed=1))
    found = calibrate(BACKENDS.create("knn"), {}, X, y, list(StratifiedKFold(3).split(X, y)))
    assert (found.n_clips, found.inverse_temperature) == (MIN_CLIPS - 1, None)


def test_perfect_scores_give_probabilities_below_one():
    X = np.repeat([[0.0], [1.0]], 40, axis=0)
    y = np.repeat([0, 1], 40)
    found = calibrate(BACKENDS.create("svm"), {}, X, y, list(StratifiedKFold(4).split(X, y)))
    model = BACKENDS.create("svm").fit(X, y)
    assert 0.9 < probabilities(*model.class_scores(X), found.inverse_temperature).max() < 1


def test_rows_read_in_batches_are_calibrated_as_an_array():
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    X = rng.standard_normal((150, 6)) + rng.standard_normal((3, 6))[y]
    splits, elm = list(StratifiedKFold(3).split(X, y)), BACKENDS.create("elm", n_hidden=20)
    plain = calibrate(elm, {}, X, y, splits)
    for given in (as_rows(X, memory=1), lambda split: X, lambda split: as_rows(X, memory=1)):
        found = calibrate(elm, {}, given, y, splits)
        assert found.n_clips == plain.n_clips == 150
        assert found.inverse_temperature == pytest.approx(plain.inverse_temperature)
