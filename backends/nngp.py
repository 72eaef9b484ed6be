"""Score of an architecture as a neural network Gaussian process, from features of a few random networks.

Park, Lee, Peng, Cao & Sohl-Dickstein (2020), Towards NNGP-guided Neural Architecture Search, arXiv:2011.06006. The
formula is that of the notebook in google-research/google-research, nngp_nas.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .base import Array
from .ridge_path import RidgePath

STRENGTHS = np.logspace(-7, 2, 20)
"""Values of the diagonal regulariser, in multiples of the mean diagonal element of the kernel."""


def nngp(
    train: Sequence[Any], y_train: ArrayLike, validation: Sequence[Any], y_validation: ArrayLike, n_classes: int
) -> float:
    """Return the validation accuracy of ridge regression on the features of several random networks.

    The kernel K of two sets of clips is the mean over M networks of F F', with the features F of one network. The
    targets y are one-hot minus 1 / n_classes. For each of 20 values of e from 1e-7 to 1e2, a solves
    (K_tt + e trace(K_tt) / n_train I) a = y, and the predicted class is the argmax of K_vt a. The score is the best
    accuracy over e. There is no intercept.

    The kernel equals that of the concatenated features up to a factor of 1 / M, which cancels. One eigendecomposition,
    of the products of clips or of features, whichever are fewer, serves all values of e.

    Args:
        train: Features of the training clips, `(n_train, n_features)` for each network, such as the means over time of
            its last layer.
        y_train: Classes of the training clips as integers from 0 to n_classes - 1, `(n_train,)`.
        validation: Features of the validation clips, `(n_validation, n_features)` for each network, in the same order.
        y_validation: Classes of the validation clips, `(n_validation,)`.
        n_classes: Number of classes.

    Returns:
        Accuracy as a fraction.

    Raises:
        ValueError: Shapes or classes do not match, or the features are not finite or are zero on all training clips.

    Example:
        >>> import numpy as np
        >>> seeds = [np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0], [1.0]])]
        >>> nngp(seeds, [0, 1], seeds, [0, 1], 2)
        1.0
    """
    if len(train) != len(validation):
        raise ValueError(f"train has {len(train)} networks and validation {len(validation)}; expected as many of each")
    known, classes = _features_and_classes("train", train, y_train, n_classes)
    asked, expected = _features_and_classes("validation", validation, y_validation, n_classes)
    if known.shape[1] != asked.shape[1]:
        raise ValueError(
            f"train has {known.shape[1]} features and validation {asked.shape[1]}; expected those of the same networks"
        )
    if len(np.unique(classes)) < 2:
        raise ValueError("all training clips are of one class; expected two classes or more")
    mean_diagonal = float(np.sum(known**2)) / len(known)
    if not mean_diagonal:
        raise ValueError("the features are zero on all training clips; expected features that are not all zero")
    path = RidgePath(known, np.eye(n_classes)[classes] - 1 / n_classes, intercept=False)
    solutions = (path.solution(strength * mean_diagonal)[0] for strength in STRENGTHS)
    return max(float(np.mean((asked @ weights).argmax(axis=1) == expected)) for weights in solutions)


def _features_and_classes(part: str, features: Sequence[Any], y: ArrayLike, n_classes: int) -> tuple[Array, Array]:
    """Return the concatenated features of one part of the clips in float64, and its classes.

    Raises:
        ValueError: They are invalid.
    """
    arrays, classes = [np.asarray(each, np.float64) for each in features], np.asarray(y)
    if not arrays or classes.ndim != 1 or not len(classes) or any(a.shape[:1] != classes.shape for a in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(
            f"{part}: features of shapes [{shapes}] for labels of shape {classes.shape}; expected "
            "(n_clips, n_features) for each network, and one label for each clip"
        )
    if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() >= n_classes:
        raise ValueError(f"{part}: labels {np.unique(classes).tolist()}; expected integers from 0 to {n_classes - 1}")
    joined = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
    if not np.isfinite(joined).all():
        raise ValueError(f"{part}: features are not finite; expected finite numbers")
    return joined, classes
