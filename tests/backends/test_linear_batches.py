"""Linear classifiers from batches are those of scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from untrained.backends.linear_batches import fit_linear, logistic, multinomial, squared_hinge


@pytest.fixture(scope="module")
def problem(classes):
    X, y = classes(200, 6, 3)
    return X * 10.0 ** np.arange(-2, 4) + 100, y  # far from whitened


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_equals_that_of_scikit_learn(n_classes, C, problem, as_rows):
    X, y = problem
    y = np.minimum(y, n_classes - 1)
    shown = np.arange(3) if n_classes == 3 else np.array([1])
    loss = multinomial if n_classes == 3 else logistic
    found = fit_linear(as_rows(X), lambda p: (y[p, None] == shown) * 1.0, loss, len(shown), C, 100)
    theirs = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(X, y)
    outputs = X @ found.weights + found.intercepts
    expected = X @ theirs.coef_.T + theirs.intercept_
    if n_classes == 3:  # a constant may be added to all classes
        outputs, expected = (each - each.mean(axis=1, keepdims=True) for each in (outputs, expected))
    np.testing.assert_allclose(outputs, expected, atol=2e-3 * np.abs(expected).max())
    assert found.n_iterations < 60  # each is a pass over the clips


def test_squared_hinge_equals_liblinear(problem, as_rows):
    X, y = problem
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    targets = np.where(y[:, None] == np.arange(3), 1.0, -1.0)
    found = fit_linear(as_rows(X), targets.__getitem__, squared_hinge, 3, 0.5, 100)
    # liblinear penalises the intercept; a large scale makes the penalty small.
    theirs = LinearSVC(C=0.5, dual=False, tol=1e-10, intercept_scaling=1000, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(found.weights.T, theirs.coef_, atol=1e-3)
    np.testing.assert_allclose(found.intercepts, theirs.intercept_, atol=1e-3)


def test_too_few_iterations_are_reported(problem, as_rows):
    X, y = problem
    with pytest.warns(ConvergenceWarning, match="did not converge after 1 iterations"):
        fit_linear(as_rows(X), lambda p: (y[p, None] == np.arange(3)) * 1.0, multinomial, 3, 1.0, 1)


def test_a_constant_feature_changes_nothing(problem, as_rows):
    X, y = problem
    constant = np.concatenate([X, np.full((len(X), 1), 3.0)], axis=1)
    with warnings.catch_warnings(action="error"):
        plain, more = (
            fit_linear(as_rows(each), lambda p: (y[p, None] == np.arange(3)) * 1.0, multinomial, 3, 1.0, 100)
            for each in (X, constant)
        )
    np.testing.assert_allclose(
        plain.weights / X.std(axis=0)[:, None], more.weights[:-1] / X.std(axis=0)[:, None], atol=0.01
    )
