"""Checkpoint of a fitted probe: a file that cannot run code when it is loaded.

A checkpoint holds tensors and plain Python values, which `archive` and `torch.load(..., weights_only=True)` can read.
Plug-ins are recorded by their registered names, never as classes to import, and `serialization` packs the backend. A
digest detects damage, but not a deliberate change.
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
from ..frontends.planned import calibration_of
from ..registry import BACKENDS, FRONTENDS
from . import archive
from .guard import fingerprints, repeated
from .recipe import Recipe
from .serialization import pack

if TYPE_CHECKING:
    from ..datamodules import AudioDataModule
    from .embedded import EmbeddedData
    from .probe import Probe

FORMAT = 4
"""Version of the content; raise it when older checkpoints can no longer be read."""
REMEDY = "pass the run folder printed by `untrained fit`, or the probe.ckpt in it"
"""End of the message about a file that is not the checkpoint of a run."""
MAX_DEPTH, MAX_VALUES = 8, 10_000_000  # limits of nesting and number of values, so that no file can hang the reader


def name_frontend(frontend: Frontend) -> tuple[str, dict[str, Any]]:
    """Return the registered name and the plain arguments of a frontend.

    Raises:
        CheckpointError: The frontend is not registered, or an argument is not a plain value.
    """
    name = FRONTENDS.name_of(type(frontend))
    if name is None:
        raise CheckpointError(
            f"frontend {type(frontend).__qualname__} is not registered, so a checkpoint cannot name it; register it as "
            "an entry point of its package, or with @FRONTENDS.register(name)"
        )
    odd = [key for key, value in frontend.arguments.items() if not is_plain(value)]
    if odd:
        raise CheckpointError(f"frontend {name!r}: argument {odd[0]} is not a plain value, so it cannot be saved")
    return name, {key: plain(value) for key, value in frontend.arguments.items()}


def name_backend(backend: Backend) -> str:
    """Return the registered name of a backend, or of the backend that a `Standardized` contains.

    Raises:
        CheckpointError: The backend is not registered.
    """
    backend = backend.backend if isinstance(backend, Standardized) else backend
    name = BACKENDS.name_of(type(backend))
    if name is None:
        raise CheckpointError(
            f"backend {type(backend).__qualname__} is not registered, so a checkpoint cannot name it; register it as "
            "an entry point of its package, or with @BACKENDS.register(name)"
        )
    return name


def save(
    path: Path,
    probe: "Probe",
    datamodule: "AudioDataModule",
    data: "EmbeddedData",
    scores: Mapping[str, float] | None = None,
) -> None:
    """Write the checkpoint of a fitted probe atomically.

    Args:
        path: File to write.
        probe: Probe to save.
        datamodule: Data set that the probe was fitted to.
        data: Embeddings that the backend was fitted to.
        scores: Scores of the fit by name; only accuracies and their intervals are saved.

    Raises:
        CheckpointError: The probe is not fitted, or has a part that cannot be saved.
    """
    frontend, backend = probe.require_frontend(), probe.require_backend()
    name, arguments = name_frontend(frontend)
    backend_name = name_backend(backend)
    if probe.selection is None:
        raise CheckpointError(f"backend {backend_name!r} is not fitted, so the probe cannot be saved")
    calibration = calibration_of(frontend)
    if calibration and not calibration.weights:
        raise CheckpointError(f"frontend {name!r} is not calibrated yet, so the probe cannot be saved")
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
        calibration=[calibration.clips, calibration.weights] if calibration else [],
        input_scalars=list(map(float, frontend.input_scalars)),
    )
    try:
        _write(path, recipe, frontend.state_dict(), pack(backend))
    except UntrainedError:
        raise
    except Exception as error:  # skops may raise any error for parts that it cannot write
        raise CheckpointError(f"backend {backend_name!r} cannot be saved: {error}") from error


def add_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Add the accuracy on a test split, and its interval, to the checkpoint that was tested."""
    recipe, content = read(path)
    recipe = replace(recipe, scores={**recipe.scores, **_accuracies(scores)})
    _write(path, recipe, content["state_dict"], content["backend"])


def _accuracies(scores: Mapping[str, float]) -> dict[str, list[float]]:
    """Return the accuracies among scores, each with the ends of its interval."""
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
    """Read a checkpoint without building a frontend or a backend from it.

    Returns:
        Recipe of the probe, and the whole content of the file.

    Raises:
        CheckpointError: The file does not exist, is not a checkpoint of this version, or holds more than tensors and
            plain Python values.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; {REMEDY}")
    if other := archive.named_kind(path):
        raise CheckpointError(f"{path} is {other}; pass the probe.ckpt next to it")
    try:
        content = archive.load(path)
    except Exception as error:  # a file that is not a checkpoint may raise any error
        found = error if isinstance(error, archive.ArchiveError) else "it cannot be read as tensors and plain values"
        raise CheckpointError(f"cannot load {path}: {found}; {REMEDY}") from error
    is_ours = isinstance(content, dict) and isinstance(content.get("untrained"), dict)
    if is_ours and content["untrained"].get("format") != FORMAT:
        written_as = content["untrained"].get("format")
        raise CheckpointError(f"{path} {other_format(written_as, FORMAT)} fit the probe again")
    if not is_ours or set(content) - {"digest"} != {"untrained", "state_dict", "backend"}:
        holds = str(sorted(map(str, content)))[:300] if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} is not a checkpoint of untrained (it holds {holds}); {REMEDY}")
    try:
        fields = {name: value for name, value in content["untrained"].items() if name != "format"}
        if content.pop("digest", None) != _digest(content):
            raise CheckpointError(f"{path} has changed since it was written; fit the probe again")
        return Recipe(**fields), content
    except CheckpointError:
        raise
    except Exception as error:  # unexpected values may raise any error
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
            raise ValueError("it is nested more deeply, or holds more values, than any checkpoint")
        if isinstance(value, Tensor):
            if value.layout != torch.strided or not value.is_contiguous() or value.is_conj() or value.is_neg():
                raise ValueError("a tensor is not contiguous and strided, as all tensors of a checkpoint are")
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
