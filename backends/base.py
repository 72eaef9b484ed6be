"""Base class of backends: scikit-learn classifiers that can search over their own candidates."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, TypeVar

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import ParameterGrid

from ..terminal import progress
from .convergence import watch_convergence
from .guard import FailedCandidate, checked_labels, labels_of, reason_of, refuse_all_failed
from .rows import Rows

Array = np.ndarray[Any, Any]
Splits = Sequence[tuple[Array, Array]]
T = TypeVar("T")
Search = Literal["search"]
"""Type of the placeholder `'search'`: the grid search chooses the argument. Any other value fixes it."""
SEARCH: Search = "search"
"""Required default value of every argument in `param_grid`."""
COPIES = 48
"""Bytes that a search takes for each number of the embeddings: float32, float64, z-scores, and those of a split.

Measured by `benchmarks/fit_memory.py`.
"""


@dataclass(frozen=True)
class SearchResult:
    """Predictions of every candidate for the held-out clips of every split.

    Args:
        candidates: Arguments of each candidate.
        predictions: Predicted labels of the held-out clips, by candidate and split.
        truth: True labels of the held-out clips, by split.
        n_unconverged: Number of fits that stopped before converging.
        failed: Skipped candidates, which cannot be fitted.
    """

    candidates: list[dict[str, Any]]
    predictions: list[list[Array]]
    truth: list[Array]
    n_unconverged: int = 0
    failed: list[FailedCandidate] = field(default_factory=list)

    @cached_property
    def scores(self) -> Array:
        """Accuracies, `(n_candidates, n_splits)`."""
        return np.array(
            [[np.mean(given == true) for given, true in zip(row, self.truth, strict=True)] for row in self.predictions]
        )

    @property
    def best(self) -> int:
        """Index of the candidate with the highest mean accuracy over the splits; the first one in a tie."""
        return first_of_best(self.scores.mean(axis=1))

    @property
    def best_score(self) -> float:
        """Mean accuracy of the best candidate."""
        return float(self.scores[self.best].mean())


class Backend(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Base class of scikit-learn classifiers of embeddings.

    A plug-in defines `fit` and `predict`, like any scikit-learn classifier, and `param_grid`, the grid that is searched
    by default. Every argument in `param_grid` must have the default `search`, so that any other value is known to be
    given by the user and is fixed. In `fit`, call `unless_searched` to replace `search` with a value of your choice.
    Override `search` if the candidates can share work.

    Attributes:
        in_batches: Whether `fit` and `search` accept `Rows` instead of an array, so that a fit to many clips needs not
            hold all embeddings. The arguments of `predict` and `class_scores` are always arrays.
    """

    in_batches: ClassVar[bool] = False
    param_grid: ClassVar[Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]]] = {}

    def candidates(self) -> list[dict[str, Any]]:
        """Return the candidates that `search` tries: all combinations of `param_grid`, with given arguments fixed.

        Example:
            >>> from untrained.backends.svm import SVMClassifier
            >>> SVMClassifier(kernel="linear", C=5.0).candidates()
            [{'C': 5.0, 'kernel': 'linear'}]
        """
        grids = [dict(self.param_grid)] if isinstance(self.param_grid, Mapping) else [dict(g) for g in self.param_grid]
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        for name, value in self.get_params(deep=False).items():
            searching = [grid for grid in grids if name in grid]
            if searching and value != defaults[name]:
                # If only some of the grids list the value, such as that of one kernel, search only these.
                holding = [grid for grid in searching if value in grid[name]]
                grids = [{**grid, name: [value]} for grid in holding or searching]
            elif searching and value != SEARCH:
                warnings.warn(
                    f"{type(self).__name__} searches {name}: it cannot tell whether {name}={value!r} was passed, "
                    f"because {value!r} is also the default; set the default of {name} in __init__ to 'search'",
                    stacklevel=2,
                )
        return list(ParameterGrid(grids))

    def with_candidate(self, candidate: Mapping[str, Any]) -> Self:
        """Return an unfitted copy with the arguments of a candidate."""
        made: Self = clone(self).set_params(**candidate)
        return made

    def memory_needed(self, n_clips: int, n_features: int) -> int:
        """Estimate the memory that a search and a fit take if all embeddings are in memory, in bytes.

        Args:
            n_clips: Number of clips.
            n_features: Number of features of an embedding.
        """
        return COPIES * n_clips * n_features

    def announce(self, X: Any, y: Array, splits: Splits) -> None:
        """Warn if the search of these splits will take long; called before it. By default, nothing is announced.

        Args:
            X: Embeddings, `(n_clips, n_features)`, as the fits get them.
            y: Labels, `(n_clips,)`.
            splits: Pairs of the indices of training clips and of held-out clips.
        """

    def class_scores(self, X: Array) -> tuple[Array, str] | None:
        """Return the scores of the fitted backend for each class; a higher score means a more likely class.

        Args:
            X: Embeddings, `(n_clips, n_features)`.

        Returns:
            Scores `(n_clips, n_classes)` in the order of `classes_`, and their kind, such as `probability` or
            `decision value`; None if the backend predicts labels only.
        """
        return scores_of(self, X)

    def search(self, X: Any, y: Array, splits: Splits) -> SearchResult:
        """Fit every candidate to the training clips of every split, and predict the held-out clips.

        Args:
            X: Embeddings, `(n_clips, n_features)`; `Rows` only if `in_batches` is true.
            y: Labels, `(n_clips,)`.
            splits: Pairs of the indices of training clips and of held-out clips.

        Returns:
            Predictions of each candidate, in the order of `candidates`; candidates that cannot be fitted are left out.

        Raises:
            UsageError: No candidate can be fitted.
        """
        candidates = self.candidates()
        jobs = [(candidate, train, test) for candidate in candidates for train, test in splits]
        # Fits by batches run one after another, since each may take the memory that is allowed.
        n_jobs = 1 if isinstance(X, Rows) else -1
        fitted = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            joblib.delayed(_fit_and_predict)(self, candidate, X, y, train, test) for candidate, train, test in jobs
        )
        found = list(progress(fitted, len(jobs), f"searching {len(candidates)} candidates"))
        n = len(splits)
        rows = [[labels for labels, _ in found[start : start + n]] for start in range(0, len(jobs), n)]
        reasons = [next((labels for labels in row if isinstance(labels, str)), "") for row in rows]
        failed = [FailedCandidate(*each) for each in zip(candidates, reasons, strict=True) if each[1]]
        refuse_all_failed(type(self).__name__, failed, len(candidates) - len(failed))
        working = [number for number, reason in enumerate(reasons) if not reason]
        return SearchResult(
            candidates=[candidates[number] for number in working],
            predictions=[[np.asarray(labels) for labels in rows[number]] for number in working],
            truth=[y[test] for _, test in splits],
            n_unconverged=sum(not converged for _, converged in found),
            failed=failed,
        )


def unless_searched(value: Any, otherwise: T) -> T:
    """Return the value of an argument, or a fallback if the argument is left to the search.

    Args:
        value: Value of an argument in `param_grid`.
        otherwise: Fallback, which a fit without a search uses.

    Example:
        >>> unless_searched("search", 1.0), unless_searched(8.0, 1.0)
        (1.0, 8.0)
    """
    is_searched = isinstance(value, str) and value == SEARCH
    return otherwise if is_searched else value


def scores_of(classifier: Any, X: Array) -> tuple[Array, str] | None:
    """Return `class_scores` of any classifier that follows scikit-learn's conventions."""
    if hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict_proba(X)), "probability"
    if not hasattr(classifier, "decision_function") or getattr(classifier, "decision_function_shape", "ovr") != "ovr":
        return None  # decision values of pairs of classes are not scores of single classes
    values = np.asarray(classifier.decision_function(X))
    values = np.stack([-values, values], axis=1) if values.ndim == 1 else values
    return (values, "decision value") if values.shape[1] == len(classifier.classes_) else None


def first_of_best(means: Array) -> int:
    """Return the index of the largest value, or of the first one in a tie; differences below 1e-12 count as ties.

    Example:
        >>> import numpy as np
        >>> first_of_best(np.array([0.1, 0.3, 0.1 + 0.2]))
        1
    """
    return int(np.argmax(np.round(means, 12)))


def _fit_and_predict(
    backend: Backend, candidate: Mapping[str, Any], X: Array | Rows, y: Array, train: Array, test: Array
) -> tuple[Array | str, bool]:
    """Return predictions for the held-out clips, or the reason of a failure, and whether the fit converged."""
    try:
        with watch_convergence() as warned:
            model = backend.with_candidate(candidate).fit(X[train], y[train])
        return checked_labels(labels_of(model, X[test]), len(test), np.unique(y[train])), not warned
    except MemoryError:
        raise
    except Exception as error:  # a plug-in may raise anything
        return reason_of(error), True
