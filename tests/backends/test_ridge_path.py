import numpy as np
import pytest
from untrained.backends.ridge_path import RidgePath, is_dual

ALPHAS = [1e-3, 1.0, 100.0]
SHAPES = [(30, 4), (30, 29), (30, 30), (12, 50)]


def made(n_clips, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = 5 + rng.standard_normal((n_clips, n_features)) * 10.0 ** rng.uniform(-1, 1, n_features)
    X[:, 2] = 7.0  # constant
    X[1] = X[0]  # linearly dependent clips
    return X, np.where(rng.random((n_clips, 3)) < 0.4, 1.0, -1.0)


def solved(X, targets, alpha, intercept):
    """Return weights and intercepts of the explicit system of equations, whose last unknown has no penalty."""
    columns = np.c_[X, np.ones(len(X))] if intercept else X
    penalty = alpha * np.eye(columns.shape[1])
    if intercept:
        penalty[-1, -1] = 0
    found = np.linalg.solve(columns.T @ columns + penalty, columns.T @ targets)
    return (found[:-1], found[-1]) if intercept else (found, np.zeros(targets.shape[1]))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_solutions_equal_the_explicit_system(shape, intercept):
    X, targets = made(*shape)
    path = RidgePath(X, targets, intercept=intercept)
    for alpha in ALPHAS:
        for found, expected in zip(path.solution(alpha), solved(X, targets, alpha, intercept), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_errors_equal_fits_without_each_clip(shape, intercept):
    X, targets = made(*shape)
    expected = []
    for alpha in ALPHAS:
        errors = []
        for left_out in range(len(X)):
            kept = np.arange(len(X)) != left_out
            weights, level = solved(X[kept], targets[kept], alpha, intercept)
            errors.append(targets[left_out] - X[left_out] @ weights - level)
        expected.append(np.mean(np.square(errors)))
    found = RidgePath(X, targets, intercept=intercept).leave_one_out_errors(ALPHAS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_products_that_are_known_are_used():
    for shape in SHAPES:
        X, targets = made(*shape)
        centred = X - X.mean(axis=0)
        products = centred @ centred.T if is_dual(*shape) else centred.T @ centred
        doubled, plain = RidgePath(X, targets, products=4 * products), RidgePath(2 * X, targets)
        # The products are those of doubled features, and the features are not: only the eigenvalues are the same.
        np.testing.assert_allclose(doubled._values, plain._values, rtol=1e-9, atol=1e-9 * plain._values.max())
        given = RidgePath(X, targets, products=products)
        np.testing.assert_allclose(given.solution(1.0)[0], RidgePath(X, targets).solution(1.0)[0], atol=1e-12)


def test_features_without_information_give_the_mean():
    targets = np.array([[1.0], [-1.0], [-1.0], [-1.0]])
    for n_features in (2, 9):
        path = RidgePath(np.full((4, n_features), 3.0), targets)
        weights, level = path.solution(1e-3)
        np.testing.assert_allclose(weights, 0, atol=1e-12)
        np.testing.assert_allclose(level, [-0.5])
        (error,) = path.leave_one_out_errors([1e-3])
        np.testing.assert_allclose(error, np.mean([2.0**2, *3 * [(2 / 3) ** 2]]))


def test_features_that_overflow_are_refused():
    with pytest.raises(ValueError, match="the squares of the features overflow; expected features below 1e150"):
        RidgePath(np.array([[1e200], [-1e200], [0.0]]), np.ones((3, 1)))
