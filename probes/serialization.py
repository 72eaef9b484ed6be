"""Serialization of a trained backend as bytes that cannot run code.

Arrays are stored as safetensors, and the rest by skops. Nothing is built before all types that the skops archive names
are known to be trusted.
"""

import copy
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..backends import Backend
from ..backends.standardized import Standardize, Standardized
from ..errors import CheckpointError
from ..registry import BACKENDS

_TRUSTED = frozenset(
    {
        f"{Standardized.__module__}.{Standardized.__qualname__}",
        # Types of scikit-learn in bundled backends.
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._sgd_fast.Hinge",
        "sklearn.linear_model._stochastic_gradient.SGDClassifier",
        "sklearn.neighbors._classification.KNeighborsClassifier",
        "sklearn.neighbors._nearest_centroid.NearestCentroid",
        "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.preprocessing._label.LabelBinarizer",
        "sklearn.svm._classes.LinearSVC",
        "sklearn.svm._classes.SVC",
        # Plain values.
        *(f"builtins.{name}" for name in ("bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple")),
        *("builtins.NoneType", "builtins.slice", "collections.OrderedDict", "collections.defaultdict"),
        *("numpy.ndarray", "numpy.dtype", "numpy.bool", "numpy.int32", "numpy.int64", "numpy.float32", "numpy.float64"),
        *("numpy.ma.MaskedArray", "numpy.random.mtrand.RandomState", "numpy.random._generator.Generator"),
        *("numpy.random._mt19937.MT19937", "numpy.random._pcg64.PCG64"),
    }
)


def pack(backend: Backend) -> dict[str, Tensor]:
    """Return a trained backend as bytes in tensors, by name: its arrays as safetensors, the rest as skops."""
    bare, arrays = _without_arrays(backend)
    from skops.io import dumps, loads  # importing it takes a second

    stored = dumps(bare)
    loads(stored, trusted=sorted(_types_of(stored)))  # fails now rather than when the checkpoint is used
    return {"arrays": _as_tensor(safetensors.numpy.save(arrays)), "skops": _as_tensor(stored)}


def unpack(
    content: Mapping[str, Tensor], name: str, standardize: Standardize, path: str | Path, trust: Sequence[str]
) -> Backend:
    """Return the trained backend that `pack` has packed.

    Args:
        content: Bytes that `pack` has returned.
        name: Registered name that the backend must have.
        standardize: Standardization that the backend must use.
        path: Path of the checkpoint, for messages.
        trust: Further types that may be built, each as `module.Class`.

    Raises:
        CheckpointError: The backend names a type that is not trusted, or is damaged.
    """
    from skops.io import get_untrusted_types, loads  # importing it takes a second

    try:
        stored = content["skops"].numpy().tobytes()
        trusted = {*_TRUSTED, *_registered_types(), *trust}
        unknown = sorted({*_types_of(stored), *get_untrusted_types(data=stored)} - trusted)
        if unknown:
            raise CheckpointError(
                f"{path}: its backend names types that are not trusted: {', '.join(unknown)}; if you know where the "
                f"file comes from, allow them with --trust {quoted(sorted({*trust, *unknown}))}"
            )
        backend = loads(stored, trusted=sorted(trusted))
        _give_arrays(backend, safetensors.numpy.load(content["arrays"].numpy().tobytes()))
        if isinstance(backend, Standardized) != (standardize == "zscore"):
            raise ValueError(f"it does not read what standardize={standardize!r} says")
        reader = backend.backend_ if isinstance(backend, Standardized) else backend
        if not isinstance(reader, BACKENDS.get(name)):
            raise ValueError(f"it is a {type(reader).__name__}, not the {name!r} it says")
    except CheckpointError:
        raise
    except Exception as error:  # skops may raise anything for a damaged archive
        raise CheckpointError(f"{path}: its backend is damaged ({error}); fit the probe again") from error
    return backend  # type: ignore[no-any-return]


def quoted(types: Sequence[str]) -> str:
    """Return types in the form that `--trust` takes on a command line."""
    return types[0] if len(types) == 1 else f"'[{', '.join(types)}]'"


def _without_arrays(backend: Backend) -> tuple[Backend, dict[str, NDArray[Any]]]:
    """Return a copy without arrays of numbers, and these by name: `coefs_`, or `backend_.coefs_` of a nested one."""
    bare, arrays = copy.copy(backend), dict[str, NDArray[Any]]()
    for name, value in vars(backend).items():
        if isinstance(value, Backend):
            inner, found = _without_arrays(value)
            setattr(bare, name, inner)
            arrays |= {f"{name}.{key}": array for key, array in found.items()}
        elif type(value) is np.ndarray and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
            delattr(bare, name)
            arrays[name] = np.asarray(value, order="C")
    return bare, arrays


def _give_arrays(backend: object, arrays: dict[str, NDArray[Any]]) -> None:
    """Set the arrays that `_without_arrays` has removed."""
    for name, array in arrays.items():
        owner, (*path, last) = backend, name.split(".")
        for part in path:
            owner = vars(owner)[part]
        stated = getattr(type(owner), last, None)
        if not isinstance(owner, Backend) or last.startswith("__") or callable(stated) or hasattr(stated, "__get__"):
            raise ValueError(f"array {name!r} belongs to no backend")
        setattr(owner, last, array)


def _as_tensor(content: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(content, np.uint8).copy())


def _types_of(stored: bytes) -> set[str]:
    """Return all types that skops would build, at any depth."""
    # The audit of skops skips all of scikit-learn, where some types call any method by its name.
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        waiting: list[Any] = [json.loads(archive.read("schema.json"))]
    found: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node:
                found.add(f"{node['__module__']}.{node['__class__']}")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def _registered_types() -> Iterable[str]:
    """Return the types of registered backends by their definition, without those that cannot be imported."""
    loaded, _ = BACKENDS.load_all()
    return (f"{cls.__module__}.{cls.__qualname__}" for cls in loaded.values())
