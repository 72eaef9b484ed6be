"""The extreme learning machine of the study."""

from typing import Any, ClassVar, Self

import numpy as np
import scipy.linalg
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import Array, BackEnd


class ELMClassifier(BackEnd):
    """Extreme learning machine: a random hidden layer, and output weights by least squares (Huang et al. 2006).

    The hidden layer is relu(X W + b) with W and b drawn from N(0, 1); the output weights are the minimum-norm
    least-squares solution against targets of +1 and -1, which the pseudo-inverse gives; the greatest output wins. The
    six candidates are those of Pons & Serra (2018). The weights of hidden unit j depend on the seed and j alone.

    Args:
        n_hidden: Number of hidden units.
        seed: Of the hidden weights.

    Attributes:
        weights_: `(n_features, n_hidden)`.
        biases_: `(n_hidden,)`.
        coefs_: Output weights, `(n_hidden, n_classes)`.
        classes_: Labels, sorted.

    Example:
        >>> import numpy as np
        >>> ELMClassifier(n_hidden=50).fit(np.array([[0.0], [1.0]]), ["a", "b"]).predict(np.array([[0.9]]))
        array(['b'], dtype='<U1')
    """

    param_grid: ClassVar = {"n_hidden": [100, 250, 500, 1200, 1800, 2500]}

    def __init__(self, n_hidden: int = 500, seed: int = 0) -> None:
        self.n_hidden = n_hidden
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the output weights to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        if self.n_hidden < 1:
            raise ValueError(f"n_hidden={self.n_hidden}; expected an integer of 1 or more")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed}; expected an integer of 0 or more")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"the labels are all of one class, {self.classes_[0]!r}; at least two are needed")
        self.weights_, self.biases_ = hidden_layer(X.shape[1], self.n_hidden, self.seed)
        self.coefs_ = output_weights(self._hidden(X), np.where(np.eye(len(self.classes_))[index] > 0, 1.0, -1.0))
        return self

    def decision_function(self, X: Any) -> Array:
        """Outputs of the classes, `(n_clips, n_classes)`; for two classes their difference, `(n_clips,)`."""
        check_is_fitted(self)
        outputs = self._hidden(validate_data(self, X, reset=False, dtype=np.float64)) @ self.coefs_
        return np.asarray(outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs)

    def predict(self, X: Any) -> Array:
        """Labels of embeddings `(n_clips, n_features)`."""
        outputs = self.decision_function(X)
        return np.asarray(self.classes_[outputs.argmax(1) if outputs.ndim == 2 else (outputs > 0).astype(int)])

    def _hidden(self, X: Array) -> Array:
        return np.asarray(np.maximum(X @ self.weights_ + self.biases_, 0))


def hidden_layer(n_features: int, n_hidden: int, seed: int) -> tuple[Array, Array]:
    """Random weights `(n_features, n_hidden)` and biases `(n_hidden,)`; unit j's depend on the seed and j alone."""
    units = np.random.default_rng(seed).standard_normal((n_hidden, n_features + 1))
    return units[:, 1:].T, units[:, 0]


def output_weights(hidden: Array, targets: Array) -> Array:
    """Minimum-norm least-squares weights, equal to pinv(hidden) @ targets.

    Args:
        hidden: Hidden layer, `(n_clips, n_hidden)`.
        targets: `(n_clips, n_classes)`.

    Returns:
        `(n_hidden, n_classes)`.
    """
    cutoff = np.finfo(np.float64).eps * max(hidden.shape)
    return np.asarray(scipy.linalg.lstsq(hidden, targets, cond=cutoff)[0])
