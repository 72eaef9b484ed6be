"""Classifier by the nearest class median."""

from typing import Any, Self

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestCentroid
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import Array, Backend


class NearestClass(Backend):
    """Classifier that picks the class of the nearest median embedding, suited to a single feature such as the tempo.

    Distances are sums of absolute differences. There are no hyper-parameters to search.

    Attributes:
        centroids_: The fitted `sklearn.neighbors.NearestCentroid`.
        classes_: Class labels, sorted.

    Example:
        >>> import numpy as np
        >>> NearestClass().fit(np.array([[1.0], [2.0], [9.0]]), [0, 0, 1]).predict(np.array([[4.0]]))
        array([0])
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Compute the class medians of embeddings `(n_clips, n_features)` with labels `(n_clips,)`."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.centroids_ = NearestCentroid(metric="manhattan").fit(X, y)
        self.classes_: Array = self.centroids_.classes_
        return self

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.centroids_.predict(X))

    def class_scores(self, X: Array) -> tuple[Array, str]:
        """Return negative distances to the classes, so that the nearest class has the highest score."""
        X = self._checked(X)
        distances = pairwise_distances(X, self.centroids_.centroids_, metric="manhattan")
        return -np.asarray(distances), "negative distance"

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
