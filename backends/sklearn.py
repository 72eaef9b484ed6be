"""Classifiers of scikit-learn as backends: those of the study's code, and any other by its class path."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import ParameterGrid
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import Array, Backend, scores_of


class Adapter(Backend):
    """A backend that leaves all work to an estimator of scikit-learn.

    Attributes:
        estimator_: The fitted estimator.
        classes_: Labels, sorted.
        n_iter_: Of the estimator, if it counts.
    """

    def make(self, n_clips: int) -> Any:
        """The estimator, not yet fitted.

        Args:
            n_clips: Number of clips that it will be fitted to.
        """
        raise TypeError(f"{type(self).__name__} has no make(n_clips); define it to give an estimator of scikit-learn")

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the estimator to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.estimator_ = self.make(len(X)).fit(X, y)
        self.classes_: Array = self.estimator_.classes_
        if hasattr(self.estimator_, "n_iter_"):
            self.n_iter_ = self.estimator_.n_iter_
        return self

    def predict(self, X: Any) -> Array:
        """Labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.estimator_.predict(X))

    def class_scores(self, X: Array) -> tuple[Array, str] | None:
        """What the fitted estimator gives each class."""
        X = self._checked(X)
        return scores_of(self.estimator_, X)

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))


class LinearSVM(Adapter):
    """Linear support vector machine (liblinear, one against the rest).

    Args:
        C: Cost of a margin violation.
        max_iter: Rounds after which it stops.
        seed: Of the order in which clips are visited.
    """

    param_grid: ClassVar[Any] = {"C": [0.1, 2.0, 8.0, 32.0]}

    def __init__(self, C: float = 1.0, max_iter: int = 1000, seed: int = 0) -> None:
        self.C = C
        self.max_iter = max_iter
        self.seed = seed

    def make(self, n_clips: int) -> LinearSVC:
        """The machine."""
        return LinearSVC(C=self.C, max_iter=self.max_iter, random_state=self.seed)


class KNN(Adapter):
    """The most frequent class among the nearest clips.

    Args:
        n_neighbors: How many clips; all, where there are fewer.
    """

    param_grid: ClassVar[Any] = {"n_neighbors": [1, 3, 5, 10, 20, 30, 50, 100]}

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def make(self, n_clips: int) -> KNeighborsClassifier:
        """The classifier; without a search tree, which is of no use among so many features."""
        return KNeighborsClassifier(n_neighbors=min(self.n_neighbors, n_clips), algorithm="brute")


class MLP(Adapter):
    """A trained network with one hidden layer of ReLUs.

    Args:
        n_hidden: Number of hidden units.
        max_iter: Epochs after which it stops.
        seed: Of the first weights and of the order of clips.
    """

    def __init__(self, n_hidden: int = 20, max_iter: int = 500, seed: int = 0) -> None:
        self.n_hidden = n_hidden
        self.max_iter = max_iter
        self.seed = seed

    def make(self, n_clips: int) -> MLPClassifier:
        """The network."""
        return MLPClassifier((self.n_hidden,), max_iter=self.max_iter, random_state=self.seed)


class SGD(Adapter):
    """A linear machine with hinge loss, trained by stochastic gradient descent.

    Args:
        alpha: Strength of the regularisation.
        seed: Of the order of clips.
    """

    def __init__(self, alpha: float = 1e-4, seed: int = 0) -> None:
        self.alpha = alpha
        self.seed = seed

    def make(self, n_clips: int) -> SGDClassifier:
        """The machine."""
        return SGDClassifier(alpha=self.alpha, random_state=self.seed)


class Logistic(Adapter):
    """Logistic regression with an L2 penalty.

    Args:
        C: Inverse strength of the penalty.
        max_iter: Steps after which it stops.
    """

    param_grid: ClassVar[Any] = {"C": [0.01, 0.1, 1.0, 10.0, 100.0]}

    def __init__(self, C: float = 1.0, max_iter: int = 1000) -> None:
        self.C = C
        self.max_iter = max_iter

    def make(self, n_clips: int) -> LogisticRegression:
        """The regression."""
        return LogisticRegression(C=self.C, max_iter=self.max_iter)


class AnyClassifier(Adapter):
    """Any classifier that follows scikit-learn's conventions, by its class path.

    Args:
        estimator: Module and class, as `sklearn.ensemble.RandomForestClassifier`.
        arguments: Of the class.
        grid: Lists of values of its arguments, all combinations of which are searched.
        seed: Its `random_state`, where it has one that `arguments` leave open.

    Example:
        >>> forest = "sklearn.ensemble.RandomForestClassifier"
        >>> AnyClassifier(forest, {"random_state": 0}, {"max_depth": [2, 4]}).candidates()
        [{'arguments': {'random_state': 0, 'max_depth': 2}}, {'arguments': {'random_state': 0, 'max_depth': 4}}]
    """

    def __init__(
        self,
        estimator: str = "sklearn.ensemble.RandomForestClassifier",
        arguments: dict[str, Any] | None = None,
        grid: dict[str, list[Any]] | None = None,
        seed: int = 0,
    ) -> None:
        self.estimator = estimator
        self.arguments = arguments
        self.grid = grid
        self.seed = seed

    def candidates(self) -> list[dict[str, Any]]:
        """All combinations of the grid."""
        grid: Mapping[str, Sequence[Any]] = self.grid or {}
        return [{"arguments": {**(self.arguments or {}), **values}} for values in ParameterGrid(grid)]

    def make(self, n_clips: int) -> BaseEstimator:
        """The estimator.

        Raises:
            ValueError: There is no such class, it is no classifier, or it refuses its arguments.
        """
        module, _, name = self.estimator.rpartition(".")
        arguments = dict(self.arguments or {})
        try:
            cls = getattr(importlib.import_module(module), name)
            # Before it is called: a configuration may name anything.
            if not isinstance(cls, type) or not issubclass(cls, BaseEstimator):
                raise TypeError("it is no class of scikit-learn's kind")
            if "random_state" in inspect.signature(cls).parameters:
                arguments.setdefault("random_state", self.seed)
            made: BaseEstimator = cls(**arguments)
            if not is_classifier(made):
                raise TypeError("it is no classifier")
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise ValueError(
                f"estimator={self.estimator!r} cannot be made of arguments={self.arguments} ({error}); expected the "
                "path of a classifier's class, as sklearn.ensemble.RandomForestClassifier, and its arguments"
            ) from error
        return made
