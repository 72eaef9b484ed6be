"""Handling of backends that fail: candidates that raise errors, and invalid predictions."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import PluginError, UntrainedError, UsageError
from .rows import Rows

Array = np.ndarray[Any, Any]
MAX_SHOWN = 3  # number of failed candidates that a message lists


class FailedCandidate(NamedTuple):
    """A candidate that a search skips.

    Args:
        candidate: Arguments of the candidate.
        reason: Type and message of the error.
    """

    candidate: dict[str, Any]
    reason: str

    def __str__(self) -> str:
        return f"{self.candidate} fails with {self.reason}"


def reason_of(error: Exception) -> str:
    """Return the type and message of an error as one line.

    Example:
        >>> reason_of(NotImplementedError("no shrinkage"))
        'NotImplementedError: no shrinkage'
    """
    text = " ".join(str(error).split())
    return text if isinstance(error, UntrainedError) and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def failures_line(name: str, failed: Sequence[FailedCandidate], n_candidates: int) -> str:
    """Return a one-line message about the candidates of a backend that are skipped.

    Args:
        name: Name of the backend's class.
        failed: Candidates that failed.
        n_candidates: Number of all candidates.
    """
    shown = "; ".join(map(str, failed[:MAX_SHOWN])) + ("; ..." if len(failed) > MAX_SHOWN else "")
    return f"{len(failed)} of {n_candidates} candidates of {name} cannot be fitted and are skipped: {shown}"


def refuse_odd_candidates(backend: Any) -> None:
    """Raise an error if the candidates of a backend cannot be listed. Called before anything is computed.

    Raises:
        UsageError: `candidates` raises an error, or returns none.
    """
    name = type(backend).__name__
    try:
        found = list(backend.candidates())
    except (UntrainedError, MemoryError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise UsageError(f"the candidates of {name} cannot be listed: {reason_of(error)}") from error
    if not found:
        raise UsageError(
            f"{name} has no candidates; return at least one, for example {{}} if there is nothing to search"
        )


def refuse_all_failed(name: str, failed: Sequence[FailedCandidate], n_working: int) -> None:
    """Raise an error if all candidates of a search have failed.

    Raises:
        UsageError: All candidates failed.
    """
    if failed and not n_working:
        first = failed[0]
        if len(failed) == 1:
            which = f" with {first.candidate}" if first.candidate else ""
            raise UsageError(f"{name} cannot be fitted{which}: {first.reason}")
        raise UsageError(f"{name} cannot be fitted: all {len(failed)} candidates fail; for example, {first}")


def checked_labels(found: Any, n_clips: int, known: Array) -> Array:
    """Check predicted labels, and return them in the type of the labels that the backend was fitted to.

    Args:
        found: Return value of `predict`.
        n_clips: Number of clips.
        known: Labels that the backend was fitted to.

    Raises:
        ValueError: `found` does not hold one known label for each clip.
    """
    labels = np.asarray(found)
    if labels.shape != (n_clips,):
        raise ValueError(f"predict() returns shape {labels.shape} for {n_clips} clips; expected ({n_clips},)")
    if known.dtype.kind in "iu" and labels.dtype.kind not in "iufO":
        raise ValueError(f"predict() returns labels of type {labels.dtype}; expected {known.dtype}")
    known_labels = set(known.tolist())
    strange = [label for label in labels.tolist() if label not in known_labels]
    if strange:
        raise ValueError(f"predict() returns {strange[0]!r}; expected one of the labels that the backend was fitted to")
    return labels.astype(known.dtype)


def labels_of(model: Any, X: Array | Rows) -> Any:
    """Return what a fitted backend predicts, batch by batch for `Rows`."""
    return X.collect(model.predict) if isinstance(X, Rows) else model.predict(X)


def predicted(model: Any, X: Array | Rows) -> Array:
    """Return the labels that a fitted backend predicts.

    Args:
        model: Fitted backend.
        X: Embeddings, `(n_clips, n_features)`.

    Raises:
        PluginError: The backend raises an error, or does not predict one known label for each clip.
    """
    try:
        found = labels_of(model, X)
        known = np.asarray(getattr(model, "classes_", np.unique(found)))
        return checked_labels(found, len(X), known)
    except (UntrainedError, MemoryError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise PluginError(
            f"backend {type(model).__name__} cannot predict {len(X)} clips: {reason_of(error)}"
        ) from error


def fitted(model: Any, candidate: Mapping[str, Any], X: Array | Rows, y: Array) -> Any:
    """Return a fitted copy of a backend, with the arguments of a candidate.

    Raises:
        UsageError: The backend raises an error.
    """
    try:
        return model.with_candidate(candidate).fit(X, y)
    except (UntrainedError, MemoryError):
        raise
    except Exception as error:  # a plug-in may raise anything
        name = type(getattr(model, "backend", model)).__name__
        raise UsageError(f"{name} cannot be fitted with {dict(candidate)}: {reason_of(error)}") from error
