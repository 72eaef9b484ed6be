"""Minimum-norm least squares with shared work: nested sizes from one factor, folds from sums of their parts."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dpocon

from .base import Array, Splits

# A Gram matrix squares the condition number: if its spectrum spans more than this, singular values are used instead.
_WIDEST = 1e7
_MOST_BYTES = 2**30  # limit of the Gram matrices that are kept at a time


def output_weights(hidden: Array, targets: Array, alpha: float = 0.0) -> Array:
    """Return minimum-norm least-squares weights, equal to pinv(hidden) @ targets; with `alpha`, ridge regression.

    Args:
        hidden: Hidden layer, `(n_clips, n_hidden)`.
        targets: Targets, `(n_clips, n_classes)`.
        alpha: Strength of the ridge penalty, 0 or more.

    Returns:
        Output weights, `(n_hidden, n_classes)`.
    """
    n_clips, n_hidden = hidden.shape
    weights = None
    if n_hidden <= n_clips:
        primal = _Primal(hidden.T @ hidden, hidden.T @ targets, (hidden != 0).any(axis=0), alpha)
        weights = primal.solve(n_hidden)
    else:
        solution = _solve(hidden @ hidden.T + alpha * np.eye(n_clips), targets)
        weights = None if solution is None else hidden.T @ solution
    return by_singular_values(hidden, targets, alpha) if weights is None else weights


def by_singular_values(hidden: Array, targets: Array, alpha: float = 0.0) -> Array:
    """Return the same weights as `output_weights` by singular values, for a hidden layer of any rank; the slowest way.

    Args:
        hidden: Hidden layer, `(n_clips, n_hidden)`.
        targets: Targets, `(n_clips, n_classes)`.
        alpha: Strength of the ridge penalty, 0 or more.
    """
    if alpha:
        hidden = np.concatenate([hidden, np.sqrt(alpha) * np.eye(hidden.shape[1])])
        targets = np.concatenate([targets, np.zeros((hidden.shape[1], targets.shape[1]))])
    cutoff = np.finfo(np.float64).eps * max(hidden.shape)
    return np.asarray(scipy.linalg.lstsq(hidden, targets, cond=cutoff)[0])


def from_sums(gram: Array, moments: Array, alpha: float = 0.0) -> Array:
    """Return the same weights as `output_weights` from sums over clips that are no longer available.

    Args:
        gram: Gram matrix hidden.T @ hidden, `(n_hidden, n_hidden)`.
        moments: Moments hidden.T @ targets, `(n_hidden, n_classes)`.
        alpha: Strength of the ridge penalty, 0 or more.
    """
    weights = _Primal(gram, moments, np.diag(gram) > 0, alpha).solve(len(gram))
    if weights is not None:
        return weights
    values, vectors = scipy.linalg.eigh(gram + alpha * np.eye(len(gram)))
    kept = values > np.finfo(np.float64).eps * len(gram) * values[-1]
    return np.asarray(vectors[:, kept] @ ((vectors[:, kept].T @ moments) / values[kept, None]))


def outputs_of_splits(
    hidden: Array, targets: Array, splits: Splits, sizes: Sequence[int], alpha: float = 0.0
) -> Iterator[list[Array]]:
    """Yield the outputs for the test clips of every split, fitted to its train clips, for every number of hidden units.

    Args:
        hidden: Hidden layer of all clips at the largest size, `(n_clips, n_hidden)`; its first units form the
            smaller sizes.
        targets: Targets, `(n_clips, n_classes)`.
        splits: Pairs of indices of train and test clips.
        sizes: Numbers of hidden units.
        alpha: Strength of the ridge penalty, 0 or more.

    Yields:
        Outputs of each size for one split, `(n_test, n_classes)` each.
    """
    largest_train = max(len(train) for train, _ in splits)
    primal_size = max((size for size in sizes if size <= largest_train), default=0)
    sums = _sums_of_train(hidden[:, :primal_size], targets, [train for train, _ in splits])
    kernels = {size: hidden[:, :size] @ hidden[:, :size].T for size in sizes if size > min(len(t) for t, _ in splits)}
    for (train, test), (gram, moments, alive) in zip(splits, sums, strict=True):
        primal = _Primal(gram, moments, alive, alpha)
        found: dict[int, Array] = {}
        for size in sorted(set(sizes), reverse=True):
            outputs: Array | None
            if size <= len(train):
                weights = primal.solve(size)
                outputs = None if weights is None else hidden[test, :size] @ weights
            else:
                kernel = kernels[size]
                solution = _solve(kernel[np.ix_(train, train)] + alpha * np.eye(len(train)), targets[train])
                outputs = None if solution is None else kernel[np.ix_(test, train)] @ solution
            if outputs is None:
                outputs = hidden[test, :size] @ by_singular_values(hidden[train, :size], targets[train], alpha)
            found[size] = outputs
        yield [found[size] for size in sizes]


class _Primal:
    """Solutions of the normal equations for any number of leading units, from one Cholesky factor of the largest.

    Args:
        gram: Gram matrix hidden.T @ hidden, `(n_hidden, n_hidden)`.
        moments: Moments hidden.T @ targets, `(n_hidden, n_classes)`.
        alive: Mask of the units that are not zero on every clip, `(n_hidden,)`.
        alpha: Strength of the ridge penalty, 0 or more.
    """

    def __init__(self, gram: Array, moments: Array, alive: Array, alpha: float) -> None:
        self._alive = np.flatnonzero(alive)
        self._n_classes = moments.shape[1]
        # Units are scaled, since very different scales would make the matrix look singular.
        self._scale = np.sqrt(np.diag(gram)[self._alive] + alpha)
        self._gram = gram[np.ix_(self._alive, self._alive)]
        self._gram.flat[:: len(self._alive) + 1] += alpha
        self._gram /= self._scale
        self._gram /= self._scale[:, None]
        self._moments = moments[self._alive] / self._scale[:, None]
        self._factor: Array | None = None
        self._n_sound = 0  # number of leading units that are known to be far from singular

    def solve(self, size: int) -> Array | None:
        """Return the weights of the first units, `(size, n_classes)`; None if the matrix is nearly singular."""
        n = int(np.searchsorted(self._alive, size))
        weights = np.zeros((size, self._n_classes))
        if n == 0:
            return weights
        if self._factor is None or len(self._factor) < n:
            try:
                self._factor = scipy.linalg.cholesky(self._gram[:n, :n], lower=True, check_finite=False)
            except scipy.linalg.LinAlgError:
                return None
        factor = self._factor[:n, :n]
        # The spectrum of leading units lies within that of more units.
        if n > self._n_sound and _spans_too_much(factor, self._gram[:n, :n]):
            return None
        self._n_sound = max(n, self._n_sound)
        solution = scipy.linalg.cho_solve((factor, True), self._moments[:n], check_finite=False)
        weights[self._alive[:n]] = solution / self._scale[:n, None]
        return weights


def _solve(matrix: Array, targets: Array) -> Array | None:
    """Return the solution for a positive definite matrix; None if it is nearly singular."""
    try:
        factor = scipy.linalg.cholesky(matrix, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    if _spans_too_much(factor, matrix):
        return None
    return np.asarray(scipy.linalg.cho_solve((factor, True), targets, check_finite=False))


def _spans_too_much(factor: Array, matrix: Array) -> bool:
    reciprocal, _ = dpocon(factor, scipy.linalg.norm(matrix, 1, check_finite=False), uplo="L")
    return bool(reciprocal * _WIDEST < 1)


def _sums_of_train(hidden: Array, targets: Array, trains: Sequence[Array]) -> Iterator[tuple[Array, Array, Array]]:
    """Yield the Gram matrix and the moments of each train set, and which units are not zero on all of it.

    Clips that belong to the same train sets are summed once, so that folds cost no more than all clips together.
    """
    n_clips, n_hidden = hidden.shape
    belongs = np.zeros((n_clips, len(trains)), bool)
    for column, train in enumerate(trains):
        belongs[train, column] = True
    parts, part_of = np.unique(belongs, axis=0, return_inverse=True)
    if 8 * len(parts) * n_hidden**2 > _MOST_BYTES:
        for train in trains:
            yield _sums(hidden[train], targets[train])
        return
    sums = [_sums(hidden[part_of == part], targets[part_of == part]) for part in range(len(parts))]
    for column in range(len(trains)):
        # Sums are added, not subtracted from the total: a difference leaves rounding errors instead of zeros.
        gram, moments = np.zeros((n_hidden, n_hidden)), np.zeros((n_hidden, targets.shape[1]))
        alive = np.zeros(n_hidden, bool)
        for part in np.flatnonzero(parts[:, column]):
            gram += sums[part][0]
            moments += sums[part][1]
            alive |= sums[part][2]
        yield gram, moments, alive


def _sums(hidden: Array, targets: Array) -> tuple[Array, Array, Array]:
    return hidden.T @ hidden, hidden.T @ targets, (hidden != 0).any(axis=0)
