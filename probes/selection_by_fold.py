"""Selection of a candidate when each outer fold has embeddings of its own, as with a calibrated frontend."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends.base import Backend, SearchResult, Splits, first_of_best
from ..backends.rows import Matrix
from ..datamodules.clip import Clip
from .selection import Resolved, Selection, score_folds, search


def select_by_fold(
    backend: Backend,
    X: Matrix,
    of_fold: Callable[[int], Matrix],
    y: NDArray[Any],
    clips: Sequence[Clip],
    protocol: Resolved,
) -> Selection:
    """Search the candidates of a backend on the embeddings of each fold, score the folds, and fit the best candidate.

    Args:
        backend: Backend whose candidates are searched.
        X: Embeddings computed with the frontend of the saved model, `(n_clips, n_features)`.
        of_fold: Function that returns the embeddings computed with the frontend that was calibrated without a fold.
            Those of one fold are in memory at a time.
        y: Labels, `(n_clips,)`.
        clips: Clips of the rows, for their folds.
        protocol: `nested`, which chooses for each fold on the other folds, or `study`, which chooses on all folds.
    """
    folds = np.array([clip.fold for clip in clips])
    names = np.unique(folds)
    outer = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in names]
    results = []
    for fold, split in zip(names, outer, strict=True):
        others = names[names != fold] if protocol == "nested" else []
        inner: Splits = [
            (np.flatnonzero((folds != fold) & (folds != other)), np.flatnonzero(folds == other)) for other in others
        ]
        results.append(search(backend, of_fold(int(fold)), y, [split, *inner]))
    results = _common(results)
    merged = SearchResult(
        candidates=results[0].candidates,
        predictions=[
            [result.predictions[index][0] for result in results] for index in range(len(results[0].candidates))
        ],
        truth=[result.truth[0] for result in results],
        n_unconverged=sum(result.n_unconverged for result in results),
        failed=results[0].failed,
    )
    if protocol == "nested":
        chosen = [first_of_best(result.scores[:, 1:].mean(axis=1)) for result in results]
    else:
        chosen = [merged.best] * len(names)
    selection = score_folds(
        protocol,
        backend,
        X,
        y,
        outer,
        merged,
        chosen,
        selected_on_test=protocol == "study",
        of_split=lambda number: of_fold(int(names[number])),
    )
    return replace(selection, n_fits=sum(len(result.candidates) * len(result.truth) for result in results) + 1)


def _common(results: Sequence[SearchResult]) -> list[SearchResult]:
    """Return results restricted to the candidates that could be fitted in all of them."""
    kept = [each for each in results[0].candidates if all(each in result.candidates for result in results)]
    failed = {str(each.candidate): each for result in results for each in result.failed}
    found = []
    for result in results:
        rows = [result.candidates.index(candidate) for candidate in kept]
        predictions = [result.predictions[row] for row in rows]
        found.append(SearchResult(kept, predictions, result.truth, result.n_unconverged, list(failed.values())))
    return found
