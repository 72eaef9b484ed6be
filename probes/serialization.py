"""Serialisation of a fitted backend to bytes that cannot run code.

skops writes the backend to an archive, with arrays as npy files that are read without pickle. All types in an
archive are checked against the trusted types before any object is created.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.svm import SVC
from torch import Tensor

from ..backends import Backend
from ..backends.standardized import Standardize, Standardized
from ..errors import CheckpointError
from ..registry import BACKENDS
from .archive import refuse_absurd_backend

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
    """Return a fitted backend as a skops archive, whose bytes are a tensor named `skops`."""
    from skops.io import dumps, loads  # importing it takes a second

    stored = _reproducible(dumps(backend))
    loads(stored, trusted=sorted(_types_of(stored)))  # raises now rather than when the checkpoint is used
    return {"skops": torch.from_numpy(np.frombuffer(stored, np.uint8).copy())}


def unpack(
    content: Mapping[str, Tensor], name: str, standardize: Standardize, path: str | Path, trust: Sequence[str]
) -> Backend:
    """Return the fitted backend packed by `pack`.

    Args:
        content: Bytes returned by `pack`.
        name: Registered name that the backend must have.
        standardize: Standardisation that the backend must use.
        path: Path of the checkpoint, for messages.
        trust: Additional types that may be built, each as `module.Class`.

    Raises:
        CheckpointError: The backend names a type that is not trusted, or is damaged.
    """
    from skops.io import get_untrusted_types, loads  # importing it takes a second

    try:
        stored = content["skops"].numpy().tobytes()
        refuse_absurd_backend(stored)
        trusted = {*_TRUSTED, *_registered_types(), *trust}
        unknown = sorted({*_types_of(stored), *get_untrusted_types(data=stored)} - trusted)
        if unknown:
            raise CheckpointError(
                f"{path}: its backend names types that are not trusted: {', '.join(unknown)}; if you know where the "
                f"file comes from, allow them with --trust {quoted(sorted({*trust, *unknown}))}"
            )
        backend = loads(stored, trusted=sorted(trusted))
        if isinstance(backend, Standardized) != (standardize == "zscore"):
            raise ValueError(f"its backend and standardize={standardize!r} do not match")
        reader = backend.backend_ if isinstance(backend, Standardized) else backend
        if not isinstance(reader, BACKENDS.get(name)):
            raise ValueError(f"it is a {type(reader).__name__}, but the checkpoint names the backend {name!r}")
        _refuse_odd_shapes(backend)
    except CheckpointError:
        raise
    except Exception as error:  # skops may raise any error for a damaged archive
        raise CheckpointError(f"{path}: its backend is damaged ({error}); fit the probe again") from error
    return backend  # type: ignore[no-any-return]


def _refuse_odd_shapes(backend: Backend) -> None:
    """Raise if the shapes of the arrays of a backend do not match, which numerical code would not notice.

    libsvm would read beyond the end of an array that is too short, and NumPy would broadcast a column to all features.

    Raises:
        ValueError: The shape of an array does not match the others.
    """
    waiting: list[Any] = [backend]
    while waiting:
        part = waiting.pop()
        found = vars(part)
        waiting += [inner for inner in found.values() if isinstance(inner, BaseEstimator)]
        for name in ("mean_", "deviation_", "biases_"):
            if name in found and np.ndim(found[name]) != 1:
                raise ValueError(f"{name} has {np.ndim(found[name])} axes")
        if isinstance(part, SVC):
            n, n_classes = len(part.support_vectors_), len(part.classes_)
            n_pairs = n_classes * (n_classes - 1) // 2
            is_sound = (
                part.kernel in ("rbf", "linear")
                and np.shape(part._n_support) == (n_classes,)
                and min(part._n_support) >= 0
                and sum(part._n_support) == len(part.support_) == n
                and np.shape(part._dual_coef_) == (n_classes - 1, n)
                and np.shape(part._intercept_) == (n_pairs,)
                and {len(part._probA), len(part._probB)} <= {0, n_pairs}
            )
            if not is_sound:
                raise ValueError("the arrays of its SVC do not fit together")


def _reproducible(stored: bytes) -> bytes:
    """Return a skops archive without memory addresses, random names and times, so that equal backends are equal."""
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    number_of: dict[int, int] = {}
    name_of = {"schema.json": "schema.json"}

    def renumbered(node: Any) -> Any:
        if isinstance(node, list):
            return [renumbered(item) for item in node]
        if not isinstance(node, dict):
            return node
        found = {key: renumbered(value) for key, value in node.items()}
        if isinstance(node.get("__id__"), int):
            found["__id__"] = number_of.setdefault(node["__id__"], len(number_of) + 1)  # to skops, 0 means no id
        if isinstance(node.get("file"), str) and node["file"] in content:
            found["file"] = name_of.setdefault(node["file"], f"{len(name_of)}{Path(node['file']).suffix}")
        return found

    content["schema.json"] = json.dumps(renumbered(json.loads(content["schema.json"]))).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, new_name in name_of.items():
            archive.writestr(zipfile.ZipInfo(new_name), content[name])  # dated 1980, not compressed
    return written.getvalue()


def quoted(types: Sequence[str]) -> str:
    """Return types as a value of the `--trust` option on a command line."""
    return types[0] if len(types) == 1 else f"'[{', '.join(types)}]'"


def _types_of(stored: bytes) -> set[str]:
    """Return all types that skops would build, at any depth."""
    # The audit of skops trusts all of scikit-learn, but some of its types call any method by name.
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
    """Return the types of all registered backends that can be imported, as `module.Class`."""
    loaded, _ = BACKENDS.load_all()
    return (f"{cls.__module__}.{cls.__qualname__}" for cls in loaded.values())
