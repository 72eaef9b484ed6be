"""Logistic regression and SGD from batches, as backends."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from untrained.backends.sklearn import KNN, SGD, Logistic
from untrained.backends.sklearn_batches import fit_sgd
from untrained.backends.standardized import Standardized


@pytest.mark.parametrize("n_classes", [2, 4])
def test_logistic_probabilities_equal_those_in_memory(n_classes, classes, as_rows):
    X, y = classes(300, n_classes=n_classes)
    names = np.array(["d", "b", "a", "c"])[y]
    plain, batches = Logistic(C=1.0).fit(X, names), Logistic(C=1.0).fit(as_rows(X), names)
    assert batches.classes_.tolist() == plain.classes_.tolist()
    np.testing.assert_allclose(batches.class_scores(X)[0], plain.class_scores(X)[0], atol=2e-3)
    np.testing.assert_array_equal(batches.predict(X), plain.predict(X))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_sgd_repeats_itself_and_scores_as_in_memory(n_classes, classes, as_rows):
    X, y = classes(600, n_classes=n_classes, distance=1.5)
    order = np.argsort(y, kind="stable")  # as in folders of classes
    X, y = X[order], y[order]
    plain = Standardized(SGD()).fit(X, y)
    found = [Standardized(SGD(seed=seed)).fit(as_rows(X, 2**19), y) for seed in (0, 0, 1)]
    coefficients = [each.backend_.estimator_.coef_ for each in found]
    np.testing.assert_array_equal(coefficients[0], coefficients[1])
    assert not np.array_equal(coefficients[0], coefficients[2])
    accuracies = [np.mean(each.predict(X) == y) for each in (found[0], plain)]
    assert accuracies[0] > accuracies[1] - 0.03


def test_sgd_reports_too_few_epochs(classes, as_rows):
    X, y = classes(100)
    with pytest.warns(ConvergenceWarning, match="did not converge in 2 epochs"):
        assert fit_sgd(SGDClassifier(max_iter=2, random_state=0), as_rows(X), y).n_iter_ == 2


def test_labels_of_one_class_are_refused(as_rows):
    X = np.zeros((4, 2))
    for backend in (Logistic(), SGD()):
        with pytest.raises(ValueError, match="all labels are of one class, 'a'"):
            backend.fit(as_rows(X), ["a"] * 4)


def test_other_backends_refuse_rows(as_rows):
    with pytest.raises(TypeError, match=r"call read\(\)"):
        KNN().fit(as_rows(np.zeros((4, 2))), [0, 1, 0, 1])
