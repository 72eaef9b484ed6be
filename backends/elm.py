"""The extreme learning machine of Pons & Serra (2018)."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..terminal import progress
from .base import SEARCH, Array, Backend, Search, SearchResult, Splits, unless_searched
from .least_squares import from_sums, output_weights, outputs_of_splits
from .least_squares_batches import Layer, weights_of_splits
from .rows import Rows, begin_fit

HIDDEN_COPIES = 18
"""Bytes that a search takes for each clip and hidden unit: the hidden layer, and a copy of a part or a split.

Measured by `benchmarks/fit_memory.py`.
"""


class ELMClassifier(Backend):
    """Extreme learning machine: a random hidden layer with least-squares output weights (Huang et al. 2006).

    The hidden layer is relu(X W + b), with W and b drawn from N(0, 1). The output weights are the minimum-norm
    least-squares solution for targets of +1 and -1, as given by the pseudo-inverse. The class with the largest output
    is predicted. The six candidates are those of Pons & Serra (2018). The weights of hidden unit j depend only on j and
    the seed.

    The search shares work among all candidates and splits. The hidden layer is computed once, at the largest size; its
    first units form the smaller sizes. The normal equations of every split are sums over parts of the data. One
    Cholesky factor per split serves all sizes up to the number of clips; each larger size needs a factor of its own.
    With `Rows`, the sums are taken batch by batch, and held-out clips are predicted in a second pass.

    Args:
        n_hidden: Number of hidden units; `search` tries six, and a fit without a search uses 500.
        seed: Seed of the hidden weights.
        alpha: Strength of the ridge penalty; 0, as in Pons & Serra (2018), is plain least squares.

    Attributes:
        weights_: Hidden weights, `(n_features, n_hidden)`.
        biases_: Hidden biases, `(n_hidden,)`.
        coefs_: Output weights, `(n_hidden, n_classes)`.
        classes_: Class labels, sorted.

    Example:
        >>> import numpy as np
        >>> ELMClassifier(n_hidden=50).fit(np.array([[0.0], [1.0]]), ["a", "b"]).predict(np.array([[0.9]]))
        array(['b'], dtype='<U1')
    """

    param_grid: ClassVar = {"n_hidden": [100, 250, 500, 1200, 1800, 2500]}
    in_batches: ClassVar = True

    def __init__(self, n_hidden: int | Search = SEARCH, seed: int = 0, alpha: float = 0.0) -> None:
        self.n_hidden = n_hidden
        self.seed = seed
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the output weights to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        self._refuse_odd_arguments()
        if isinstance(X, Rows):
            y = begin_fit(self, X, y)
        else:
            X, y = validate_data(self, X, y, dtype=np.float64)
            check_classification_targets(y)
        self._start(np.unique(y), X.shape[1])
        for sums in ("gram_", "moments_"):
            self.__dict__.pop(sums, None)
        if isinstance(X, Rows):
            everything = [np.arange(len(X))]
            ((self.coefs_,),) = weights_of_splits(X, self._layer(y), everything, [self._size], self.alpha)
        else:
            self.coefs_ = output_weights(self._hidden(X), self._targets(y), self.alpha)
        return self

    def memory_needed(self, n_clips: int, n_features: int) -> int:
        """Estimate the memory of a search: above all, three arrays of the size of the hidden layer."""
        largest = max(self.with_candidate(candidate)._size for candidate in self.candidates())
        return super().memory_needed(n_clips, n_features) + HIDDEN_COPIES * n_clips * largest

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Update the output weights with more clips, of which only sums are kept, `(n_hidden, n_hidden + n_classes)`.

        The first call discards the result of `fit`, which does not keep these sums.

        Args:
            X: Embeddings, `(n_clips, n_features)`.
            y: Labels, `(n_clips,)`.
            classes: All class labels; required in the first call, unless `fit` was called before.
        """
        self._refuse_odd_arguments()
        first = not hasattr(self, "gram_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(y)
        if first:
            known = getattr(self, "classes_", None) if classes is None else np.unique(classes)
            if known is None:
                raise ValueError("classes=None; expected all class labels in the first call of partial_fit")
            self._start(known, X.shape[1])
            self.gram_ = np.zeros((self._size, self._size))
            self.moments_ = np.zeros((self._size, len(self.classes_)))
        strange = np.setdiff1d(y, self.classes_)
        if len(strange):
            raise ValueError(f"y contains {strange.tolist()[0]!r}; expected one of {self.classes_.tolist()}")
        hidden = self._hidden(X)
        self.gram_ += hidden.T @ hidden
        self.moments_ += hidden.T @ self._targets(y)
        self.coefs_ = from_sums(self.gram_, self.moments_, self.alpha)
        return self

    def search(self, X: Array | Rows, y: Array, splits: Splits) -> SearchResult:
        """Run the search of `Backend.search`, with work shared among candidates and splits."""
        candidates = self.candidates()
        models = [self.with_candidate(candidate) for candidate in candidates]
        if len({(model.seed, model.alpha) for model in models}) > 1 or any(len(np.unique(y[t])) < 2 for t, _ in splits):
            return super().search(X, y, splits)
        for model in models:
            model._refuse_odd_arguments()
        largest = max(models, key=lambda model: model._size)
        largest._start(np.unique(y), X.shape[1])
        sizes = [model._size for model in models]
        search = largest._winners_in_batches if isinstance(X, Rows) else largest._winners
        predictions: list[list[Array]] = [[] for _ in models]
        for (train, _), winners in zip(splits, search(X, y, splits, sizes), strict=True):
            for row, indices in zip(predictions, winners, strict=True):
                row.append(np.unique(y[train])[indices])
        return SearchResult(candidates, predictions, [y[test] for _, test in splits])

    def _winners(self, X: Any, y: Array, splits: Splits, sizes: Sequence[int]) -> Iterator[list[Array]]:
        """Yield, for each split, the indices of the predicted ones of the classes of its training clips, by size."""
        hidden = self._hidden(np.asarray(X, np.float64))
        fitted = outputs_of_splits(hidden, self._targets(y), splits, sizes, self.alpha)
        for (train, _), outputs in zip(splits, progress(fitted, len(splits), "searching"), strict=True):
            columns = np.searchsorted(self.classes_, np.unique(y[train]))
            yield [output[:, columns].argmax(axis=1) for output in outputs]

    def _winners_in_batches(self, X: Any, y: Array, splits: Splits, sizes: Sequence[int]) -> Iterator[list[Array]]:
        """Yield the same as `_winners` for `Rows`."""
        fitted = weights_of_splits(X, self._layer(y), [train for train, _ in splits], sizes, self.alpha)
        for (train, test), weights in zip(splits, progress(fitted, len(splits), "searching"), strict=True):
            columns = np.searchsorted(self.classes_, np.unique(y[train]))
            chosen = [each[:, columns] for each in weights]

            def winners(rows: Array, chosen: list[Array] = chosen) -> Array:
                hidden = self._hidden(rows)
                return np.stack([(hidden[:, : len(each)] @ each).argmax(axis=1) for each in chosen], axis=1)

            yield list(X[test].collect(winners, row_bytes=16 * max(sizes)).T)

    def decision_function(self, X: Any) -> Array:
        """Return the output of each class, `(n_clips, n_classes)`; for two classes their difference, `(n_clips,)`."""
        check_is_fitted(self)
        outputs = self._hidden(validate_data(self, X, reset=False, dtype=np.float64)) @ self.coefs_
        return np.asarray(outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs)

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        outputs = self.decision_function(X)
        return np.asarray(self.classes_[outputs.argmax(1) if outputs.ndim == 2 else (outputs > 0).astype(int)])

    @property
    def _size(self) -> int:
        return unless_searched(self.n_hidden, 500)

    def _refuse_odd_arguments(self) -> None:
        if self._size < 1:
            raise ValueError(f"n_hidden={self._size}; expected an integer of 1 or more")
        for name, value in (("seed", self.seed), ("alpha", self.alpha)):
            if value < 0:
                raise ValueError(f"{name}={value}; expected 0 or more")

    def _start(self, classes: Array, n_features: int) -> None:
        if len(classes) < 2:
            raise ValueError(f"all labels are of one class, {classes.tolist()[0]!r}; expected two classes or more")
        self.classes_ = classes
        self.weights_, self.biases_ = hidden_layer(n_features, self._size, self.seed)

    def _targets(self, y: Array) -> Array:
        """Return +1 for the class of each clip and -1 for the others, `(n_clips, n_classes)`."""
        return np.where(self.classes_ == y[:, None], 1.0, -1.0)

    def _hidden(self, X: Array) -> Array:
        hidden = X @ self.weights_
        hidden += self.biases_
        return np.asarray(np.maximum(hidden, 0, out=hidden))

    def _layer(self, y: Array) -> Layer:
        return Layer(self._hidden, lambda positions: self._targets(y[positions]), self._size, len(self.classes_))


def hidden_layer(n_features: int, n_hidden: int, seed: int) -> tuple[Array, Array]:
    """Return random weights `(n_features, n_hidden)` and biases `(n_hidden,)`; unit j depends only on seed and j."""
    units = np.random.default_rng(seed).standard_normal((n_hidden, n_features + 1))
    return units[:, 1:].T, units[:, 0]
