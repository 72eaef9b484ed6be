"""Ridge regression as a classifier, with its penalty chosen by leave-one-out cross-validation."""

from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..terminal import progress
from .base import SEARCH, Array, Backend, Search, SearchResult, Splits
from .least_squares import sums_of_train
from .ridge_batches import RidgeBatches
from .ridge_path import RidgePath, is_dual
from .rows import Rows, begin_fit

ALPHAS = tuple(10 ** (power / 3) for power in range(-9, 10, 2))
"""Penalties that are tried by default: ten from 1e-3 to 1e3, as with ROCKET (Dempster et al. 2020)."""
_ROUNDING = 1e-12  # relative to the smallest error; smaller differences of errors are rounding


class RidgeClassifier(Backend):
    """Ridge classifier: least squares with a penalty, chosen in the fit by leave-one-out in closed form.

    The targets are +1 for the class of a clip and -1 for every other class. The class with the largest output is
    predicted. The penalty `loo` is the one with the smallest squared leave-one-out error, averaged over clips and
    classes; of penalties whose errors differ by rounding alone, the first. Predictions equal those of
    `sklearn.linear_model.RidgeClassifierCV` with the same penalties.

    All penalties and classes share one eigendecomposition in float64, of the products of features or of clips,
    whichever are fewer. The search computes these products once for all splits. With `Rows`, the products of features
    are summed over batches, and the errors in a second pass.

    Args:
        alpha: Penalty. `loo` chooses it from `alphas` in every fit, only from the clips of that fit. `search` leaves
            the choice to the protocol, as for other backends; a fit without a search then uses `loo`. A number fixes
            it.
        alphas: Penalties to choose from; None for ten from 0.001 to 1000.

    Attributes:
        alpha_: The penalty.
        alphas_: Penalties that were compared, `(n_alphas,)`.
        loo_errors_: Mean squared leave-one-out error of each of them, `(n_alphas,)`.
        coef_: Weights, `(n_outputs, n_features)`. Two classes have one output, which is positive for the second.
        intercept_: Intercepts, `(n_outputs,)`.
        classes_: Class labels, sorted; the indices of the labels if a clip may have several.
        is_multilabel_: Whether a clip may have several labels.

    Example:
        >>> import numpy as np
        >>> RidgeClassifier().fit(np.array([[0.0], [0.1], [1.0]]), ["a", "a", "b"]).predict(np.array([[0.9]]))
        array(['b'], dtype='<U1')
    """

    in_batches: ClassVar = True

    def __init__(self, alpha: float | Literal["loo"] | Search = "loo", alphas: list[float] | None = None) -> None:
        self.alpha = alpha
        self.alphas = alphas

    def candidates(self) -> list[dict[str, Any]]:
        """Return one candidate for each penalty if the protocol chooses it, and otherwise one without arguments."""
        choices = self._choices()  # refuses invalid arguments before anything is computed
        return [{"alpha": alpha} for alpha in choices] if self.alpha == SEARCH else [{}]

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the weights.

        Args:
            X: Embeddings, `(n_clips, n_features)`.
            y: Labels, `(n_clips,)`; or `(n_clips, n_labels)`, with 1 for each label that a clip has, and 0 otherwise.
        """
        self._choices()
        if isinstance(X, Rows):
            y, self.is_multilabel_ = begin_fit(self, X, y), False
            self.classes_ = _classes_of(y)
            self._use(_path_of_rows(X, y, self.classes_))
            return self
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True)
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError("y has several columns that are not all 0 or 1; expected one column of labels")
        self.is_multilabel_ = kind == "multilabel-indicator"
        if self.is_multilabel_:
            self.classes_, targets = np.arange(y.shape[1]), np.where(y > 0, 1.0, -1.0)
        else:
            self.classes_, targets = _classes_and_targets(column_or_1d(y, warn=True))
        self._use(RidgePath(X, targets))
        return self

    def search(self, X: Array | Rows, y: Array, splits: Splits) -> SearchResult:
        """Run the search of `Backend.search`, with work shared among penalties and splits."""
        candidates = self.candidates()
        if any(len(np.unique(y[train])) < 2 for train, _ in splits):
            return super().search(X, y, splits)  # reports why the fits fail
        if isinstance(X, Rows):
            return self._search_rows(candidates, X, y, splits)
        X = np.asarray(X, np.float64)
        if not np.isfinite(X).all():
            return super().search(X, y, splits)  # reports why the fits fail
        models = [self.with_candidate(candidate) for candidate in candidates]
        predictions: list[list[Array]] = [[] for _ in models]
        products = progress(_products_of_train(X, splits), len(splits), f"searching {len(candidates)} candidates")
        for (train, test), of_train in zip(splits, products, strict=True):
            classes, targets = _classes_and_targets(y[train])
            path = RidgePath(X[train], targets, products=of_train)
            for model, row in zip(models, predictions, strict=True):
                model.classes_ = classes
                model._use(path)
                row.append(model._labels(model._outputs(X[test])))
        return SearchResult(candidates, predictions, [y[test] for _, test in splits])

    def _search_rows(self, candidates: list[dict[str, Any]], X: Rows, y: Array, splits: Splits) -> SearchResult:
        models = [self.with_candidate(candidate) for candidate in candidates]
        predictions: list[list[Array]] = [[] for _ in models]
        for train, test in progress(splits, len(splits), f"searching {len(candidates)} candidates"):
            classes = _classes_of(y[train])
            path = _path_of_rows(X[train], y[train], classes)
            for model in models:
                model.classes_, model.is_multilabel_ = classes, False
                model._use(path)

            def labels(rows: Array) -> Array:
                return np.stack([model._labels(model._outputs(rows)) for model in models], axis=1)

            for row, found in zip(predictions, X[test].collect(labels).T, strict=True):
                row.append(found)
        return SearchResult(candidates, predictions, [y[test] for _, test in splits])

    def decision_function(self, X: Any) -> Array:
        """Return the output of each class, `(n_clips, n_classes)`; `(n_clips,)` for two classes."""
        check_is_fitted(self)
        return self._outputs(validate_data(self, X, reset=False, dtype=np.float64))

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`, in the form of those of the fit."""
        outputs = self.decision_function(X)
        return (outputs > 0).astype(int) if self.is_multilabel_ else self._labels(outputs)

    def __sklearn_tags__(self) -> Any:
        """Return the tags of scikit-learn, which say that a clip may have several labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _choices(self) -> tuple[float, ...]:
        """Return the penalties to choose from.

        Raises:
            ValueError: An argument is invalid.
        """
        if isinstance(self.alpha, str):
            if self.alpha not in ("loo", SEARCH):
                raise ValueError(f"alpha={self.alpha!r}; expected 'loo', 'search' or a number above 0")
        elif not _is_penalty(self.alpha):
            raise ValueError(f"alpha={self.alpha!r}; expected 'loo', 'search' or a number above 0")
        if self.alphas is not None and not _are_penalties(self.alphas):
            raise ValueError(f"alphas={self.alphas!r}; expected a list of numbers above 0")
        if not isinstance(self.alpha, str):
            return (float(self.alpha),)
        return ALPHAS if self.alphas is None else tuple(map(float, self.alphas))

    def _use(self, path: RidgePath | RidgeBatches) -> None:
        """Choose the penalty, and set the attributes of a fit."""
        self.alphas_ = np.array(self._choices())
        self.loo_errors_ = path.leave_one_out_errors(self.alphas_)
        good = self.loo_errors_ <= self.loo_errors_.min() * (1 + _ROUNDING)
        self.alpha_ = float(self.alphas_[good.argmax()])  # the first
        weights, self.intercept_ = path.solution(self.alpha_)
        self.coef_ = weights.T

    def _outputs(self, X: Array) -> Array:
        outputs = X @ self.coef_.T + self.intercept_
        return np.asarray(outputs[:, 0] if outputs.shape[1] == 1 else outputs)

    def _labels(self, outputs: Array) -> Array:
        return np.asarray(self.classes_[outputs.argmax(axis=1) if outputs.ndim == 2 else (outputs > 0).astype(int)])


def _is_penalty(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < np.inf


def _are_penalties(values: object) -> bool:
    found = list(values) if isinstance(values, Iterable) else []
    return bool(found) and all(map(_is_penalty, found))


def _classes_and_targets(y: Array) -> tuple[Array, Array]:
    """Return the classes of labels, and the targets of +1 and -1 of each output, `(n_clips, n_outputs)`.

    Raises:
        ValueError: There is only one class.
    """
    classes = _classes_of(y)
    return classes, _targets(y, classes)


def _classes_of(y: Array) -> Array:
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"all labels are of one class, {classes.tolist()[0]!r}; expected two classes or more")
    return classes


def _targets(y: Array, classes: Array) -> Array:
    outputs = classes[1:] if len(classes) == 2 else classes
    return np.where(outputs == y[:, None], 1.0, -1.0)


def _path_of_rows(X: Rows, y: Array, classes: Array) -> RidgePath | RidgeBatches:
    """Return the regressions of clips that are read in batches.

    Fewer clips than features take no more memory than the products of features, so they are read at once.
    """
    if is_dual(*X.shape):
        return RidgePath(np.asarray(X.read(), np.float64), _targets(y, classes))
    return RidgeBatches(X, lambda positions: _targets(y[positions], classes))


def _products_of_train(X: Array, splits: Splits) -> Iterator[Array]:
    """Yield the products of the centred training clips of each split, as `RidgePath` needs them."""
    X = X - X.mean(axis=0)  # large means would cancel below
    of_clips = [is_dual(len(train), X.shape[1]) for train, _ in splits]
    kernel = X @ X.T if any(of_clips) else np.zeros(())
    trains = [train for (train, _), dual in zip(splits, of_clips, strict=True) if not dual]
    sums = sums_of_train(X, np.zeros((len(X), 0)), trains)
    for (train, _), dual in zip(splits, of_clips, strict=True):
        if dual:
            of_train = kernel.take(train, 0).take(train, 1)
            means = of_train.mean(axis=0)
            yield of_train - means - means[:, None] + means.mean()
        else:
            means = X[train].mean(axis=0)
            yield next(sums)[0] - len(train) * np.outer(means, means)
