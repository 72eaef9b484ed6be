"""Linear classifiers with an L2 penalty, by L-BFGS with losses and gradients that are summed over batches.

The objective is mean(loss) + |W|^2 / (2 C n), with an intercept that is not penalised, as in scikit-learn's
`LogisticRegression`. Each evaluation of the objective is a pass over the clips, so few should suffice: L-BFGS searches
in coordinates in which the features are nearly uncorrelated and of unit size, given by the Cholesky factor of their
second moments plus the penalty.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.exceptions import ConvergenceWarning

from .base import Array
from .rows import Rows

Loss = Callable[[Array, Array], tuple[float, Array]]
"""From targets and outputs `(n, n_outputs)`: the sum of the losses, and its derivative by the outputs."""
TOLERANCE = 1e-6  # of the largest element of the gradient
JITTER = 1e-10  # relative to the largest second moment, so that constant features have a Cholesky factor


class Linear(NamedTuple):
    """A fitted linear classifier.

    Args:
        weights: Weights, `(n_features, n_outputs)`.
        intercepts: Intercepts, `(n_outputs,)`.
        n_iterations: Number of iterations.
    """

    weights: Array
    intercepts: Array
    n_iterations: int


def second_moments(X: Rows) -> Array:
    """Return the mean products of the features and a constant 1, `(n_features + 1, n_features + 1)`."""
    found = np.zeros((X.shape[1] + 1, X.shape[1] + 1))
    for _, rows in X.batches(row_bytes=8 * X.shape[1]):
        extended = np.column_stack([rows, np.ones(len(rows))])
        found += extended.T @ extended
    return found / len(X)


def fit_linear(
    X: Rows,
    targets: Callable[[Array], Array],
    loss: Loss,
    n_outputs: int,
    C: float,
    max_iter: int,
    moments: Array | None = None,
) -> Linear:
    """Fit a linear classifier.

    Args:
        X: Embeddings.
        targets: Function that returns the targets of clips with given positions, `(n, n_outputs)`.
        loss: `logistic`, `multinomial` or `squared_hinge`.
        n_outputs: Number of outputs: one for two classes, and otherwise one for each class.
        C: Inverse strength of the penalty.
        max_iter: Maximum number of iterations; a `ConvergenceWarning` says that they did not suffice.
        moments: Result of `second_moments`, if it is known.
    """
    n_clips, n_features = X.shape
    system = second_moments(X) if moments is None else moments.copy()
    penalties = np.append(np.full(n_features, 1 / (C * n_clips)), 0)
    system.flat[:: n_features + 2] += penalties + JITTER * np.diag(system).max()
    factor = cholesky(system, lower=True)

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = solve_triangular(factor, flat.reshape(-1, n_outputs), trans="T", lower=True)
        weights = parameters[:-1]
        total, gradient = 0.0, np.zeros_like(parameters)
        for positions, rows in X.batches(row_bytes=4 * 8 * n_outputs):
            found, slopes = loss(targets(positions), rows @ weights + parameters[-1])
            total += found
            gradient[:-1] += rows.T @ slopes
            gradient[-1] += slopes.sum(axis=0)
        gradient /= n_clips
        gradient[:-1] += weights / (C * n_clips)
        return total / n_clips + float(np.sum(weights**2)) / (2 * C * n_clips), solve_triangular(
            factor, gradient, lower=True
        ).ravel()

    limits = {"maxiter": max_iter, "maxls": 50, "gtol": TOLERANCE, "ftol": 64 * np.finfo(np.float64).eps}
    found = minimize(objective, np.zeros((n_features + 1) * n_outputs), jac=True, method="L-BFGS-B", options=limits)
    if found.status != 0:
        warnings.warn(
            f"L-BFGS did not converge after {found.nit} iterations ({found.message})", ConvergenceWarning, stacklevel=2
        )
    parameters = solve_triangular(factor, found.x.reshape(-1, n_outputs), trans="T", lower=True)
    return Linear(parameters[:-1], parameters[-1], int(found.nit))


def multinomial(targets: Array, outputs: Array) -> tuple[float, Array]:
    """Return the log loss of a softmax, for targets of 1 for the class of each clip and 0 for the others."""
    logs = log_softmax(outputs, axis=1)
    return -float(np.sum(targets * logs)), np.exp(logs) - targets


def logistic(targets: Array, outputs: Array) -> tuple[float, Array]:
    """Return the log loss of two classes, for targets of 1 for the second class and 0 for the first."""
    return float(np.sum(np.logaddexp(0, outputs) - targets * outputs)), expit(outputs) - targets


def squared_hinge(targets: Array, outputs: Array) -> tuple[float, Array]:
    """Return the squared hinge loss of each class against the rest, for targets of +1 and -1."""
    missing = np.maximum(1 - targets * outputs, 0)
    return float(np.sum(missing**2)), -2 * targets * missing
