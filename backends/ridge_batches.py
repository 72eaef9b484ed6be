"""Ridge regressions that differ only in their penalty, as in `ridge_path`, from sums over batches of clips."""

from collections.abc import Callable, Iterable

import numpy as np

from .base import Array
from .rows import Rows


class RidgeBatches:
    """Ridge regressions of the same targets for any number of penalties, with an intercept, equal to `RidgePath`.

    One pass over the clips sums the products of features and the moments. Leave-one-out errors take a second pass, with
    the diagonals of the fits from the eigendecomposition of these products.

    Args:
        X: Embeddings; more clips than features.
        targets: Function that returns the targets of clips with given positions, `(n, n_outputs)`.

    Raises:
        ValueError: The products of the features overflow.
    """

    def __init__(self, X: Rows, targets: Callable[[Array], Array]) -> None:
        n_clips, n_features = X.shape
        self._X, self._targets, self._n_outputs = X, targets, targets(np.zeros(1, np.int64)).shape[1]
        products, moments = np.zeros((n_features, n_features)), np.zeros((n_features, self._n_outputs))
        shift, sums, levels = None, np.zeros(n_features), np.zeros(self._n_outputs)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below
            for positions, rows in X.batches():
                shift = rows.mean(axis=0) if shift is None else shift  # large means would cancel
                centred, wanted = rows - shift, targets(positions)
                products += centred.T @ centred
                moments += centred.T @ wanted
                sums += centred.sum(axis=0)
                levels += wanted.sum(axis=0)
            means = sums / n_clips  # of what is left after the shift
            products -= n_clips * np.outer(means, means)
        if not np.isfinite(np.trace(products)):
            raise ValueError("the squares of the features overflow; expected features below 1e150")
        self._mean, self._level = np.asarray(shift) + means, levels / n_clips
        values, self._vectors = np.linalg.eigh(products)
        self._values = np.maximum(values, 0)
        self._moments = self._vectors.T @ (moments - n_clips * np.outer(means, self._level))

    def solution(self, alpha: float) -> tuple[Array, Array]:
        """Return the weights `(n_features, n_outputs)` and intercepts `(n_outputs,)` for a penalty above 0."""
        weights = self._vectors @ (self._moments / (self._values + alpha)[:, None])
        return weights, self._level - self._mean @ weights

    def leave_one_out_errors(self, alphas: Iterable[float]) -> Array:
        """Return the mean squared error, over clips and outputs, of predictions for clips that are left out of the fit.

        Args:
            alphas: Penalties above 0.

        Returns:
            Errors, `(n_alphas,)`.
        """
        inverses = [1 / (self._values + alpha) for alpha in alphas]
        solutions = [self._moments * inverse[:, None] for inverse in inverses]
        n_clips, totals = len(self._X), np.zeros(len(inverses))
        for positions, rows in self._X.batches(row_bytes=16 * self._X.shape[1] + 32 * self._n_outputs):
            basis, wanted = (rows - self._mean) @ self._vectors, self._targets(positions) - self._level
            squares = basis**2
            for number, (inverse, solution) in enumerate(zip(inverses, solutions, strict=True)):
                kept = np.maximum(1 - 1 / n_clips - squares @ inverse, np.finfo(np.float64).eps)
                totals[number] += np.sum(((wanted - basis @ solution) / kept[:, None]) ** 2)
        return np.asarray(totals / (n_clips * self._n_outputs))
