"""Embeddings of a batch and texts of a frontend, checked because a frontend may raise or return anything."""

import torch
from torch import Tensor

from ..errors import PluginError, UntrainedError
from .base import Frontend


def embed(frontend: Frontend, waveforms: Tensor) -> Tensor:
    """Compute and check the embeddings of a batch.

    Args:
        frontend: Frontend to run.
        waveforms: Waveforms, `(batch, n_samples)`.

    Returns:
        Embeddings, `(batch, embedding_size)`.

    Raises:
        PluginError: The frontend raises an error, or does not return embeddings of the size that it states.
    """
    who = f"frontend {named(frontend)}"
    try:
        found = frontend(waveforms)
    except (UntrainedError, OSError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # a plug-in may raise anything
        text = " ".join(str(error).split())
        kind = f"{type(error).__name__}: {text}".removesuffix(": ")
        raise PluginError(f"{who} cannot compute a batch of shape {tuple(waveforms.shape)}: {kind}") from error
    if not isinstance(found, Tensor):
        raise PluginError(f"{who} returns {type(found).__name__}; expected a tensor of embeddings")
    expected = (len(waveforms), frontend.embedding_size)
    if found.shape != expected:
        raise PluginError(
            f"{who} returns embeddings of shape {tuple(found.shape)}; expected {expected}, that is {expected[0]} clips "
            f"and the {expected[1]} features that it states as its embedding size"
        )
    if not found.is_floating_point():
        raise PluginError(f"{who} returns embeddings of type {found.dtype}; expected floating point")
    if found.device != waveforms.device:
        raise PluginError(f"{who} returns embeddings on {found.device}; expected them on {waveforms.device}")
    if len(found) > 1 and not torch.isfinite(found).any(dim=1).any():
        raise PluginError(f"{who} returns no finite number for any of {len(found)} clips, whose samples are finite")
    return found


def named(frontend: Frontend) -> str:
    """Return the name of a frontend for messages: its class, and any module that it wraps."""
    modules = [f"{name}={frontend.arguments[name]!r}" for name in frontend.imports if name in frontend.arguments]
    return " ".join([type(frontend).__name__, *modules])


def stated(frontend: Frontend, name: str) -> str:
    """Return a text that a frontend states, such as its `input`; empty if it states none.

    Args:
        frontend: Frontend, which may have a layer of that name.
        name: Name of the attribute.
    """
    found = getattr(frontend, name, "")
    return found if isinstance(found, str) else ""
