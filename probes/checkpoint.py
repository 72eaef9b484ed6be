"""A trained probe on disk, in a file that cannot run code.

`torch.load(..., weights_only=True)` reads it: tensors and plain Python. Plug-ins are recorded by their registered
names, never as classes to import; a backend is kept as `stored_backend` packs it. A digest tells damage, not intent.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from ..audio import FitLength
from ..backends import Backend
from ..backends.standardized import Standardize, Standardized
from ..errors import CheckpointError
from ..files import write_atomically
from ..frontends import Frontend
from ..frontends.base import Layers
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..plain import is_plain, plain
from ..registry import BACKENDS, FRONTENDS
from .serialization import pack, quoted

FORMAT = 3
_DEEPEST, _MOST_VALUES = 8, 10_000_000  # of what is read, so that no file can make the reader hang


@dataclass(frozen=True)
class Recipe:
    """What a probe was made of, beside its weights.

    Args:
        frontend: Registered name.
        frontend_arguments: By name, defaults included.
        init: Distribution of the frontend's weights.
        layers: That the backend has learned from.
        pooling: Of the frontend's maps.
        standardize: What the backend reads of features.
        backend: Registered name.
        sample_rate: In Hz.
        n_samples: Length of every waveform, in samples.
        fit_length: What is done with shorter clips.
        class_names: In the order of the backend's labels.
        protocol: By which the candidate was chosen.
        fitted_to: Fingerprints of the clips that it has learned from, which it must not be scored on.
    """

    frontend: str
    frontend_arguments: dict[str, Any]
    init: Init
    layers: Layers
    pooling: Pooling
    standardize: Standardize
    backend: str
    sample_rate: int
    n_samples: int
    fit_length: FitLength
    class_names: list[str]
    protocol: str
    fitted_to: list[str]

    def __post_init__(self) -> None:
        texts = ("frontend", "backend", "protocol")
        choices = {"init": Init, "pooling": Pooling, "standardize": Standardize, "fit_length": FitLength}
        names = {"class_names": self.class_names, "fitted_to": self.fitted_to}
        wrong = [name for name in texts if not isinstance(getattr(self, name), str)]
        wrong += [name for name, choice in choices.items() if getattr(self, name) not in get_args(choice)]
        wrong += [n for n, found in names.items() if not (type(found) is list and all(type(x) is str for x in found))]
        wrong += [n for n in ("sample_rate", "n_samples") if type(getattr(self, n)) is not int or getattr(self, n) < 1]
        if not isinstance(self.frontend_arguments, dict) or wrong:
            raise ValueError(f"{(wrong or ['frontend_arguments'])[0]} is not what a checkpoint holds")


def name_frontend(frontend: Frontend) -> tuple[str, dict[str, Any]]:
    """Registered name and plain arguments of a frontend.

    Raises:
        CheckpointError: It is not registered, or an argument is no plain value.
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
    """Registered name of a backend, or of what reads its z-scores.

    Raises:
        CheckpointError: It is not registered.
    """
    backend = backend.backend if isinstance(backend, Standardized) else backend
    name = BACKENDS.name_of(type(backend))
    if name is None:
        raise CheckpointError(
            f"backend {type(backend).__qualname__} is not registered, so that no checkpoint can name it; register it "
            "as an entry point of its package, or with @BACKENDS.register(name)"
        )
    return name


def save(path: Path, recipe: Recipe, frontend: Frontend, backend: Backend) -> None:
    """Write a trained probe, whole or not at all."""
    content: dict[str, Any] = {
        "untrained": {"format": FORMAT, **asdict(recipe)},
        "state_dict": {name: tensor.cpu().contiguous() for name, tensor in frontend.state_dict().items()},
        "backend": pack(backend),
    }
    content["digest"] = _digest(content)
    written = io.BytesIO()
    torch.save(content, written)
    write_atomically(path, written.getvalue())


def read(path: str | Path) -> tuple[Recipe, dict[str, Any]]:
    """Read a checkpoint without building anything of it.

    Returns:
        The recipe, and the whole content.

    Raises:
        CheckpointError: There is no such file, or it is no checkpoint of ours, or it holds more than tensors and plain
            Python.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; give the probe.ckpt that fit has written to its run's folder")
    ours = "expected the probe.ckpt that fit has written to its run's folder"
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # torch's doubts end in the error below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is no checkpoint makes the unpickler raise
        types = _types_named(path)
        if types:
            found = f"it names {', '.join(types)}, which could run code"
        else:
            found = "it cannot be read as tensors and plain values"
        raise CheckpointError(f"{path} is not loaded: {found}; {ours}") from error
    if not isinstance(content, dict) or set(content) - {"digest"} != {"untrained", "state_dict", "backend"}:
        holds = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} is no checkpoint of untrained (it holds {holds}); {ours}")
    try:
        fields = dict(content["untrained"])
        written_as = fields.pop("format")
        if written_as != FORMAT:
            raise CheckpointError(f"{path} has format {written_as}, this version reads {FORMAT}; fit the probe again")
        if content.pop("digest", None) != _digest(content):
            raise CheckpointError(f"{path} has changed since it was written; fit the probe again")
        return Recipe(**fields), content
    except CheckpointError:
        raise
    except Exception as error:  # whatever odd values make of plain functions
        raise CheckpointError(f"{path} is damaged ({error}); fit the probe again") from error


def build_frontend(recipe: Recipe, content: dict[str, Any], path: str | Path, trust: Sequence[str]) -> Frontend:
    """The frontend of a checkpoint; its stored weights win over its seed.

    Args:
        recipe: Of the checkpoint.
        content: Of the checkpoint.
        path: Of the checkpoint, for messages.
        trust: Modules that it may import where its arguments name some.

    Raises:
        CheckpointError: It would import a module that is not trusted, or does not fit the frontend that is installed.
    """
    arguments = recipe.frontend_arguments
    named = [str(arguments[name]) for name in FRONTENDS.get(recipe.frontend).imports if name in arguments]
    odd = [module for module in named if not re.fullmatch(r"\w+(\.\w+)*", module)]
    if odd:
        raise CheckpointError(f"{path}: its frontend {recipe.frontend!r} names {odd[0]!r}, which is no module")
    unknown = [module for module in named if module not in trust]
    if unknown:
        raise CheckpointError(
            f"{path}: its frontend {recipe.frontend!r} would import {', '.join(unknown)}; if you know where the file "
            f"comes from, allow it with --trust {quoted(sorted({*trust, *unknown}))}"
        )
    try:
        made: Frontend = FRONTENDS.create(recipe.frontend, **recipe.frontend_arguments)
        frontend = made.with_options(recipe.init, recipe.pooling)
        frontend.load_state_dict(content["state_dict"])
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path} does not fit the frontend {recipe.frontend!r} that is installed "
            f"({' '.join(str(error).split())[:300]}); fit the probe again"
        ) from error
    if frontend.sample_rate != recipe.sample_rate:
        raise CheckpointError(
            f"{path} was fitted at {recipe.sample_rate} Hz, the frontend {recipe.frontend!r} that is installed reads "
            f"{frontend.sample_rate} Hz; fit the probe again"
        )
    return frontend


def _digest(content: Any) -> str:
    """Hexadecimal digest of tensors and plain values, whatever holds them.

    Raises:
        ValueError: It holds anything else, or is nested too deeply.
    """
    found = hashlib.sha256()
    n_values = 0

    def add(value: Any, depth: int) -> None:
        nonlocal n_values
        n_values += 1
        if depth > _DEEPEST or n_values > _MOST_VALUES:
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


def _types_named(path: Path) -> list[str]:
    """Types beside tensors and plain values that a checkpoint asks for; none are built."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # it is no checkpoint at all
        return []
