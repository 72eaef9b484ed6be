"""Backend that picks the class with the highest cosine similarity."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from untrained.backends import Backend, Search, unless_searched


class CosineCentroids(Backend):
    """Classifier that picks the class whose embeddings point, on average, in the most similar direction.

    Args:
        centred: Whether to subtract the mean of all clips first; `search` tries both, and a fit without a search
            subtracts it.
    """

    param_grid = {"centred": [True, False]}

    def __init__(self, centred: bool | Search = "search") -> None:
        self.centred = centred

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        self.centre_ = X.mean(axis=0) if unless_searched(self.centred, True) else np.zeros(X.shape[1])
        directions = self._directions(X)
        self.centroids_ = np.stack([directions[index == label].mean(axis=0) for label in range(len(self.classes_))])
        return self

    def predict(self, X):
        nearest = self._similarities(X).argmax(axis=1)
        return self.classes_[nearest]

    def decision_function(self, X):
        similarities = self._similarities(X)
        return similarities[:, 1] - similarities[:, 0] if len(self.classes_) == 2 else similarities

    def _similarities(self, X):
        check_is_fitted(self)
        return self._directions(validate_data(self, X, reset=False, dtype=np.float64)) @ self.centroids_.T

    def _directions(self, X):
        centred = X - self.centre_
        return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
