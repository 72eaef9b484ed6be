"""The checkpoint of a fitted probe: a file that cannot run code.

It holds tensors and plain Python, which `archive` reads, as does `torch.load(..., weights_only=True)`. Plug-ins are
recorded by their registered names, never as classes to import; a backend is packed by `serialization`. A digest detects
damage, not intent.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..backends import Backend
from ..backends.standardized import Standardized
from ..datamodules.classes import classes_learned
from ..errors import CheckpointError, UntrainedError
from ..files import is_plain, other_format, plain, write_atomically
from ..frontends import Frontend
from ..registry import BACKENDS, FRONTENDS
from . import archive
from .guard import fingerprints, repeated
from .recipe import Recipe
from .serialization import pack

if TYPE_CHECKING:
    from ..datamodules import AudioDataModule
    from .probe import EmbeddedData, Probe

FORMAT = 4
"""Version of the content; raise it when older checkpoints can no longer be read."""
MAX_DEPTH, MAX_VALUES = 8, 10_000_000  # bounds of the content, so that no file can make the reader hang


def name_frontend(frontend: Frontend) -> tuple[str, dict[str, Any]]:
    """Return the registered name and the plain arguments of a frontend.

    Raises:
        CheckpointError: The frontend is not registered, or an argument is not a plain value.
    """
    name = FRONTENDS.name_of(type(frontend))
    if name is None:
        raise CheckpointError(
            f"frontend {type(frontend).__qualname__} is not registered, so that no checkpoint can name it; register "
            "it as an entry point of its package, or with @FRONTENDS.register(name)"
        )
    odd = [key for key, value in frontend.arguments.items() if not is_plain(value)]
    if odd:
        raise CheckpointError(f"frontend {name!r}: argument {odd[0]} is no plain value, which a checkpoint cannot hold")
    return name, {key: plain(value) for key, value in frontend.arguments.items()}


def name_backend(backend: Backend) -> str:
    """Return the registered name of a backend, also of one that reads z-scores.

    Raises:
        CheckpointError: The backend is not registered.
    """
    backend = backend.backend if isinstance(backend, Standardized) else backend
    name = BACKENDS.name_of(type(backend))
    if name is None:
        raise CheckpointError(
            f"backend {type(backend).__qualname__} is not registered, so that no checkpoint can name it; register it "
            "as an entry point of its package, or with @BACKENDS.register(name)"
        )
    return name


def save(
    path: Path,
    probe: "Probe",
    datamodule: "AudioDataModule",
    data: "EmbeddedData",
    scores: Mapping[str, float] | None = None,
) -> None:
    """Write a fitted probe, whole or not at all.

    Args:
        path: File to write.
        probe: Probe to save.
        datamodule: Data set that the probe was fitted to.
        data: Embeddings that the backend was fitted to.
        scores: Scores of the fit by name, of which the accuracy and its interval are kept.

    Raises:
        CheckpointError: The probe is not fitted, or has a part that cannot be saved.
    """
    frontend, backend = probe.require_frontend(), probe.require_backend()
    name, arguments = name_frontend(frontend)
    backend_name = name_backend(backend)
    if probe.selection is None:
        raise CheckpointError(f"backend {backend_name!r} is not fitted, so that there is nothing to save")
    recipe = Recipe(
        frontend=name,
        frontend_arguments=arguments,
        **frontend.options._asdict(),
        layers=probe.layers,
        standardize=probe.standardize,
        backend=backend_name,
        sample_rate=frontend.sample_rate,
        n_samples=datamodule.samples_at(frontend.sample_rate),
        fit_length=datamodule.fit_length,
        class_names=classes_learned(data.learned),
        protocol=probe.selection.protocol,
        fitted_to=fingerprints(data.store, datamodule, data.learned),
        tf32=probe.tf32,
        inverse_temperature=probe.selection.calibration.inverse_temperature,
        smoothing=probe.selection.calibration.smoothing,
        n_calibrated=probe.selection.calibration.n_clips,
        scores=_accuracies(scores or {}),
        selected_on_test=probe.selection.selected_on_test,
        also_tested=sorted(set(repeated(data, datamodule).values())),
        input_scalars=list(map(float, frontend.input_scalars)),
    )
    try:
        _write(path, recipe, frontend.state_dict(), pack(backend))
    except UntrainedError:
        raise
    except Exception as error:  # skops may raise anything for parts that it cannot write
        raise CheckpointError(f"backend {backend_name!r} cannot be saved: {error}") from error


def add_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Add the accuracy of a test, and its interval, to the checkpoint that was tested."""
    recipe, content = read(path)
    recipe = replace(recipe, scores={**recipe.scores, **_accuracies(scores)})
    _write(path, recipe, content["state_dict"], content["backend"])


def _accuracies(scores: Mapping[str, float]) -> dict[str, list[float]]:
    """Return each accuracy with the ends of its interval, without the other scores."""
    return {
        name: [float(scores[key]) for key in (name, f"{name}_low", f"{name}_high")]
        for name in scores
        if name.endswith("/accuracy")
    }


def _write(path: Path, recipe: Recipe, weights: Mapping[str, Tensor], backend: Mapping[str, Tensor]) -> None:
    content: dict[str, Any] = {
        "untrained": {"format": FORMAT, **asdict(recipe)},
        "state_dict": {name: tensor.cpu().contiguous() for name, tensor in weights.items()},
        "backend": dict(backend),
    }
    content["digest"] = _digest(content)
    written = io.BytesIO()
    torch.save(content, written)
    write_atomically(path, written.getvalue())


def read(path: str | Path) -> tuple[Recipe, dict[str, Any]]:
    """Read a checkpoint without building anything from it.

    Returns:
        The recipe, and the whole content.

    Raises:
        CheckpointError: The file does not exist, is not a checkpoint of this version, or holds more than tensors and
            plain Python.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; give the probe.ckpt that fit has written to its run's folder")
    ours = "expected the probe.ckpt that fit has written to its run's folder"
    if other := archive.named_kind(path):
        raise CheckpointError(f"{path} is {other}; give the probe.ckpt beside it")
    try:
        content = archive.load(path)
    except Exception as error:  # reading another file may raise anything
        found = error if isinstance(error, archive.ArchiveError) else "it cannot be read as tensors and plain values"
        raise CheckpointError(f"{path} is not loaded: {found}; {ours}") from error
    is_ours = isinstance(content, dict) and isinstance(content.get("untrained"), dict)
    if is_ours and content["untrained"].get("format") != FORMAT:
        written_as = content["untrained"].get("format")
        raise CheckpointError(f"{path} {other_format(written_as, FORMAT)} fit the probe again")
    if not is_ours or set(content) - {"digest"} != {"untrained", "state_dict", "backend"}:
        holds = str(sorted(map(str, content)))[:300] if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} is no checkpoint of untrained (it holds {holds}); {ours}")
    try:
        fields = {name: value for name, value in content["untrained"].items() if name != "format"}
        if content.pop("digest", None) != _digest(content):
            raise CheckpointError(f"{path} has changed since it was written; fit the probe again")
        return Recipe(**fields), content
    except CheckpointError:
        raise
    except Exception as error:  # odd values may make any function raise anything
        raise CheckpointError(f"{path} is damaged ({error}); fit the probe again") from error


def _digest(content: Any) -> str:
    """Return a hexadecimal digest of tensors and plain values in any containers.

    Raises:
        ValueError: The content holds anything else, or is nested too deeply.
    """
    found = hashlib.sha256()
    n_values = 0

    def add(value: Any, depth: int) -> None:
        nonlocal n_values
        n_values += 1
        if depth > MAX_DEPTH or n_values > MAX_VALUES:
            raise ValueError("it is nested deeper, or holds more, than any checkpoint")
        if isinstance(value, Tensor):
            if value.layout != torch.strided or not value.is_contiguous() or value.is_conj() or value.is_neg():
                raise ValueError("a tensor is not laid out as checkpoints have it")
            found.update(f"{value.dtype} {tuple(value.shape)}".encode())
            found.update(value.reshape(-1).view(torch.uint8).numpy().data)
        elif isinstance(value, dict | list | tuple):
            found.update(f"{len(value)} {isinstance(value, dict)}".encode())
            items = sorted(value.items()) if isinstance(value, dict) else value
            for item in items:
                add(item, depth + 1)
        else:
            found.update(f"{type(value).__name__} {value!r}".encode())

    add(content, 0)
    return found.hexdigest()
