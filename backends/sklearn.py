"""scikit-learn classifiers as backends: those in the code of Pons & Serra (2018), and any class by its import path."""

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

from .base import SEARCH, Array, Backend, Search, scores_of, unless_searched
from .guard import reason_of
from .rows import Rows, begin_fit
from .sklearn_batches import fit_logistic, fit_sgd


class Adapter(Backend):
    """Backend that delegates all work to a scikit-learn estimator.

    Attributes:
        estimator_: The fitted estimator.
        classes_: Class labels, sorted.
        n_iter_: Number of iterations of the estimator, if it counts them.
    """

    def make(self, n_clips: int) -> Any:
        """Return the unfitted estimator.

        Args:
            n_clips: Number of clips that the estimator will be fitted to.
        """
        raise TypeError(f"{type(self).__name__} does not define make(n_clips), which returns a scikit-learn estimator")

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the estimator to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        if self.in_batches and isinstance(X, Rows):
            y = begin_fit(self, X, y)
            self.estimator_ = self.fit_in_batches(self.make(len(X)), X, y)
        else:
            X, y = validate_data(self, X, y, dtype=np.float64)
            self.estimator_ = self.make(len(X)).fit(X, y)
        self.classes_: Array = self.estimator_.classes_
        if hasattr(self.estimator_, "n_iter_"):
            self.n_iter_ = self.estimator_.n_iter_
        return self

    def fit_in_batches(self, estimator: Any, X: Rows, y: Array) -> Any:
        """Return the estimator fitted to clips that are read in batches, if `in_batches` is true.

        Args:
            estimator: Unfitted estimator.
            X: Embeddings.
            y: Labels, `(n_clips,)`.
        """
        raise TypeError(f"{type(self).__name__} does not define fit_in_batches, although in_batches is true")

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.estimator_.predict(X))

    def class_scores(self, X: Array) -> tuple[Array, str] | None:
        """Return the class scores of the fitted estimator."""
        X = self._checked(X)
        return scores_of(self.estimator_, X)

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))


class LinearSVM(Adapter):
    """Linear support vector machine (liblinear, one-vs-rest).

    Args:
        C: Cost of a margin violation; `search` tries four, and a fit without a search uses 1.
        max_iter: Maximum number of iterations.
        seed: Seed of the order in which clips are visited.
    """

    param_grid: ClassVar[Any] = {"C": [0.1, 2.0, 8.0, 32.0]}

    def __init__(self, C: float | Search = SEARCH, max_iter: int = 1000, seed: int = 0) -> None:
        self.C = C
        self.max_iter = max_iter
        self.seed = seed

    def make(self, n_clips: int) -> LinearSVC:
        """Return the support vector machine."""
        return LinearSVC(C=unless_searched(self.C, 1.0), max_iter=self.max_iter, random_state=self.seed)


class KNN(Adapter):
    """Nearest neighbours: the most frequent class among the nearest clips.

    Args:
        n_neighbors: Number of nearest clips; all clips if there are fewer. `search` tries eight, and a fit without a
            search uses 5.
    """

    param_grid: ClassVar[Any] = {"n_neighbors": [1, 3, 5, 10, 20, 30, 50, 100]}

    def __init__(self, n_neighbors: int | Search = SEARCH) -> None:
        self.n_neighbors = n_neighbors

    def make(self, n_clips: int) -> KNeighborsClassifier:
        """Return the classifier, with brute-force search, since trees do not help with so many features."""
        n_neighbors = min(unless_searched(self.n_neighbors, 5), n_clips)
        return KNeighborsClassifier(n_neighbors=n_neighbors, algorithm="brute")


class MLP(Adapter):
    """Trained neural network with one hidden layer of ReLUs.

    Args:
        n_hidden: Number of hidden units.
        max_iter: Maximum number of epochs.
        seed: Seed of the initial weights and of the order of clips.
    """

    def __init__(self, n_hidden: int = 20, max_iter: int = 500, seed: int = 0) -> None:
        self.n_hidden = n_hidden
        self.max_iter = max_iter
        self.seed = seed

    def make(self, n_clips: int) -> MLPClassifier:
        """Return the network."""
        return MLPClassifier((self.n_hidden,), max_iter=self.max_iter, random_state=self.seed)


class SGD(Adapter):
    """Linear classifier with hinge loss, trained by stochastic gradient descent.

    Clips that are read in batches are visited in another order, see `sklearn_batches.fit_sgd`.

    Args:
        alpha: Strength of the regularisation.
        seed: Seed of the order of clips.
    """

    in_batches: ClassVar = True

    def __init__(self, alpha: float = 1e-4, seed: int = 0) -> None:
        self.alpha = alpha
        self.seed = seed

    def make(self, n_clips: int) -> SGDClassifier:
        """Return the linear classifier."""
        return SGDClassifier(alpha=self.alpha, random_state=self.seed)

    def fit_in_batches(self, estimator: SGDClassifier, X: Rows, y: Array) -> SGDClassifier:
        """Fit by `partial_fit` over shuffled batches."""
        return fit_sgd(estimator, X, y)


class Logistic(Adapter):
    """Logistic regression with an L2 penalty.

    Args:
        C: Inverse strength of the penalty; `search` tries five, and a fit without a search uses 1.
        max_iter: Maximum number of iterations.
    """

    param_grid: ClassVar[Any] = {"C": [0.01, 0.1, 1.0, 10.0, 100.0]}
    in_batches: ClassVar = True

    def __init__(self, C: float | Search = SEARCH, max_iter: int = 1000) -> None:
        self.C = C
        self.max_iter = max_iter

    def make(self, n_clips: int) -> LogisticRegression:
        """Return the logistic regression."""
        return LogisticRegression(C=unless_searched(self.C, 1.0), max_iter=self.max_iter)

    def fit_in_batches(self, estimator: LogisticRegression, X: Rows, y: Array) -> LogisticRegression:
        """Fit by L-BFGS, with sums over batches."""
        return fit_logistic(estimator, X, y)


class AnyClassifier(Adapter):
    """Any classifier that follows scikit-learn's conventions, given by its import path.

    Args:
        estimator: Import path of the class, such as `sklearn.ensemble.RandomForestClassifier`.
        arguments: Arguments of the class.
        grid: Values to search for arguments that are not in `arguments`: a list of values for each, of which all
            combinations are tried; or a list of such grids.
        seed: Value of `random_state`, if the class has this argument and `arguments` does not set it.

    Example:
        >>> forest = "sklearn.ensemble.RandomForestClassifier"
        >>> AnyClassifier(forest, {"random_state": 0}, {"max_depth": [2, 4]}).candidates()
        [{'arguments': {'random_state': 0, 'max_depth': 2}}, {'arguments': {'random_state': 0, 'max_depth': 4}}]
    """

    def __init__(
        self,
        estimator: str = "sklearn.ensemble.RandomForestClassifier",
        arguments: dict[str, Any] | None = None,
        grid: dict[str, Any] | list[dict[str, Any]] | None = None,
        seed: int = 0,
    ) -> None:
        self.estimator = estimator
        self.arguments = arguments
        self.grid = grid
        self.seed = seed

    def candidates(self) -> list[dict[str, Any]]:
        """Return all combinations of the grid, or of each grid in turn.

        Raises:
            ValueError: An argument is in both `arguments` and a grid, or a grid has a value that is not a list.
        """
        grids: Sequence[Mapping[str, Any]] = (self.grid or [{}]) if isinstance(self.grid, list) else [self.grid or {}]
        for name, values in (item for grid in grids for item in grid.items()):
            if isinstance(values, str | Mapping) or not isinstance(values, Sequence | np.ndarray) or not len(values):
                raise ValueError(f"grid: {name}={values!r}; expected a list of values, such as {{{name}: [1, 2]}}")
        both = sorted({name for grid in grids for name in grid} & (self.arguments or {}).keys())
        if both:
            raise ValueError(f"{both[0]!r} is in both arguments and grid; remove it from one of them")
        return [{"arguments": {**(self.arguments or {}), **values}} for values in ParameterGrid(grids)]

    def make(self, n_clips: int) -> BaseEstimator:
        """Return the unfitted estimator.

        Raises:
            ValueError: The class does not exist, is not a classifier, or rejects its arguments.
        """
        module, _, name = self.estimator.rpartition(".")
        arguments = dict(self.arguments or {})
        try:
            cls = getattr(importlib.import_module(module), name)
            # Check before the call, since a configuration may name anything.
            if not isinstance(cls, type) or not issubclass(cls, BaseEstimator):
                raise TypeError("it is not the class of a scikit-learn estimator")
            if "random_state" in inspect.signature(cls).parameters:
                arguments.setdefault("random_state", self.seed)
            made: BaseEstimator = cls(**arguments)
            if not is_classifier(made):
                raise TypeError("it is not a classifier")
        except Exception as error:  # a class may raise anything
            raise ValueError(
                f"estimator={self.estimator!r} cannot be created with arguments={self.arguments} ({reason_of(error)}); "
                "expected the import path of a classifier, such as sklearn.ensemble.RandomForestClassifier, and its "
                "arguments"
            ) from error
        return made
