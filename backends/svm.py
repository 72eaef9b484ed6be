"""The support vector machine of Pons & Serra (2018)."""

import copy
import math
import os
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import joblib
import numpy as np
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from ..files import machine_memory
from ..terminal import progress
from .base import SEARCH, Array, Backend, Search, SearchResult, Splits, unless_searched
from .convergence import watch_convergence
from .scaling import FEW, as_order, seconds_of_fit

_COSTS = (0.1, 2.0, 8.0, 32.0)
SCALING = ("nystroem_svm", "linear_svm", "ridge", "elm", "logistic", "sgd")
"""Backends whose time grows in proportion to the number of clips; the first approximates this one."""
MANY = 10_000
"""Number of clips above which a search warns how long it takes."""
_CACHE = 500  # libsvm kernel cache in MB; libsvm never uses more than the float32 kernel needs


class SVMClassifier(Backend):
    """Support vector machine (libsvm, one-vs-one) with the 32 candidates of Pons & Serra (2018).

    The search computes the inner products of all clips once, and each kernel from them once for all costs and splits.
    The chosen machine is fitted without a precomputed kernel, so that it predicts directly from embeddings.

    Args:
        kernel: Kernel, `rbf` or `linear`; `search` tries both, and a fit without a search uses `rbf`.
        C: Cost of a margin violation; `search` tries four, and a fit without a search uses 1.
        gamma: Kernel coefficient gamma of the RBF kernel; a larger value gives a narrower kernel. `auto` is
            1 / n_features, and `scale` is 1 / (n_features * variance of the features). `search` tries seven values, and
            a fit without a search uses `auto`.
        max_iter: Maximum number of libsvm iterations for each pair of classes; -1 for no limit. Without a limit, linear
            machines on embeddings that are neither scaled nor separable take minutes for a few hundred clips.
        max_memory: Memory that the search may use for kernels, in GiB; if they do not fit, every fit computes its own
            kernel.

    Attributes:
        svc_: The fitted `sklearn.svm.SVC`.
        classes_: Class labels, sorted.
        n_iter_: Number of libsvm iterations for each pair of classes.

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
        kernel: Literal["rbf", "linear"] | Search = SEARCH,
        C: float | Search = SEARCH,
        gamma: float | Literal["auto", "scale"] | Search = SEARCH,
        max_iter: int = 100_000,
        max_memory: float = 6.0,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.max_iter = max_iter
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the machine to embeddings `(n_clips, n_features)` and labels `(n_clips,)`."""
        self._refuse_odd_arguments()
        X, y = validate_data(self, X, y, dtype=np.float64)
        svc = SVC(kernel=self._kernel, C=self._cost, gamma=self._gamma, max_iter=self.max_iter, cache_size=_CACHE)
        self.svc_ = svc.fit(X, y)
        self.classes_: Array = self.svc_.classes_
        self.n_iter_: Array = self.svc_.n_iter_
        return self

    def search(self, X: Array, y: Array, splits: Splits) -> SearchResult:
        """Run the search of `Backend.search`, with kernels shared among costs and splits."""
        self._refuse_odd_arguments()
        self.announce(X, y, splits)
        n_jobs = self._jobs_that_fit(len(X), max(len(train) for train, _ in splits))
        if n_jobs == 0:
            return super().search(X, y, splits)
        X = np.asarray(X, np.float64)
        candidates = self.candidates()
        machines = [self.with_candidate(candidate) for candidate in candidates]
        predictions: list[list[Array]] = [[np.zeros(0)] * len(splits) for _ in machines]
        # Machines to fit, by kernel and split.
        work: dict[float | None, dict[int, list[int]]] = {}
        for number, machine in enumerate(machines):
            for split, (train, _) in enumerate(splits):
                kernel = None if machine._kernel == "linear" else machine._coefficient(X, train)
                work.setdefault(kernel, {}).setdefault(split, []).append(number)
        products, n_unconverged = X @ X.T, 0
        for gamma, numbers_of in progress(work.items(), len(work), f"searching {len(candidates)} candidates"):
            kernel_matrix = products if gamma is None else _rbf(products, gamma)
            # With fewer splits than threads, each machine is a task. The slowest, of the highest cost, go first.
            alone = len(numbers_of) < n_jobs
            parts = [
                (split, part)
                for split, numbers in numbers_of.items()
                for part in ([[n] for n in sorted(numbers, key=lambda n: -machines[n]._cost)] if alone else [numbers])
            ]
            found = joblib.Parallel(n_jobs=n_jobs, prefer="threads")(
                joblib.delayed(_fit_and_predict)([machines[i] for i in numbers], kernel_matrix, y, *splits[split])
                for split, numbers in parts
            )
            for (split, numbers), (rows, n) in zip(parts, found, strict=True):
                n_unconverged += n
                for number, row in zip(numbers, rows, strict=True):
                    predictions[number][split] = row
        return SearchResult(candidates, predictions, [y[test] for _, test in splits], n_unconverged)

    def announce(self, X: Any, y: Array, splits: Splits) -> None:
        """Warn what the search will cost, if it is large; once, although `Standardized` searches splits one by one."""
        n_jobs = self._jobs_that_fit(len(X), max(len(train) for train, _ in splits))
        if (n_jobs == 0 or len(X) > MANY) and not vars(self).get("_warned"):
            warnings.warn(self._warning(X, y, splits, n_jobs), stacklevel=2)
            self._warned = True

    @property
    def _kernel(self) -> str:
        return unless_searched(self.kernel, "rbf")

    @property
    def _cost(self) -> float:
        return unless_searched(self.C, 1.0)

    @property
    def _gamma(self) -> float | str:
        return unless_searched(self.gamma, "auto")

    def _coefficient(self, X: Array, train: Array) -> float:
        """Return the kernel coefficient gamma as a number, derived from the training clips as in scikit-learn."""
        n_features: int = X.shape[1]
        if self._gamma == "auto":
            return 1.0 / n_features
        if self._gamma == "scale":
            variance = float(X[train].var())
            return 1.0 / (n_features * variance) if variance else 1.0
        return float(self._gamma)

    def _warning(self, X: Array, y: Array, splits: Splits, n_jobs: int) -> str:
        """Return the warning about a large search: why it is slow, how long it takes, and what to do."""
        holds = n_jobs > 0
        n_train = max(len(train) for train, _ in splits)
        needed = math.ceil(10 * sum(_memory(len(X), n_train)) / 2**30 + 0.1) / 10
        advice = [] if holds or needed * 2**30 > machine_memory() else [f"--model.backend.max_memory {needed:g}"]
        found = (
            ""
            if holds
            else f"max_memory={self.max_memory} GiB is too small for the kernels of {len(X)} clips: every fit "
            "computes its own kernel, which takes far longer"
        )
        if len(X) > MANY:
            slow = self.with_candidate(self.candidates()[-1])
            one = seconds_of_fit(slow.fit, np.asarray(X, np.float64), np.asarray(y), n_train)
            n, gib = len(self.candidates()), sum(_memory(len(X), n_train)) / 2**30
            splits_of = "one split" if len(splits) == 1 else f"each of {len(splits)} splits"
            estimate = f"the search needs {n} fits to {n_train} clips for {splits_of}, and {gib:.1f} GiB for kernels"
            if one is not None:
                in_all = one.seconds * n * len(splits) / min(max(n_jobs, 1), n * len(splits))
                estimate += (
                    f"; one fit takes {as_order(one.seconds)}, all fits {as_order(in_all)}, estimated from fits to "
                    f"{FEW} and {2 * FEW} clips and growth as n^{one.power:.1f}"
                )
            found = f"{found}; {estimate}" if found else f"svm on {len(X)} clips x {X.shape[1]} features: {estimate}"
            named = f"{', '.join(SCALING[:-1])} or {SCALING[-1]}"
            advice.append(f"--model.backend {named}, which scale with the number of clips")
        return f"{found}; give {', or '.join(advice)}" if advice else found

    def _jobs_that_fit(self, n_clips: int, n_train: int) -> int:
        """Return the number of splits that fit into `max_memory` at a time, besides the inner products and a kernel."""
        shared, each = _memory(n_clips, n_train)
        return max(0, min(os.cpu_count() or 1, int((self.max_memory * 2**30 - shared) // each)))

    def predict(self, X: Any) -> Array:
        """Predict the labels of embeddings `(n_clips, n_features)`."""
        X = self._checked(X)
        return np.asarray(self.svc_.predict(X))

    def decision_function(self, X: Any) -> Array:
        """Return class scores, `(n_clips, n_classes)`; `(n_clips,)` for two classes."""
        X = self._checked(X)
        return np.asarray(self.svc_.decision_function(X))

    def class_scores(self, X: Array) -> tuple[Array, str]:
        """Return soft votes: for each class, the sum of tanh(2 d), with its decision value d against each other class.

        The votes of `decision_function` are nearly the same for all clips that are assigned to one class. Soft votes
        also distinguish a narrow win from a clear one, and are better suited for calibration. If wins are narrow,
        the class with the highest score may differ from the predicted class, which wins the most pairs.
        """
        X = self._checked(X)
        pairwise = copy.copy(self.svc_).set_params(decision_function_shape="ovo")
        decided = np.tanh(2 * pairwise.decision_function(X))
        n_classes = len(self.classes_)
        if decided.ndim == 1:  # two classes; positive values are for the second
            return np.stack([-decided, decided], axis=1), "soft vote"
        first, second = np.triu_indices(n_classes, 1)  # the order of libsvm's pairs
        signs = np.zeros((len(first), n_classes))
        signs[np.arange(len(first)), first], signs[np.arange(len(first)), second] = 1, -1
        return decided @ signs, "soft vote"

    def _refuse_odd_arguments(self) -> None:
        if not 0 <= self.max_memory < math.inf:
            raise ValueError(f"max_memory={self.max_memory}; expected a finite number of GiB, 0 or more")

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))


def _memory(n_clips: int, n_train: int) -> tuple[int, int]:
    """Return the memory of the inner products and a kernel, and that of each concurrently fitted split, in bytes."""
    return 2 * 8 * n_clips**2, 8 * n_train * n_clips + min(4 * n_train**2, _CACHE * 2**20)


def _rbf(products: Array, gamma: float) -> Array:
    """Return the RBF kernel with coefficient gamma of all clips, from their inner products."""
    squares = np.diag(products)
    kernel = products * -2.0
    kernel += squares
    kernel += squares[:, None]
    np.maximum(kernel, 0, out=kernel)
    kernel *= -gamma
    return np.asarray(np.exp(kernel, out=kernel))


def _fit_and_predict(
    machines: Sequence[SVMClassifier], kernel: Array, y: Array, train: Array, test: Array
) -> tuple[list[Array], int]:
    """Return the predictions of machines that differ only in their costs, and how many did not converge."""
    learned, asked = kernel[np.ix_(train, train)], kernel[np.ix_(test, train)]
    rows, n_unconverged = [], 0
    for machine in machines:
        svc = SVC(kernel="precomputed", C=machine._cost, max_iter=machine.max_iter, cache_size=_CACHE)
        with watch_convergence() as warned:
            svc.fit(learned, y[train])
        n_unconverged += bool(warned)
        rows.append(svc.predict(asked))
    return rows, n_unconverged
