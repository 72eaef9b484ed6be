"""Classification heads for end-to-end training, and their conversion to fitted backends."""

from typing import Any, Literal, get_args

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer
from torch import Tensor, nn

from ..backends import Backend
from ..backends.sklearn import MLP, Adapter, Logistic
from ..backends.standardized import Standardize, Standardized
from ..frontends.columns import Layers
from ..frontends.pooling import Pooling

Head = Literal["linear", "last", "musicnn"]

N_HIDDEN, DROPOUT = (
    200,
    0.5,
)  # settings of `musicnn`, as in Won et al. 2020, Evaluation of CNN-based automatic music tagging


def pooling_of(head: Head) -> Pooling | None:
    """Return the pooling that a head requires; None keeps that of the frontend."""
    return "mean_max" if head == "musicnn" else None


def layers_of(head: Head) -> Layers:
    """Return the layers that a head uses."""
    return "last" if head == "last" else "all"


def standardize_of(head: Head) -> Standardize:
    """Return the standardisation of the backend that a head is saved as."""
    return "none" if head == "musicnn" else "zscore"


def backend_of(head: Head) -> str:
    """Return the registered name of the backend that a head is saved as."""
    return "mlp" if head == "musicnn" else "logistic"


def require_head(head: str) -> None:
    """Raise if a head does not exist.

    Raises:
        ValueError: The head does not exist.
    """
    if head not in get_args(Head):
        raise ValueError(f"head={head!r}; expected one of {', '.join(get_args(Head))}")


def make_head(head: Head, n_features: int, n_classes: int, seed: int) -> nn.Sequential:
    """Return a head with random weights, drawn with a separate generator.

    Args:
        head: `linear` or `last`: BatchNorm without scale and shift, and a linear layer; `musicnn`: a dense layer of 200
            units with BatchNorm, ReLU and dropout, and a linear layer.
        n_features: Number of features of its input.
        n_classes: Number of classes.
        seed: Seed of the weights.

    Example:
        >>> import torch
        >>> make_head("linear", 10, 3, seed=0)(torch.zeros(2, 10)).shape
        torch.Size([2, 3])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if head == "musicnn":
            hidden = (nn.Linear(n_features, N_HIDDEN), nn.BatchNorm1d(N_HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT))
            return nn.Sequential(*hidden, nn.Linear(N_HIDDEN, n_classes))
        return nn.Sequential(nn.BatchNorm1d(n_features, affine=False), nn.Linear(n_features, n_classes))


def as_backend(head: Head, trained: nn.Sequential) -> Backend:
    """Return a trained head as a fitted backend, which gives the same class scores.

    Args:
        head: Name of the head.
        trained: Head that `make_head` has made.
    """
    last: Any = trained[-1]
    weights, biases = _class_weights(last)
    classes = np.arange(last.out_features)
    if head == "musicnn":
        return _as_mlp(trained, weights, biases, classes)
    norm: Any = trained[0]
    estimator = LogisticRegression()
    estimator.classes_, estimator.coef_, estimator.intercept_ = classes, weights, biases
    estimator.n_features_in_, estimator.n_iter_ = norm.num_features, np.array([1], np.int32)
    backend = Standardized(Logistic())
    backend.backend_ = _fitted(Logistic(), estimator)
    backend.mean_, backend.deviation_ = _array(norm.running_mean), np.sqrt(_array(norm.running_var) + norm.eps)
    backend.classes_, backend.n_features_in_ = classes, norm.num_features
    return backend


def _as_mlp(trained: nn.Sequential, weights: np.ndarray, biases: np.ndarray, classes: np.ndarray) -> Backend:
    """Return the head `musicnn` as a network of scikit-learn, with BatchNorm folded into the dense layer."""
    dense: Any = trained[0]
    norm: Any = trained[1]
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    estimator = MLPClassifier((dense.out_features,))
    estimator.classes_, estimator.n_features_in_ = classes, dense.in_features
    estimator.coefs_ = [(_array(dense.weight) * scale[:, None]).T.copy(), weights.T.copy()]
    estimator.intercepts_ = [
        (_array(dense.bias) - _array(norm.running_mean)) * scale + _array(norm.bias),
        biases,
    ]
    estimator.n_layers_, estimator.n_outputs_, estimator.n_iter_ = 3, len(weights), 1
    estimator.out_activation_ = "softmax" if len(classes) > 2 else "logistic"
    estimator._label_binarizer = LabelBinarizer().fit(classes)
    return _fitted(MLP(n_hidden=dense.out_features), estimator)


def _class_weights(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of a linear layer; for two classes, their difference, as in scikit-learn."""
    weights, biases = _array(layer.weight), _array(layer.bias)
    return (weights, biases) if len(biases) > 2 else (weights[1:] - weights[:1], biases[1:] - biases[:1])


def _fitted(backend: Adapter, estimator: Any) -> Adapter:
    backend.estimator_, backend.classes_ = estimator, estimator.classes_
    backend.n_features_in_, backend.n_iter_ = estimator.n_features_in_, estimator.n_iter_
    return backend


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()
