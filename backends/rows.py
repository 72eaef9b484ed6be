"""Matrices of embeddings that are read in batches of rows, so that a fit needs not hold all of them."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

Array = np.ndarray[Any, Any]
Read = Callable[[Array], Array]
BATCH_SHARE = 8  # part of the memory of a fit that the arrays of one batch may take: an eighth
MIN_ROWS, MAX_ROWS = 64, 8192  # of a batch; larger batches are not faster
USUAL = 40_000  # bytes that a backend may need to predict a row: two hidden layers of 2500 units
BLOCK = 64  # consecutive rows that `shuffled` keeps together, so that it does not read single rows


class Rows:
    """A matrix of embeddings `(n_clips, n_features)` whose rows are read when they are used.

    An index selects rows as with an array, and reads nothing: `X[train]` is a view. `batches` reads the rows.
    Convert nothing to an array by accident: `np.asarray(X)` is refused, and `X.read()` reads the whole matrix.

    Args:
        read: Function that returns the rows with given numbers, `(len(numbers), n_features)`, float32 or float64.
        numbers: Number of each row, in the order of the matrix, `(n_clips,)`.
        n_features: Number of features.
        memory: Memory that a fit to the matrix may take, in bytes, from which the size of batches follows.

    Example:
        >>> import numpy as np
        >>> stored = np.array([[0.0], [1.0], [2.0]])
        >>> X = Rows(lambda numbers: stored[numbers], np.array([2, 0]), n_features=1, memory=2**20)
        >>> X.shape, X[np.array([0])].read().tolist()
        ((2, 1), [[2.0]])
    """

    ndim = 2

    def __init__(self, read: Read, numbers: Array, n_features: int, memory: int) -> None:
        self._read = read
        self._numbers = np.asarray(numbers, np.int64)
        self._functions: tuple[Callable[[Array], Array], ...] = ()
        self.shape = (len(self._numbers), n_features)
        self._width = n_features  # the largest number of features on the way from the store
        self.memory = memory

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, indices: Array) -> Self:
        """Return a view of some rows: the indices of rows, or a mask.

        Args:
            indices: Indices of rows, `(n,)`, or a mask of all rows.
        """
        return self._like(self._numbers[indices], self._functions)

    def __array__(self, *args: Any, **kwargs: Any) -> Array:
        """Refuse to become an array, which would read the whole matrix."""
        raise TypeError("Rows are read in batches; call read() for the whole matrix")

    def map(self, function: Callable[[Array], Array], n_features: int | None = None) -> Self:
        """Return a view whose batches are passed through a function, such as z-scores.

        Args:
            function: Function of rows in float64, `(n, n_features)`, that returns as many rows.
            n_features: Number of features that it returns; by default, the number does not change.
        """
        made = self._like(self._numbers, (*self._functions, function))
        made._width = max(self._width, n_features or 0)
        made.shape = (len(self), self.shape[1] if n_features is None else n_features)
        return made

    def batches(self, row_bytes: int = 0) -> Iterator[tuple[Array, Array]]:
        """Read the rows in ascending order of their numbers.

        Args:
            row_bytes: Memory that the caller needs for each row of a batch besides the batch itself.

        Yields:
            Positions of the rows of a batch in this matrix, `(n,)`, and the rows in float64, `(n, n_features)`.
        """
        order = np.argsort(self._numbers, kind="stable")
        size = self.batch_size(row_bytes)
        for start in range(0, len(order), size):
            positions = order[start : start + size]
            yield positions, self._rows(positions)

    def shuffled(self, random: np.random.RandomState) -> Iterator[tuple[Array, Array]]:
        """Read the rows in random order, in blocks of consecutive rows, as pairs like those of `batches`.

        Args:
            random: Generator of the order.
        """
        order = np.argsort(self._numbers, kind="stable")
        blocks = random.permutation(-(-len(order) // BLOCK))
        n_blocks = max(1, self.batch_size() // BLOCK)
        for start in range(0, len(blocks), n_blocks):
            chosen = np.sort(blocks[start : start + n_blocks])
            positions = np.concatenate([order[block * BLOCK : (block + 1) * BLOCK] for block in chosen])
            yield positions, self._rows(positions)

    def read(self) -> Array:
        """Return the whole matrix, `(n_clips, n_features)`."""
        return self._rows(np.arange(len(self))) if self._functions else _finite(self._read(self._numbers))

    def collect(self, function: Callable[[Array], Array], row_bytes: int = USUAL) -> Array:
        """Return the results of a function of each batch, such as `predict`, in the order of the rows.

        Args:
            function: Function of rows in float64, `(n, n_features)`, that returns an array with one item for each.
            row_bytes: Memory that the function needs for each row.
        """
        found: Array | None = None
        for positions, X in self.batches(row_bytes):
            part = np.asarray(function(X))
            if part.shape[:1] != positions.shape:
                return part  # the caller reports the odd shape
            if found is None:
                found = np.empty((len(self), *part.shape[1:]), part.dtype)
            elif part.dtype != found.dtype:
                found = found.astype(np.result_type(found, part))  # such as texts of different lengths
            found[positions] = part
        return np.asarray(function(np.empty((0, self.shape[1])))) if found is None else found

    def batch_size(self, row_bytes: int = 0) -> int:
        """Return the number of rows of a batch."""
        needed = 24 * self._width + row_bytes  # float32 as read, float64, and one more for a function
        return int(np.clip(self.memory // BATCH_SHARE // max(needed, 1), MIN_ROWS, MAX_ROWS))

    def _rows(self, positions: Array) -> Array:
        found = np.asarray(_finite(self._read(self._numbers[positions])), np.float64)
        for function in self._functions:
            found = function(found)
        return found

    def _like(self, numbers: Array, functions: tuple[Callable[[Array], Array], ...]) -> Self:
        made = type(self)(self._read, numbers, self.shape[1], self.memory)
        made._functions, made._width = functions, self._width
        return made


def _finite(X: Array) -> Array:
    if not np.isfinite(X).all():
        raise ValueError("Input X contains NaN or infinity")
    return X


Matrix = Array | Rows
"""Embeddings `(n_clips, n_features)`, in memory or read in batches."""


def as_rows(X: Array | Rows, memory: int = 2**30) -> Rows:
    """Return a matrix as `Rows`, for code that reads both in batches.

    Args:
        X: Embeddings, `(n_clips, n_features)`.
        memory: Memory that a fit may take, in bytes, if the matrix is an array.
    """
    if isinstance(X, Rows):
        return X

    def read(numbers: Array) -> Array:
        is_slice = len(numbers) > 0 and bool((np.diff(numbers) == 1).all())  # needs no copy
        return X[numbers[0] : numbers[-1] + 1] if is_slice else X[numbers]

    return Rows(read, np.arange(len(X)), X.shape[1], memory)


def begin_fit(backend: Any, X: Rows, y: Any) -> Array:
    """Check labels as scikit-learn does, note the number of features in the backend, and return the labels.

    Args:
        backend: Backend that is fitted.
        X: Embeddings, `(n_clips, n_features)`.
        y: Labels, `(n_clips,)`.

    Raises:
        ValueError: `y` does not hold one label of a classification for each row.
    """
    labels = np.asarray(column_or_1d(y, warn=True))
    check_classification_targets(labels)
    if len(labels) != len(X):
        raise ValueError(f"y has {len(labels)} labels for {len(X)} rows of X; expected one label for each row")
    backend.n_features_in_ = X.shape[1]
    return labels
