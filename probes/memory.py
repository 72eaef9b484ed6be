"""Memory of a fit: how much it may take, and whether the backend reads all embeddings at once or in batches."""

from typing import Literal

from ..backends import Backend
from ..errors import UsageError
from ..files import machine_memory
from ..registry import BACKENDS

FitMemory = float | Literal["auto"]
"""Memory that a fit may take, in GiB; `auto` is `AUTO_SHARE` of the memory of the machine."""
AUTO_SHARE = 0.5
_MATRIX = 12  # bytes of each number of the embeddings: float32 as it is read, and float64 as it is used


def fit_memory(option: FitMemory) -> int:
    """Return the memory that a fit may take, in bytes.

    The default depends only on the machine and not on what else is running, so that a repeated fit goes the same way.

    Args:
        option: Memory in GiB, or `auto`.

    Raises:
        ValueError: The memory is not above 0.
    """
    if option == "auto":
        return int(AUTO_SHARE * machine_memory())
    if not 0 < option < float("inf"):
        raise ValueError(f"fit_memory={option}; expected 'auto', or a number of GiB above 0")
    return int(option * 2**30)


def goes_by_batches(backend: Backend, n_clips: int, n_features: int, memory: int) -> bool:
    """Return whether a backend is fitted to batches of rows, because an array of all rows would need too much memory.

    Args:
        backend: Backend to fit.
        n_clips: Number of clips that it is fitted to.
        n_features: Number of features of an embedding.
        memory: Memory that the fit may take, in bytes.

    Raises:
        UsageError: The backend needs an array of all rows, which does not fit into the memory.
    """
    if backend.memory_needed(n_clips, n_features) <= memory:
        return False
    if backend.in_batches:
        return True
    needed = _MATRIX * n_clips * n_features
    if needed > memory:
        name = BACKENDS.name_of(type(backend)) or type(backend).__name__
        scaling = sorted(name for name, cls in BACKENDS.load_all()[0].items() if getattr(cls, "in_batches", False))
        raise UsageError(
            f"{name} needs all embeddings in memory: {n_clips} rows of {n_features} features take {_gib(needed)} GiB, "
            f"but the fit may take {_gib(memory)} GiB; give a larger --model.fit_memory if the machine has it, or a "
            f"--model.backend that is fitted in batches: {', '.join(scaling)}"
        )
    return False


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.3g}"
