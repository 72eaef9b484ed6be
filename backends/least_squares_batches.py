"""Minimum-norm least squares for many splits and hidden sizes, from sums over batches of clips.

The Gram matrices and moments are summed over parts of the data, as in `least_squares`, but the hidden layer exists only
for one batch at a time. Systems that are too close to singular for a Cholesky factor are solved by a QR decomposition
that takes in one batch after another ("TSQR", Demmel et al. 2012, SIAM Journal on Scientific Computing 34). Its
triangle has the singular values of the whole hidden layer, and its leading columns serve the smaller sizes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dsyrk

from .base import Array
from .normal_equations import Primal
from .rows import Rows

SUMS_SHARE = 2  # part of the memory of a fit that the sums of all parts may take: a half


class Layer(NamedTuple):
    """Hidden layer and targets of clips.

    Args:
        hidden: Function that returns the hidden layer of embeddings at the largest size, `(n_clips, n_hidden)`.
        targets: Function that returns the targets of clips with given positions, `(n_clips, n_classes)`.
        n_hidden: Number of hidden units at the largest size.
        n_classes: Number of classes.
    """

    hidden: Callable[[Array], Array]
    targets: Callable[[Array], Array]
    n_hidden: int
    n_classes: int

    def batches(self, X: Rows, indices: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the indices of some clips, their hidden layer and their targets."""
        for positions, rows in X[indices].batches(row_bytes=3 * 8 * self.n_hidden):
            chosen = indices[positions]
            yield chosen, self.hidden(rows), self.targets(chosen)


def weights_of_splits(
    X: Rows, layer: Layer, trains: Sequence[Array], sizes: Sequence[int], alpha: float = 0.0
) -> Iterator[list[Array]]:
    """Yield the output weights of each training set at each hidden size, equal to `least_squares.output_weights`.

    As many training sets share a pass over the clips as have sums that fit into half of the memory of the fit.

    Args:
        X: Embeddings of all clips.
        layer: Hidden layer and targets of the clips.
        trains: Indices of the clips of each training set.
        sizes: Numbers of hidden units; the first units of the layer form the smaller sizes.
        alpha: Strength of the ridge penalty, 0 or more.

    Yields:
        For each training set, weights `(size, n_classes)` of each size.
    """
    start = 0
    while start < len(trains):
        stop = _n_together(len(X), trains[start:], layer, X.memory // SUMS_SHARE) + start
        for train, system in zip(trains[start:stop], _systems(X, layer, trains[start:stop], alpha), strict=True):
            yield _solved(X, layer, train, system, sizes, alpha)
        start = stop


def _solved(X: Rows, layer: Layer, train: Array, system: Primal, sizes: Sequence[int], alpha: float) -> list[Array]:
    found: dict[int, Array] = {}
    triangle: tuple[Array, Array] | None = None
    for size in sorted(set(sizes), reverse=True):
        weights = system.solve(size) if size <= len(train) else None
        if weights is None:
            triangle = _triangle(X, layer, train, alpha) if triangle is None else triangle
            n = min(size, len(triangle[0]))
            cutoff = np.finfo(np.float64).eps * max(len(train), size)
            weights = scipy.linalg.lstsq(triangle[0][:n, :size], triangle[1][:n], cond=cutoff)[0]
        found[size] = np.asarray(weights)
    return [found[size] for size in sizes]


def _n_together(n_clips: int, trains: Sequence[Array], layer: Layer, memory: int) -> int:
    """Return how many of the training sets, from the first, have parts whose sums fit into the memory; at least one."""
    part_of = np.zeros(n_clips, np.int64)
    for number, train in enumerate(trains):
        belongs = np.zeros(n_clips, bool)
        belongs[train] = True
        part_of = np.unique(2 * part_of + belongs, return_inverse=True)[1]
        if number and (part_of.max() + 1) * 8 * layer.n_hidden**2 > memory:
            return number
    return len(trains)


def _systems(X: Rows, layer: Layer, trains: Sequence[Array], alpha: float) -> Iterator[Primal]:
    """Yield the normal equations of each training set, from one pass over the clips of all of them."""
    belongs = np.zeros((len(X), len(trains)), bool)
    for column, train in enumerate(trains):
        belongs[train, column] = True
    parts, part_of = np.unique(belongs, axis=0, return_inverse=True)
    # Lower triangles, in the memory order of BLAS.
    grams = {part: np.zeros((layer.n_hidden, layer.n_hidden), order="F") for part in np.flatnonzero(parts.any(axis=1))}
    moments = {part: np.zeros((layer.n_hidden, layer.n_classes)) for part in grams}
    for indices, hidden, targets in layer.batches(X, np.flatnonzero(belongs.any(axis=1))):
        for part in np.unique(part_of[indices]):
            inside = part_of[indices] == part
            units, wanted = (hidden, targets) if inside.all() else (hidden[inside], targets[inside])
            dsyrk(1.0, units.T, beta=1.0, c=grams[part], overwrite_c=True, lower=True)
            moments[part] += units.T @ wanted
    for column in range(len(trains)):
        mine = np.flatnonzero(parts[:, column])
        gram = grams[mine[0]].copy(order="F")
        for part in mine[1:]:
            gram += grams[part]
        gram += np.tril(gram, -1).T
        yield Primal(gram, sum(moments[part] for part in mine), np.diag(gram) > 0, alpha)  # type: ignore[arg-type]


def _triangle(X: Rows, layer: Layer, train: Array, alpha: float) -> tuple[Array, Array]:
    """Return R of the QR decomposition of a hidden layer, and Q' times the targets; with `alpha`, of the ridge system.

    Returns:
        R `(n, n_hidden)` and Q'Y `(n, n_classes)`, with n the smaller of the numbers of clips and hidden units.
    """
    wide = layer.n_hidden + layer.n_classes
    found = np.zeros((0, wide))
    if alpha:
        found = np.sqrt(alpha) * np.eye(layer.n_hidden, wide)
    for _, hidden, targets in layer.batches(X, train):
        stacked = np.concatenate([found, np.concatenate([hidden, targets], axis=1)])
        (found,) = scipy.linalg.qr(stacked, mode="r", overwrite_a=True, check_finite=False)
        found = found[:wide]
    return found[: layer.n_hidden, : layer.n_hidden], found[: layer.n_hidden, layer.n_hidden :]
