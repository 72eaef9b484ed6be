"""Least squares by Cholesky factorisation of the normal equations, with corrections if they are ill-conditioned.

The condition number of a Gram matrix is the square of that of the hidden layer. Up to `_DIRECT`, the solution is used
as it is. Up to `_REFINED`, it is corrected with the residual of the hidden layer itself ("corrected semi-normal
equations", Björck 1987, Linear Algebra and its Applications 88/89), which costs two products with the hidden layer per
step. Above `_REFINED`, or if the corrections do not become small, the methods return None, and the caller must use a
singular value decomposition.
"""

from collections.abc import Callable

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dpocon, dpotrf, dpotrs

from .base import Array

# Limits of the condition number in the 1-norm. A singular matrix may pass the Cholesky factorisation, but its last
# pivots are rounding errors then, and its condition number is 1e15 or more.
_DIRECT = 1e7
_REFINED = 1e13
_SMALL = 1e-9  # relative size of the last correction
_MAX_STEPS = 5


class Primal:
    """Normal equations for n_hidden <= n_clips. One Cholesky factor solves every subproblem of the first k units.

    Args:
        gram: Gram matrix hidden.T @ hidden, `(n_hidden, n_hidden)`.
        moments: Moments hidden.T @ targets, `(n_hidden, n_classes)`.
        alive: Mask of the units that are not zero on every clip, `(n_hidden,)`.
        alpha: Strength of the ridge penalty, 0 or more.
    """

    def __init__(self, gram: Array, moments: Array, alive: Array, alpha: float) -> None:
        self._alpha = alpha
        self._alive = np.flatnonzero(alive)
        self._n_classes = moments.shape[1]
        # Scale the units, since very different scales would make the matrix look singular.
        self._scale = np.sqrt(np.diag(gram)[self._alive] + alpha)
        self._gram = gram[np.ix_(self._alive, self._alive)]
        self._gram.flat[:: len(self._alive) + 1] += alpha
        self._gram /= self._scale
        self._gram /= self._scale[:, None]
        self._moments = moments[self._alive] / self._scale[:, None]
        self._factor: Array | None = None
        self._n_sound = 0  # number of leading units that are known to need no correction

    def solve(self, size: int) -> Array | None:
        """Return the weights of the first `size` units, `(size, n_classes)`, or None if they need corrections."""
        n = int(np.searchsorted(self._alive, size))
        weights = np.zeros((size, self._n_classes))
        if n == 0:
            return weights
        factor = self._leading_factor(n)
        # By eigenvalue interlacing, fewer leading units are at least as well conditioned.
        if factor is None or (n > self._n_sound and _condition(factor, self._gram[:n, :n]) > _DIRECT):
            return None
        self._n_sound = max(n, self._n_sound)
        weights[self._alive[:n]] = dpotrs(factor, self._moments[:n], lower=True)[0] / self._scale[:n, None]
        return weights

    def refine(self, hidden: Array, targets: Array) -> Array | None:
        """Return the corrected weights of the first units, `(size, n_classes)`, or None if corrections do not suffice.

        Args:
            hidden: Hidden layer of the training clips, `(n_clips, size)`.
            targets: Targets, `(n_clips, n_classes)`.
        """
        n = int(np.searchsorted(self._alive, hidden.shape[1]))
        factor = self._leading_factor(n)
        if factor is None or _condition(factor, self._gram[:n, :n]) > _REFINED:
            return None
        units = hidden[:, self._alive[:n]] / self._scale[:n]
        ridge = self._alpha / self._scale[:n, None] ** 2

        def correction(weights: Array) -> Array:
            gradient = units.T @ (targets - units @ weights) - ridge * weights
            return np.asarray(dpotrs(factor, gradient, lower=True)[0])

        scaled = _refined(correction, np.zeros((n, self._n_classes)))
        if scaled is None:
            return None
        weights = np.zeros((hidden.shape[1], self._n_classes))
        weights[self._alive[:n]] = scaled / self._scale[:n, None]
        return weights

    def _leading_factor(self, n: int) -> Array | None:
        if self._factor is None or len(self._factor) < n:
            self._factor = _lower_factor(self._gram[:n, :n])
        return None if self._factor is None else self._factor[:n, :n]


class Dual:
    """Normal equations for n_hidden > n_clips.

    Args:
        kernel: Inner products hidden @ hidden.T of the training clips, `(n_clips, n_clips)`; changed in place.
        alpha: Strength of the ridge penalty, 0 or more.
    """

    def __init__(self, kernel: Array, alpha: float) -> None:
        kernel.flat[:: len(kernel) + 1] += alpha
        self._alpha = alpha
        self._factor = _lower_factor(kernel)
        self._condition = np.inf if self._factor is None else _condition(self._factor, kernel)

    def solve(self, targets: Array) -> Array | None:
        """Return the weights of the clips, `(n_clips, n_classes)`, or None if they need corrections.

        The weights of the units are hidden.T @ (weights of the clips).
        """
        if self._condition > _DIRECT:
            return None
        return np.asarray(dpotrs(self._factor, targets, lower=True)[0])

    def refine(self, hidden: Array, targets: Array) -> Array | None:
        """Return the corrected weights of the units, `(n_hidden, n_classes)`, or None if corrections do not suffice.

        Args:
            hidden: Hidden layer of the training clips, `(n_clips, n_hidden)`.
            targets: Targets, `(n_clips, n_classes)`.
        """
        if self._condition > _REFINED:
            return None
        of_clips = np.zeros(targets.shape)

        def correction(weights: Array) -> Array:
            nonlocal of_clips
            missing = targets - hidden @ weights - self._alpha * of_clips
            step = dpotrs(self._factor, missing, lower=True)[0]
            of_clips = of_clips + step
            return np.asarray(hidden.T @ step)

        return _refined(correction, np.zeros((hidden.shape[1], targets.shape[1])))


def _refined(correction: Callable[[Array], Array], weights: Array) -> Array | None:
    """Add corrections to the weights until the corrections are small; return None if they do not become small."""
    for _ in range(1 + _MAX_STEPS):
        step = correction(weights)
        weights = weights + step
        if np.linalg.norm(step) <= _SMALL * np.linalg.norm(weights):
            return weights
    return None


def _lower_factor(matrix: Array) -> Array | None:
    """Return the lower Cholesky factor, with arbitrary values above its diagonal, or None if it does not exist."""
    factor, failed = dpotrf(matrix.T, lower=True, clean=False)  # transposed, the order of LAPACK
    return None if failed else np.asarray(factor)


def _condition(factor: Array, matrix: Array) -> float:
    reciprocal, _ = dpocon(factor, scipy.linalg.norm(matrix, 1, check_finite=False), uplo="L")
    return float(1 / reciprocal) if reciprocal else np.inf
