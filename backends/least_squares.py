"""Minimum-norm least squares for many splits and hidden sizes at once, from shared Gram matrices and moments."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import scipy.linalg

from .base import Array, Splits
from .normal_equations import Dual, Primal

_MAX_BYTES = 2**30  # maximum size of the Gram matrices that are kept at a time, and of the kernels, in bytes


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
    system: Primal | Dual
    if n_hidden <= n_clips:
        system = Primal(hidden.T @ hidden, hidden.T @ targets, (hidden != 0).any(axis=0), alpha)
        weights = system.solve(n_hidden)
    else:
        system = Dual(hidden @ hidden.T, alpha)
        solution = system.solve(targets)
        weights = None if solution is None else hidden.T @ solution
    return _solve_ill_conditioned(system, hidden, targets, alpha) if weights is None else weights


def _solve_ill_conditioned(system: Primal | Dual, hidden: Array, targets: Array, alpha: float) -> Array:
    """Return the weights of a system that is too close to singular to be solved directly."""
    weights = system.refine(hidden, targets)
    return by_singular_values(hidden, targets, alpha) if weights is None else weights


def by_singular_values(hidden: Array, targets: Array, alpha: float = 0.0) -> Array:
    """Return the same weights as `output_weights`, by singular value decomposition: slow, but accurate for any rank.

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
    """Return the same weights as `output_weights`, computed from the Gram matrix and moments.

    Args:
        gram: Gram matrix hidden.T @ hidden, `(n_hidden, n_hidden)`.
        moments: Moments hidden.T @ targets, `(n_hidden, n_classes)`.
        alpha: Strength of the ridge penalty, 0 or more.
    """
    weights = Primal(gram, moments, np.diag(gram) > 0, alpha).solve(len(gram))
    if weights is not None:
        return weights
    values, vectors = scipy.linalg.eigh(gram + alpha * np.eye(len(gram)))
    kept = values > np.finfo(np.float64).eps * len(gram) * values[-1]
    return np.asarray(vectors[:, kept] @ ((vectors[:, kept].T @ moments) / values[kept, None]))


def outputs_of_splits(
    hidden: Array, targets: Array, splits: Splits, sizes: Sequence[int], alpha: float = 0.0
) -> Iterator[list[Array]]:
    """Yield, for each split, the outputs for its held-out clips after a fit to its training clips at each hidden size.

    Args:
        hidden: Hidden layer of all clips at the largest size, `(n_clips, n_hidden)`; its first units form the
            smaller sizes.
        targets: Targets, `(n_clips, n_classes)`.
        splits: Pairs of the indices of training clips and of held-out clips.
        sizes: Numbers of hidden units.
        alpha: Strength of the ridge penalty, 0 or more.

    Yields:
        Outputs of each size for one split, `(n_held_out, n_classes)` each.
    """
    ascending = sorted(set(sizes))
    largest_train = max(len(train) for train, _ in splits)
    primal_size = max((size for size in ascending if size <= largest_train), default=0)
    sums = sums_of_train(hidden[:, :primal_size], targets, [train for train, _ in splits])
    dual_sizes = [size for size in ascending if size > min(len(train) for train, _ in splits)]
    fits = 8 * len(dual_sizes) * len(hidden) ** 2 <= _MAX_BYTES
    kept = list(_kernels(hidden, dual_sizes)) if fits else None
    for (train, test), (gram, moments, alive) in zip(splits, sums, strict=True):
        found: dict[int, Array] = {}
        primal = Primal(gram, moments, alive, alpha)
        for size in reversed(ascending[: bisect_right(ascending, len(train))]):
            weights = primal.solve(size)
            if weights is None:
                weights = _solve_ill_conditioned(primal, hidden[train, :size], targets[train], alpha)
            found[size] = hidden[test, :size] @ weights
        for size, kernel in zip(dual_sizes, _kernels(hidden, dual_sizes) if kept is None else kept, strict=True):
            if size in found:
                continue
            dual = Dual(kernel.take(train, 0).take(train, 1), alpha)
            solution = dual.solve(targets[train])
            if solution is None:
                weights = _solve_ill_conditioned(dual, hidden[train, :size], targets[train], alpha)
                found[size] = hidden[test, :size] @ weights
            else:
                found[size] = kernel.take(test, 0).take(train, 1) @ solution
        yield [found[size] for size in sizes]


def _kernels(hidden: Array, sizes: Sequence[int]) -> Iterator[Array]:
    """Yield the kernel of all clips, `(n_clips, n_clips)`, for each of the ascending sizes; each adds its new units."""
    kernel: Array | float = 0.0  # without sizes, no memory is needed
    for start, size in pairwise([0, *sizes]):
        added = hidden[:, start:size]
        kernel = kernel + added @ added.T
        yield np.asarray(kernel)


def sums_of_train(hidden: Array, targets: Array, trains: Sequence[Array]) -> Iterator[tuple[Array, Array, Array]]:
    """Yield the Gram matrix and moments of each training set, and a mask of units that are not zero on all its clips.

    Clips that belong to the same training sets are summed only once, so that all folds together cost as much as a
    single sum over all clips.
    """
    n_clips, n_hidden = hidden.shape
    belongs = np.zeros((n_clips, len(trains)), bool)
    for column, train in enumerate(trains):
        belongs[train, column] = True
    parts, part_of = np.unique(belongs, axis=0, return_inverse=True)
    if 8 * len(parts) * n_hidden**2 > _MAX_BYTES:
        for train in trains:
            yield _sums(hidden[train], targets[train])
        return
    sums = [_sums(hidden[part_of == part], targets[part_of == part]) for part in range(len(parts))]
    for column in range(len(trains)):
        # Add the parts instead of subtracting from the total: a difference has rounding errors where zeros belong.
        gram, moments = np.zeros((n_hidden, n_hidden)), np.zeros((n_hidden, targets.shape[1]))
        alive = np.zeros(n_hidden, bool)
        for part in np.flatnonzero(parts[:, column]):
            gram += sums[part][0]
            moments += sums[part][1]
            alive |= sums[part][2]
        yield gram, moments, alive


def _sums(hidden: Array, targets: Array) -> tuple[Array, Array, Array]:
    return hidden.T @ hidden, hidden.T @ targets, (hidden != 0).any(axis=0)
