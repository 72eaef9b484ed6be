"""Weights of a trained frontend: a safetensors file, and the frozen frontend that has them."""

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import CheckpointError
from ..files import other_format, plain, write_atomically
from ..registry import FRONTENDS
from .base import Frontend
from .trainable import frozen

FORMAT = 1
"""Version of the content; raise it when older files can no longer be read."""
_KEY = "untrained"  # name of the only text in the metadata, because safetensors orders several at random
_MOST_READ = 2**24  # maximum number of bytes of a checkpoint that are searched for the name of its writer
_WANTED = "give the frontend.safetensors written by `untrained train`"


def save_weights(frontend: Frontend, path: Path | str, **provenance: str) -> None:
    """Write the weights, buffers and input scalars of a frontend, whole or not at all.

    Args:
        frontend: Frontend to save, on any device.
        path: File to write, usually named `frontend.safetensors`.
        **provenance: Further texts for the metadata by name, such as `n_samples`.

    Raises:
        StoreError: The file cannot be written.
    """
    described = {
        **provenance,
        "format": FORMAT,
        "frontend": _name_of(frontend),
        "arguments": plain(frontend.arguments),
        "sample_rate": frontend.sample_rate,
        "input_scalars": list(frontend.input_scalars),
    }
    # Cloned, because safetensors refuses tensors that share memory.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in frontend.state_dict().items()}
    write_atomically(Path(path), save(tensors, {_KEY: json.dumps(described, sort_keys=True)}))


def load_weights(frontend: Frontend, path: Path | str) -> Frontend:
    """Return a frozen copy of a frontend that has the weights, statistics and input scalars of a file.

    Args:
        frontend: Frontend of the same class and arguments as the trained one; its seed may differ.
        path: File written by `save_weights`.

    Raises:
        CheckpointError: The file cannot be read or is of another kind, or does not fit the frontend.

    Example:
        >>> import tempfile
        >>> from untrained.frontends.vgg import VGG
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(VGG(n_filters=2, seed=7), Path(folder, "frontend.safetensors"))
        ...     loaded = load_weights(VGG(n_filters=2), Path(folder, "frontend.safetensors"))
        >>> bool((loaded.convs[0].weight == VGG(n_filters=2, seed=7).convs[0].weight).all())
        True
    """
    described, tensors = _read(Path(path))
    _refuse_another(frontend, described, path)
    _refuse_unfit(frontend, tensors, described, path)
    loaded = frozen(frontend)
    loaded.load_state_dict(tensors)
    for module in loaded.modules():
        if isinstance(module, Frontend):
            module._awaits_weights = False
            module._is_random = False  # the seed no longer matters
            vars(module)["is_loaded"] = True  # but it can be trained further
    mean, deviation = described["input_scalars"]
    loaded.input_scalars = (float(mean), float(deviation))
    return loaded


def read_description(path: Path | str) -> dict[str, Any]:
    """Return the metadata of a file written by `save_weights`.

    Args:
        path: File to read.

    Returns:
        `format`, `frontend` (registered name), `arguments`, `sample_rate` in Hz, `input_scalars` (mean and standard
        deviation), and the texts that were given as provenance, by name.

    Raises:
        CheckpointError: The file cannot be read, or is of another kind.
    """
    return _read(Path(path), with_tensors=False)[0]


def _read(path: Path, *, with_tensors: bool = True) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"no weights at {path}; {_WANTED}")
    if found := _kind_of_zip(path):
        raise CheckpointError(f"{path} is {found}; {_WANTED}")
    try:
        with safe_open(path, framework="pt") as file:
            texts: Mapping[str, str] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in (file.keys() if with_tensors else ())}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a safetensors file, or is damaged ({error}); {_WANTED}") from error
    if _KEY not in texts:
        raise CheckpointError(f"{path} is a safetensors file without a description of a frontend; {_WANTED}")
    try:
        described = json.loads(texts[_KEY])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged description; {_WANTED}") from error
    if isinstance(described, dict) and described.get("format") != FORMAT:
        raise CheckpointError(f"{path} {other_format(described.get('format'), FORMAT)} train the frontend again")
    if not _is_complete(described):
        raise CheckpointError(f"{path} has a damaged description; {_WANTED}")
    return described, tensors


def _kind_of_zip(path: Path) -> str:
    """Return what kind of zip file it is, for messages; empty if it is not a zip file.

    Nothing is unpickled; the names that a checkpoint mentions show who wrote it.
    """
    with path.open("rb") as file:
        begins = file.read(4)
    if begins != b"PK\x03\x04" or not zipfile.is_zipfile(path):
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            content = archive.open(pickled).read(_MOST_READ) if pickled else b""
    except (OSError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile):
        content = b""
    if b"pytorch-lightning_version" in content:
        return "a checkpoint of Lightning, from which `untrained train` resumes, not a file of weights"
    if b"untrained" in content and b"backend" in content:
        return "the checkpoint of a probe, for `test` and `classify`, not a file of weights"
    return "a zip file, such as one written by torch.save, not a safetensors file"


def _is_complete(described: Any) -> bool:
    """Return whether a description has all parts, of the types that they should have."""
    if not isinstance(described, dict):
        return False
    scalars = described.get("input_scalars")
    return (
        isinstance(described.get("frontend"), str)
        and isinstance(described.get("arguments"), dict)
        and type(described.get("sample_rate")) is int
        and isinstance(scalars, list)
        and len(scalars) == 2
        and all(type(scalar) in (int, float) and math.isfinite(scalar) for scalar in scalars)
        and scalars[1] > 0
    )


def _refuse_another(frontend: Frontend, described: Mapping[str, Any], path: Path | str) -> None:
    """Raise if a file describes another frontend, or other arguments than those of a size.

    Raises:
        CheckpointError: The class, the sample rate or an argument differs.
    """
    name, given = _name_of(frontend), plain(frontend.arguments)
    if described["frontend"] != name:
        raise CheckpointError(
            f"{path} has the weights of frontend {described['frontend']!r}, not of {name!r}; give the weights of a "
            f"{name!r}, or choose --model.frontend {described['frontend']}"
        )
    known = described["arguments"]
    for key in sorted((given.keys() | known.keys()) - {"seed"}):
        mine, theirs = given.get(key), known.get(key)
        # None means that another argument decides, as with n_filters and size; the shapes then show what differs.
        if mine != theirs and mine is not None and theirs is not None:
            raise CheckpointError(
                f"{path} has the weights of a {name!r} with {key}={theirs!r}, but the frontend has {key}={mine!r}; "
                f"give --model.frontend.{key} {theirs}"
            )
    if described["sample_rate"] != frontend.sample_rate:
        raise CheckpointError(
            f"{path} has weights for {described['sample_rate']} Hz, but frontend {name!r} takes {frontend.sample_rate} "
            "Hz; train it again"
        )


def _refuse_unfit(
    frontend: Frontend, tensors: Mapping[str, Tensor], described: Mapping[str, Any], path: Path | str
) -> None:
    """Raise if the tensors of a file are not those of a frontend.

    Raises:
        CheckpointError: A tensor is missing, unknown, of another shape or type, or not finite.
    """
    wanted = frontend.state_dict()
    arguments = ", ".join(f"{key}={value!r}" for key, value in described["arguments"].items())
    remedy = f"it was trained with {arguments or 'no arguments'}; give the same arguments, or other weights"
    for kind, names in (("has no", wanted.keys() - tensors.keys()), ("has an unknown", tensors.keys() - wanted.keys())):
        if names:
            raise CheckpointError(f"{path} {kind} tensor {min(names)!r}; {remedy}")
    for name, expected in wanted.items():
        found = tensors[name]
        if found.shape != expected.shape or found.is_floating_point() != expected.is_floating_point():
            raise CheckpointError(
                f"{path}: tensor {name!r} has shape {tuple(found.shape)} and type {found.dtype}, expected "
                f"{tuple(expected.shape)} and {expected.dtype}; {remedy}"
            )
        if not torch.isfinite(found).all():
            raise CheckpointError(f"{path}: tensor {name!r} has values that are not finite; train the frontend again")


def _name_of(frontend: Frontend) -> str:
    """Return the registered name of a frontend, or where its class is defined."""
    cls = type(frontend)
    return FRONTENDS.name_of(cls) or f"{cls.__module__}:{cls.__qualname__}"
