"""Fits of scikit-learn's logistic regression and SGD classifier to clips that are read in batches."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier

from .base import Array
from .linear_batches import fit_linear, logistic, multinomial
from .rows import Rows


def fit_logistic(estimator: LogisticRegression, X: Rows, y: Array) -> LogisticRegression:
    """Fit a logistic regression, and return it; it solves the same problem as `estimator.fit`, with the same solver.

    Args:
        estimator: Regression with an L2 penalty and the solver `lbfgs`.
        X: Embeddings.
        y: Labels, `(n_clips,)`.

    Raises:
        ValueError: There is only one class.
    """
    classes, codes, shown = _codes(y)
    found = fit_linear(
        X,
        lambda positions: (codes[positions, None] == shown).astype(np.float64),
        logistic if len(classes) == 2 else multinomial,
        len(shown),
        estimator.C,
        estimator.max_iter,
    )
    estimator.classes_, estimator.n_features_in_ = classes, X.shape[1]
    estimator.coef_, estimator.intercept_ = found.weights.T.copy(), found.intercepts.copy()
    estimator.n_iter_ = np.array([found.n_iterations], np.int32)
    return estimator


def fit_sgd(estimator: SGDClassifier, X: Rows, y: Array) -> SGDClassifier:
    """Fit a linear classifier by stochastic gradient descent over batches, and return it.

    Each epoch visits the clips in another random order, by blocks of consecutive rows, of which a batch holds a random
    set in random order. `estimator.fit` draws from all clips at once, and each class stops on its own. Here, all
    classes stop together, with the same rule: after epochs without a smaller mean hinge loss, which is computed from
    each batch before its update.

    Args:
        estimator: Classifier with hinge loss.
        X: Embeddings.
        y: Labels, `(n_clips,)`.

    Raises:
        ValueError: There is only one class.
    """
    classes, codes, shown = _codes(y)
    random = np.random.RandomState(estimator.random_state)
    best, n_without = np.inf, 0
    epoch = 0
    while n_without < estimator.n_iter_no_change and epoch < estimator.max_iter:
        epoch += 1
        loss = 0.0
        for positions, rows in X.shuffled(random):
            targets = np.where(codes[positions, None] == shown, 1.0, -1.0)
            outputs = estimator.decision_function(rows) if hasattr(estimator, "coef_") else np.zeros(len(rows))
            loss += float(np.maximum(1 - targets * outputs.reshape(len(rows), -1), 0).sum()) / len(shown)
            estimator.partial_fit(rows, y[positions], classes)
        n_without = n_without + 1 if loss > best - estimator.tol * len(X) else 0
        best = min(best, loss)
    if n_without < estimator.n_iter_no_change:
        warnings.warn(f"SGD did not converge in {epoch} epochs", ConvergenceWarning, stacklevel=2)
    estimator.n_iter_ = epoch
    return estimator


def _codes(y: Array) -> Any:
    """Return the classes of labels, the index of the class of each label, and the indices that have an output."""
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"all labels are of one class, {classes.tolist()[0]!r}; expected two classes or more")
    return classes, codes, np.arange(1, 2) if len(classes) == 2 else np.arange(len(classes))
