"""Support vector machine with an approximate RBF kernel, whose time grows linearly with the number of clips."""

from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..terminal import progress
from .base import SEARCH, Array, Backend, Search, SearchResult, Splits, unless_searched
from .convergence import watch_convergence
from .linear_batches import Linear, fit_linear, second_moments, squared_hinge
from .rows import Rows, as_rows, begin_fit


class Features(NamedTuple):
    """Nyström features of clips.

    Args:
        rows: Features, `(n_clips, n_landmarks)`.
        moments: Their second moments, see `linear_batches.second_moments`.
        landmarks: Landmarks, `(n_landmarks, n_features)`.
        normalization: Matrix that turns kernel values of the landmarks into features, `(n_landmarks, n_landmarks)`.
    """

    rows: Rows
    moments: Array
    landmarks: Array
    normalization: Array


class NystroemSVM(Backend):
    """Linear support vector machine on Nyström features of an RBF kernel (Williams & Seeger 2001).

    The kernel of all clips is approximated from its columns for some random training clips, the landmarks. The
    features are those of scikit-learn's `Nystroem`. The machine has the squared hinge loss, one class against the
    rest, and is fitted by L-BFGS. Time and memory grow linearly with the number of clips, instead of quadratically or
    faster as with `svm`. The candidates are those of the RBF kernel of `svm`.

    Args:
        n_landmarks: Number of landmarks; all training clips if there are fewer. More are slower and closer to the
            exact kernel.
        C: Cost of a margin violation; `search` tries four, and a fit without a search uses 1.
        gamma: Kernel coefficient gamma; `auto` is 1 / n_features. `search` tries seven values, and a fit without a
            search uses `auto`.
        max_iter: Maximum number of iterations of L-BFGS.
        seed: Seed of the choice of the landmarks.

    Attributes:
        landmarks_: Landmarks, `(n_landmarks, n_features)`.
        coef_: Weights of the kernel values of the landmarks, `(n_landmarks, n_outputs)`. Two classes have one output.
        intercept_: Intercepts, `(n_outputs,)`.
        classes_: Class labels, sorted.
        n_iter_: Number of iterations.

    Example:
        >>> import numpy as np
        >>> NystroemSVM().fit(np.array([[0.0], [0.1], [1.0]]), ["a", "a", "b"]).predict(np.array([[0.9]]))
        array(['b'], dtype='<U1')
    """

    param_grid: ClassVar = {"gamma": [*(2.0**-power for power in range(3, 14, 2)), "auto"], "C": [0.1, 2.0, 8.0, 32.0]}
    in_batches: ClassVar = True

    def __init__(
        self,
        n_landmarks: int = 500,
        C: float | Search = SEARCH,
        gamma: float | Literal["auto"] | Search = SEARCH,
        max_iter: int = 1000,
        seed: int = 0,
    ) -> None:
        self.n_landmarks = n_landmarks
        self.C = C
        self.gamma = gamma
        self.max_iter = max_iter
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the machine to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        self._refuse_odd_arguments()
        if isinstance(X, Rows):
            y = begin_fit(self, X, y)
        else:
            X, y = validate_data(self, X, y, dtype=np.float64)
            check_classification_targets(y)
        return self._fit_features(self._features(X), y)

    def search(self, X: Array | Rows, y: Array, splits: Splits) -> SearchResult:
        """Run the search of `Backend.search`, with landmarks and kernels shared among costs."""
        candidates = self.candidates()
        if any(len(np.unique(y[train])) < 2 for train, _ in splits):
            return super().search(X, y, splits)  # reports why the fits fail
        models = [self.with_candidate(candidate) for candidate in candidates]
        predictions: list[list[Array]] = [[] for _ in models]
        n_unconverged = 0
        X = X if isinstance(X, Rows) else np.asarray(X, np.float64)
        jobs = [(split, number) for split in range(len(splits)) for number in range(len(models))]
        shared: dict[tuple[int, float], Features] = {}
        for split, number in progress(jobs, len(jobs), f"searching {len(candidates)} candidates"):
            train, test = splits[split]
            model = models[number]
            model._refuse_odd_arguments()
            model.n_features_in_ = X.shape[1]
            key = (split, model._coefficient)
            if key not in shared:
                shared = {key: model._features(X[train])}  # only the last one is kept
            with watch_convergence() as warned:
                model._fit_features(shared[key], y[train])
            n_unconverged += bool(warned)
            predictions[number].append(as_rows(X)[test].collect(model.predict))
        return SearchResult(candidates, predictions, [y[test] for _, test in splits], n_unconverged)

    def decision_function(self, X: Any) -> Array:
        """Return the output of each class, `(n_clips, n_classes)`; `(n_clips,)` for two classes."""
        check_is_fitted(self)
        outputs = self._kernel(validate_data(self, X, reset=False, dtype=np.float64)) @ self.coef_ + self.intercept_
        return np.asarray(outputs[:, 0] if len(self.classes_) == 2 else outputs)

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        outputs = self.decision_function(X)
        return np.asarray(self.classes_[outputs.argmax(1) if outputs.ndim == 2 else (outputs > 0).astype(int)])

    def memory_needed(self, n_clips: int, n_features: int) -> int:
        """Estimate the memory of a search, which holds the features of one kernel."""
        return super().memory_needed(n_clips, n_features) + 16 * n_clips * min(self.n_landmarks, n_clips)

    @property
    def _coefficient(self) -> float:
        """Kernel coefficient gamma as a number."""
        gamma = unless_searched(self.gamma, "auto")
        return 1.0 / self.n_features_in_ if gamma == "auto" else float(gamma)

    def _features(self, X: Array | Rows) -> "Features":
        """Choose landmarks, and return the features of the clips."""
        n = min(self.n_landmarks, len(X))
        chosen = np.sort(np.random.RandomState(self.seed).permutation(len(X))[:n])
        landmarks = np.asarray(X[chosen].read() if isinstance(X, Rows) else X[chosen], np.float64)
        made = Nystroem(kernel="rbf", gamma=self._coefficient, n_components=n, random_state=0).fit(landmarks)
        rows = X.map(made.transform, n_features=n) if isinstance(X, Rows) else as_rows(made.transform(X))
        return Features(rows, second_moments(rows), made.components_, made.normalization_.T)

    def _fit_features(self, features: "Features", y: Array) -> Self:
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"all labels are of one class, {self.classes_.tolist()[0]!r}; expected two or more")
        shown = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        found: Linear = fit_linear(
            features.rows,
            lambda positions: np.where(shown == y[positions, None], 1.0, -1.0),
            squared_hinge,
            len(shown),
            unless_searched(self.C, 1.0),
            self.max_iter,
            features.moments,
        )
        self.landmarks_, self.coef_ = features.landmarks, features.normalization @ found.weights
        self.intercept_, self.n_iter_ = found.intercepts.copy(), found.n_iterations
        return self

    def _kernel(self, X: Array) -> Array:
        return np.asarray(rbf_kernel(X, self.landmarks_, gamma=self._coefficient))

    def _refuse_odd_arguments(self) -> None:
        for name, least in (("n_landmarks", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}; expected an integer of {least} or more")
        for name in ("C", "gamma"):
            value = unless_searched(getattr(self, name), 1.0)
            if not isinstance(value, str) and not value > 0:
                raise ValueError(f"{name}={value}; expected a number above 0")
