"""Protocols, which determine how candidates are chosen and scored.

`holdout` chooses on the validation split, fits to the train split and scores on the test split. `nested` scores each
fold with the candidate that was chosen on the other folds. `study` reports the best mean accuracy over the same folds
that the candidate was chosen on, as Pons & Serra (2018) did, and is therefore optimistic.
"""

import itertools
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..backends.base import Backend, SearchResult, Splits, first_of_best
from ..backends.convergence import watch_convergence
from ..backends.guard import FailedCandidate, checked_labels, fitted, reason_of
from ..backends.rows import Matrix
from ..datamodules.clip import Clip
from ..datamodules.splits import class_sizes, groups_of, stratified
from ..errors import DataError, PluginError, UntrainedError
from .calibration import Calibration, calibrate

Protocol = Literal["auto", "holdout", "nested", "study"]
_GIVE_PARTS = (
    "define a fold or a split for every clip, or assign folds at random with --data.folds if the data set has it"
)
Resolved = Literal["holdout", "nested", "study"]
_USE = "use --model.protocol {}"
MAX_SHOWN = 10  # number of classes that a message lists


@dataclass(frozen=True)
class Selection:
    """Result of a search: the fitted model, its score, and how it was chosen.

    Args:
        protocol: Protocol that was used: `holdout`, `nested` or `study`.
        model: The chosen candidate, fitted.
        candidates: Arguments of every candidate.
        candidate_scores: Mean accuracy of every candidate over the folds, or on the validation split.
        best: Index of the chosen candidate.
        score_name: Name of the score: `val/accuracy` for hold-out, `cv/accuracy` for folds.
        score: Accuracy as a fraction.
        scored: Indices of the scored clips.
        predictions: Predicted labels of the scored clips.
        fold_scores: Accuracy of each fold; empty for hold-out.
        fold_sizes: Number of clips in each fold, or in the validation split, whose accuracies the score averages.
        selected_on_test: Whether the candidate was chosen on the scored clips.
        calibration: Calibration of the model's scores on held-out clips.
        n_fits: Number of fits of the search, including the final fit of the chosen candidate.
        n_unconverged: Number of fits that did not converge.
        failed: Candidates that could not be fitted, which the search skipped.
    """

    protocol: str
    model: Backend
    candidates: list[dict[str, Any]]
    candidate_scores: list[float]
    best: int
    score_name: str
    score: float
    scored: NDArray[Any]
    predictions: NDArray[Any]
    fold_scores: list[float] = field(default_factory=list)
    fold_sizes: list[int] = field(default_factory=list)
    selected_on_test: bool = False
    calibration: Calibration = field(default_factory=Calibration)
    n_fits: int = 0
    n_unconverged: int = 0
    failed: list[FailedCandidate] = field(default_factory=list)

    @property
    def best_candidate(self) -> dict[str, Any]:
        """Arguments of the chosen candidate."""
        return self.candidates[self.best]


def resolve(protocol: Protocol, clips: Sequence[Clip]) -> Resolved:
    """Return the protocol that applies to clips; `auto` means hold-out if there is a test split and nested otherwise.

    Data with a test split is scored on that split under `study` too, as Pons & Serra (2018) did with GTZAN.

    Raises:
        DataError: The clips have neither the splits nor the folds that the protocol needs, there are fewer than two
            classes to learn, or there is no validation split and the train split is too small for inner folds.
    """
    has_test = any(clip.split == "test" for clip in clips)
    n_folds = len({clip.fold for clip in clips} - {None})
    if protocol == "holdout" or (has_test and protocol in ("auto", "study")):
        if not has_test or not any(clip.split == "train" for clip in clips):
            remedy = f"the data has folds: {_USE.format('nested')}" if n_folds >= 2 else _GIVE_PARTS
            raise DataError(f"protocol 'holdout' needs train and test splits, which are missing; {remedy}")
        _refuse_one_class({clip.label for clip in clips if clip.split == "train"}, "in the train split")
        if not any(clip.split == "validation" for clip in clips):
            n_inner_folds([clip for clip in clips if clip.split == "train"])
        return "holdout"
    if has_test:
        raise DataError(
            f"protocol {protocol!r} needs folds, but the data has a train and a test split; {_USE.format('holdout')}"
        )
    if n_folds < 2 or any(clip.fold is None for clip in clips):
        raise DataError(f"protocol {protocol!r} needs at least two folds, and a fold for every clip; {_GIVE_PARTS}")
    found: Resolved = "study" if protocol == "study" else "nested"
    if found == "nested" and n_folds < 3:
        raise DataError(
            "protocol 'nested' chooses candidates on the folds that it does not score, but the data has only two "
            f"folds; define three folds or more, or {_USE.format('study')}"
        )
    labels_of: dict[int, set[str]] = {}
    for clip in clips:
        labels_of.setdefault(clip.fold or 0, set()).add(clip.label)
    for left_out in itertools.combinations(sorted(labels_of), 1 if found == "study" else 2):
        rest = (labels for fold, labels in labels_of.items() if fold not in left_out)
        _refuse_one_class(set().union(*rest), f"outside {' and '.join(f'fold {fold}' for fold in left_out)}")
    return found


def _refuse_one_class(labels: Set[str], where: str) -> None:
    """Raise if there are fewer than two classes to learn.

    Raises:
        DataError: There are fewer than two classes.
    """
    if len(labels) < 2:
        only = f", only {next(iter(labels))!r}" if labels else ""
        remedy = "add clips, or change --data.seed for other random splits or folds"
        raise DataError(f"there are fewer than two classes {where}{only}; {remedy}")


def select(
    backend: Backend, X: Matrix, y: NDArray[Any], clips: Sequence[Clip], protocol: Resolved, seed: int = 0
) -> Selection:
    """Search the candidates of a backend, fit the chosen one and score it.

    Args:
        backend: Backend whose candidates are searched.
        X: Embeddings, `(n_clips, n_features)`.
        y: Labels, `(n_clips,)`.
        clips: Clips of the rows, whose splits and folds are used.
        protocol: Protocol that `resolve` returns for the whole data set.
        seed: Seed of the inner folds of the train split, which are used if there is no validation split.

    Raises:
        DataError: There are too few clips.
    """
    if protocol == "holdout":
        return _holdout(backend, X, y, clips, seed)
    folds = np.array([clip.fold for clip in clips])
    return (_study if protocol == "study" else _nested)(backend, X, y, folds)


def _holdout(backend: Backend, X: Matrix, y: NDArray[Any], clips: Sequence[Clip], seed: int) -> Selection:
    split = np.array([clip.split or "" for clip in clips])
    train, validation = np.flatnonzero(split == "train"), np.flatnonzero(split == "validation")
    if len(np.unique(y[train])) < 2:
        raise DataError("the clips of the train split that could be read have fewer than two classes; add clips")
    splits: Splits = [(train, validation)]
    if len(validation) == 0:
        learned = [clips[int(index)] for index in train]
        folds = stratified(n_inner_folds(learned), seed, y[train].tolist(), groups_of(learned))
        splits = [(train[inner], train[outer]) for inner, outer in folds]
    result = search(backend, X, y, splits)
    model, n_unconverged = _fit(backend, result, X[train], y[train])
    return Selection(
        protocol="holdout",
        model=model,
        candidates=result.candidates,
        candidate_scores=result.scores.mean(axis=1).tolist(),
        best=result.best,
        score_name="val/accuracy",
        score=result.best_score,
        scored=np.concatenate([test for _, test in splits]),
        predictions=np.concatenate(result.predictions[result.best]),
        fold_sizes=[len(test) for _, test in splits],
        calibration=calibrate(backend, result.candidates[result.best], X, y, splits),
        n_fits=len(result.candidates) * len(splits) + 1,
        n_unconverged=n_unconverged,
        failed=result.failed,
    )


def n_inner_folds(train: Sequence[Clip]) -> int:
    """Return the number of inner folds of the train split, which replace a missing validation split.

    Raises:
        DataError: A class has too few clips, or too few groups of clips, for two folds.
    """
    sizes = class_sizes(train)
    if small := sorted(label for label, n in sizes.items() if n < 2):
        more = f" and {len(small) - MAX_SHOWN} more" if len(small) > MAX_SHOWN else ""
        raise DataError(
            "without a validation split, every class needs at least two training clips (from different groups if clips "
            f"have groups); {', '.join(map(repr, small[:MAX_SHOWN]))}{more} {'have' if len(small) > 1 else 'has'} only "
            "one; add clips or a validation split, or exclude these classes"
        )
    return min(5, *sizes.values())


def _study(backend: Backend, X: Matrix, y: NDArray[Any], folds: NDArray[Any]) -> Selection:
    splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    result = search(backend, X, y, splits)
    return score_folds("study", backend, X, y, splits, result, [result.best] * len(splits), selected_on_test=True)


def _nested(backend: Backend, X: Matrix, y: NDArray[Any], folds: NDArray[Any]) -> Selection:
    """Run one search over all splits that nested cross-validation needs: one per fold, and one per pair of folds.

    The split of a pair serves both outer folds.
    """
    names = np.unique(folds)
    outer = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in names]
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    inner = []
    for i, j in pairs:
        left_out = (folds == names[i]) | (folds == names[j])
        inner.append((np.flatnonzero(~left_out), np.flatnonzero(left_out)))
    result = search(backend, X, y, [*outer, *inner])
    # inner_scores[candidate, i, j]: accuracy on fold j of the candidate fitted without folds i and j
    inner_scores = np.full((len(result.candidates), len(names), len(names)), np.nan)
    for index, (i, j) in enumerate(pairs):
        clips = inner[index][1]
        for candidate, row in enumerate(result.predictions):
            right = row[len(outer) + index] == y[clips]
            inner_scores[candidate, i, j] = right[folds[clips] == names[j]].mean()
            inner_scores[candidate, j, i] = right[folds[clips] == names[i]].mean()
    chosen = [first_of_best(np.nanmean(inner_scores[:, i], axis=1)) for i in range(len(names))]
    of_folds = replace(
        result, predictions=[row[: len(outer)] for row in result.predictions], truth=result.truth[: len(outer)]
    )
    selection = score_folds("nested", backend, X, y, outer, of_folds, chosen, selected_on_test=False)
    return replace(selection, n_fits=selection.n_fits + len(result.candidates) * len(inner))


def score_folds(
    protocol: str,
    backend: Backend,
    X: Matrix,
    y: NDArray[Any],
    splits: Splits,
    result: SearchResult,
    chosen: list[int],
    *,
    selected_on_test: bool,
    of_split: Callable[[int], Matrix] | None = None,
) -> Selection:
    """Score each fold with the candidate chosen for it, and fit the candidate that is best over all folds.

    `of_split` returns the embeddings of a split by its number, if they are not those of the model.
    """
    fold_scores = [float(result.scores[candidate, fold]) for fold, candidate in enumerate(chosen)]
    model, n_unconverged = _fit(backend, result, X, y)
    return Selection(
        protocol=protocol,
        model=model,
        candidates=result.candidates,
        candidate_scores=result.scores.mean(axis=1).tolist(),
        best=result.best,
        score_name="cv/accuracy",
        score=float(np.mean(fold_scores)),
        scored=np.concatenate([test for _, test in splits]),
        predictions=np.concatenate([result.predictions[candidate][fold] for fold, candidate in enumerate(chosen)]),
        fold_scores=fold_scores,
        fold_sizes=[len(test) for _, test in splits],
        selected_on_test=selected_on_test,
        calibration=calibrate(backend, result.candidates[result.best], of_split or X, y, splits),
        n_fits=len(result.candidates) * len(splits) + 1,
        n_unconverged=n_unconverged,
        failed=result.failed,
    )


def search(backend: Backend, X: Matrix, y: NDArray[Any], splits: Splits) -> SearchResult:
    """Search the candidates, and count convergence warnings of plug-ins that do not count them."""
    name = type(getattr(backend, "backend", backend)).__name__
    try:
        with watch_convergence() as warned:
            result = backend.search(X, y, splits)
        for candidate, row in zip(result.candidates, result.predictions, strict=True):
            for labels, (train, test) in zip(row, splits, strict=True):
                try:
                    checked_labels(labels, len(test), np.unique(y[train]))
                except ValueError as error:
                    raise PluginError(f"backend {name}: search() of {candidate}: {error}") from error
    except (UntrainedError, MemoryError, ValueError):
        raise
    except Exception as error:  # a plug-in may raise any error
        raise PluginError(f"backend {name}: search() raises {reason_of(error)}") from error
    n_fits = len(result.candidates) * len(splits)
    return replace(result, n_unconverged=min(result.n_unconverged + len(warned), n_fits))


def _fit(backend: Backend, result: SearchResult, X: Matrix, y: NDArray[Any]) -> tuple[Backend, int]:
    """Fit the best candidate, and return it with the number of fits, including this one, that did not converge."""
    with watch_convergence() as warned:
        model: Backend = fitted(backend, result.candidates[result.best], X, y)
    return model, result.n_unconverged + bool(warned)
