"""Standardisation of features (z-scores), fitted together with a backend."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from ..terminal import progress
from .base import Array, Backend, SearchResult, Splits
from .guard import refuse_all_failed
from .rows import Rows, begin_fit

Standardize = Literal["none", "zscore"]


class Standardized(Backend):
    """Backend fitted to standardised features (z-scores).

    The mean of each feature is subtracted, and the result is divided by its standard deviation. Both are computed only
    from the clips that the backend is fitted to; in a search, from the training clips of each split. A constant feature
    is only centred. Candidates share work only within a split, since each split has its own z-scores. With `Rows`, the
    means and deviations take one pass over the batches.

    Args:
        backend: Backend that is fitted to the z-scores.

    Attributes:
        backend_: The fitted backend.
        mean_: Mean of each feature, `(n_features,)`.
        deviation_: Standard deviation of each feature, `(n_features,)`; 1 for a constant feature.
        classes_: Class labels, sorted.

    Example:
        >>> import numpy as np
        >>> from untrained.backends.svm import SVMClassifier
        >>> Standardized(SVMClassifier()).fit(np.array([[0.0], [900.0]]), [0, 1]).predict(np.array([[600.0]]))
        array([1])
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def candidates(self) -> list[dict[str, Any]]:
        """Return the candidates of the backend."""
        return self.backend.candidates()

    def with_candidate(self, candidate: Mapping[str, Any]) -> Self:
        """Return an unfitted copy whose backend has the arguments of a candidate."""
        return type(self)(self.backend.with_candidate(candidate))

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        if isinstance(X, Rows):
            y = begin_fit(self, X, y)
        else:
            X, y = validate_data(self, X, y, dtype=np.float64)
        scaler = _scaler_of(X)
        self.mean_, self.deviation_ = scaler.mean_, scaler.scale_
        scores = X.map(self._scores) if isinstance(X, Rows) else self._scores(X)
        self.backend_: Backend = clone(self.backend).fit(scores, y)
        self.classes_: Array = getattr(self.backend_, "classes_", np.unique(y))
        return self

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.backend_.predict(X))

    def class_scores(self, X: Array) -> tuple[Array, str] | None:
        """Return the class scores of the backend."""
        X = self._checked(X)
        return self.backend_.class_scores(X)

    @property
    def in_batches(self) -> bool:  # type: ignore[override]
        """Whether the backend reads rows in batches."""
        return self.backend.in_batches

    def memory_needed(self, n_clips: int, n_features: int) -> int:
        """Return the estimate of the backend, which includes z-scores."""
        return self.backend.memory_needed(n_clips, n_features)

    def search(self, X: Array | Rows, y: Array, splits: Splits) -> SearchResult:
        """Run the search of the backend, on z-scores that are fitted to the training clips of each split."""
        X = X if isinstance(X, Rows) else np.asarray(X, np.float64)
        found: list[SearchResult] = []
        for train, test in progress(splits, len(splits), f"searching {len(self.candidates())} candidates"):
            transform = _scaler_of(X[train]).transform
            scores = X.map(transform) if isinstance(X, Rows) else transform(X)
            if not found:
                self.backend.announce(scores, y, splits)
            found.append(self.backend.search(scores, y, [(train, test)]))
        # A candidate may fail in only some of the splits.
        failed = {repr(each.candidate): each for of in found for each in of.failed}
        names = [repr(candidate) for candidate in self.candidates()]
        rows = [dict(zip(map(repr, of.candidates), of.predictions, strict=True)) for of in found]
        working = [name for name in names if name not in failed]
        refuse_all_failed(type(self.backend).__name__, list(failed.values()), len(working))
        return SearchResult(
            candidates=[candidate for candidate in found[0].candidates if repr(candidate) not in failed],
            predictions=[[row[name][0] for row in rows] for name in working],
            truth=[y[test] for _, test in splits],
            n_unconverged=sum(of.n_unconverged for of in found),
            failed=[failed[name] for name in names if name in failed],
        )

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._scores(np.asarray(validate_data(self, X, reset=False, dtype=np.float64)))

    def _scores(self, X: Array) -> Array:
        return np.asarray((X - self.mean_) / self.deviation_)


def _scaler_of(X: Array | Rows) -> Any:
    """Return a scaler that is fitted to embeddings."""
    if not isinstance(X, Rows):
        return StandardScaler().fit(X)
    scaler = StandardScaler()
    for _, rows in X.batches():
        scaler.partial_fit(rows)  # deviations from the mean of a batch, so that large means do not cancel
    return scaler
