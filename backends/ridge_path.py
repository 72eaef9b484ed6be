"""Ridge regressions that differ only in their penalty, from one eigendecomposition, with exact leave-one-out errors.

With features X of n clips and p features, targets Y and penalty alpha, the weights are (X'X + alpha)^-1 X'Y. With fewer
features than clips, X'X = V L V' is decomposed, and otherwise XX' = Q L Q'. Each penalty then costs two products:
V (L + alpha)^-1 V'X'Y or X'Q (L + alpha)^-1 Q'Y. The error for a clip that is left out is e / (1 - h), with the error e
of a fit to all clips and the diagonal h of the matrix that maps Y to the fitted values (Rifkin & Lippert 2007, Notes on
Regularized Least Squares, MIT-CSAIL-TR-2007-025). An intercept, which is not penalised, centres X and Y and adds 1 / n
to h.
"""

from collections.abc import Iterable

import numpy as np

from .base import Array


class RidgePath:
    """Ridge regressions of the same targets for any number of penalties.

    Args:
        X: Features in float64, `(n_clips, n_features)`.
        targets: Targets in float64, `(n_clips, n_outputs)`.
        intercept: Whether to fit an intercept.
        products: Products of the features minus their means, if they are known: `(n_features, n_features)` of the
            features if there are fewer features than clips, and otherwise `(n_clips, n_clips)` of the clips. Without an
            intercept, no means are subtracted.

    Raises:
        ValueError: The products of the features overflow.

    Example:
        >>> import numpy as np
        >>> path = RidgePath(np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [2.0], [4.0]]))
        >>> [weights.item() for weights in path.solution(2.0)]  # half of the slope of 2
        [1.0, 1.0]
    """

    def __init__(self, X: Array, targets: Array, *, intercept: bool = True, products: Array | None = None) -> None:
        self._mean = X.mean(axis=0) if intercept else np.zeros(X.shape[1])
        self._level = targets.mean(axis=0) if intercept else np.zeros(targets.shape[1])
        self._X, self._targets = X - self._mean, targets - self._level
        self._share = 1 / len(X) if intercept else 0.0  # part of the intercept in h
        self._is_dual = is_dual(*X.shape)
        if products is None:
            with np.errstate(over="ignore", invalid="ignore"):  # reported below
                products = self._X @ self._X.T if self._is_dual else self._X.T @ self._X
        trace = float(np.trace(products))
        if not np.isfinite(trace):
            raise ValueError("the squares of the features overflow; expected features below 1e150")
        if self._is_dual and intercept:
            # Centred clips have the eigenvector (1, ..., 1) with eigenvalue 0. Make it the last one, and leave it out:
            # its share of 1 / alpha would cancel in the errors.
            products = products + ((2 * trace or 1.0) / len(X))
        values, self._vectors = np.linalg.eigh(products)
        if self._is_dual and intercept:
            values, self._vectors = values[:-1], self._vectors[:, :-1]
        self._values = np.maximum(values, 0)
        self._basis = self._vectors if self._is_dual else self._X @ self._vectors
        self._moments = self._basis.T @ self._targets

    def solution(self, alpha: float) -> tuple[Array, Array]:
        """Return the weights `(n_features, n_outputs)` and intercepts `(n_outputs,)` for a penalty above 0."""
        weights = self._vectors @ (self._moments / (self._values + alpha)[:, None])
        weights = self._X.T @ weights if self._is_dual else weights
        return weights, self._level - self._mean @ weights

    def leave_one_out_errors(self, alphas: Iterable[float]) -> Array:
        """Return the mean squared error, over clips and outputs, of predictions for clips that are left out of the fit.

        Args:
            alphas: Penalties above 0.

        Returns:
            Errors, `(n_alphas,)`.
        """
        squares = self._basis**2
        found = []
        for alpha in alphas:
            inverse = 1 / (self._values + alpha)
            fitted, diagonal = self._basis @ (self._moments * inverse[:, None]), squares @ inverse
            if self._is_dual:  # these are e / alpha and (1 - h) / alpha, free of cancellation
                errors = fitted / diagonal[:, None]
            else:
                kept = np.maximum(1 - self._share - diagonal, np.finfo(np.float64).eps)
                errors = (self._targets - fitted) / kept[:, None]
            found.append(np.mean(errors**2))
        return np.array(found)


def is_dual(n_clips: int, n_features: int) -> bool:
    """Return whether the products of clips are decomposed, rather than those of features."""
    return n_features >= n_clips
