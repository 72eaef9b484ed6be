"""The support vector machine of the study."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import Array, BackEnd

_COSTS = (0.1, 2.0, 8.0, 32.0)


class SVMClassifier(BackEnd):
    """Support vector machine (libsvm, one against one), with the 32 candidates of Pons & Serra (2018).

    Args:
        kernel: `rbf` or `linear`.
        C: Cost of a margin violation.
        gamma: Width of the RBF kernel; `auto` is 1 / n_features.
        max_iter: Steps after which libsvm stops, for each pair of classes; -1 for no limit. Linear machines on
            embeddings that are neither scaled nor separable would otherwise take minutes for a few hundred clips.

    Attributes:
        svc_: The fitted `sklearn.svm.SVC`.
        classes_: Labels, sorted.
        n_iter_: Steps that libsvm took for each pair of classes.

    Example:
        >>> import numpy as np
        >>> SVMClassifier(kernel="linear").fit(np.array([[0.0], [1.0]]), [0, 1]).predict(np.array([[0.9]]))
        array([1])
    """

    param_grid: ClassVar = (
        {"kernel": ["rbf"], "gamma": [*(2.0**-power for power in range(3, 14, 2)), "auto"], "C": list(_COSTS)},
        {"kernel": ["linear"], "C": list(_COSTS)},
    )

    def __init__(
        self,
        kernel: Literal["rbf", "linear"] = "rbf",
        C: float = 1.0,
        gamma: float | Literal["auto", "scale"] = "auto",
        max_iter: int = 100_000,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the machine to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        svc = SVC(kernel=self.kernel, C=self.C, gamma=self.gamma, max_iter=self.max_iter, cache_size=500)
        self.svc_ = svc.fit(X, y)
        self.classes_: Array = self.svc_.classes_
        self.n_iter_: Array = self.svc_.n_iter_
        return self

    def predict(self, X: Any) -> Array:
        """Labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.svc_.predict(X))

    def decision_function(self, X: Any) -> Array:
        """Class scores, `(n_clips, n_classes)`; `(n_clips,)` for two classes."""
        X = self._checked(X)
        return np.asarray(self.svc_.decision_function(X))

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
