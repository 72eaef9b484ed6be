"""Keys of stores and runs: everything that determines embeddings and results, as plain fields.

A store is reused, and a run counts as done, only if all fields of its key equal the current ones. Parts of this package
enter a key by a version number. Tests with golden values guard these numbers: they fail if values change and the number
does not. Plug-ins of other packages enter a key by a digest of their source.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..backends import Backend
from ..files import plain
from ..frontends import Frontend
from ..frontends.calibrating import IDENTITY
from ..frontends.planned import calibration_of
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, Registry
from .sources import is_ours, source_digest

if TYPE_CHECKING:
    from ..datamodules import AudioDataModule

VERSIONS = {
    "audio decoding": 2,  # audio.load: decoding, mixing, resampling, fitting to a length
    "frontends": 2,  # representations, distributions of weights, pooling, repetition of short clips
    "selection": 1,  # protocols and scores
    "z-scoring": 1,
    "frontend drawn": 2,  # shapes of the family `shapes` are sorted since version 2
    "backend svm": 2,  # class scores are soft votes since version 2
}
"""Versions of the parts of this package.

If a change alters the values that a part computes, raise its version and update the golden values of the tests. Each
plug-in of this package has its own version, under its kind and name, such as `frontend vgg`. Parts that are not listed
have version 1.
"""


def precision_field(precision: str, module: object) -> str:
    """Return the precision field of a key: the precision of the trainer, with `+tf32` if the module uses TF32.

    Args:
        precision: Precision of the trainer.
        module: Module that computes the embeddings, such as a `Probe`.

    Example:
        >>> from types import SimpleNamespace
        >>> precision_field("32-true", SimpleNamespace(tf32=True))
        '32-true+tf32'
    """
    return f"{precision}+tf32" if getattr(module, "tf32", False) else precision


def embedding_fields(frontend: Frontend, datamodule: "AudioDataModule", precision: str) -> dict[str, Any]:
    """Return everything that determines the embeddings of a data set computed with a frontend, as plain Python values.

    Args:
        frontend: Frontend that computes the embeddings.
        datamodule: Data set of the clips.
        precision: Precision field, see `precision_field`.
    """
    return {**frontend_fields(frontend), **data_fields(datamodule, frontend.sample_rate, precision)}


def frontend_fields(frontend: Frontend) -> dict[str, Any]:
    """Return the fields of a frontend that determine its embeddings, as plain Python values."""
    cls = type(frontend)
    is_used = {name: name != "seed" or frontend.is_random for name in frontend.arguments}
    classes = {base for module in frontend.modules() for base in type(module).__mro__}
    calibration = calibration_of(frontend)
    # Calibrated statistics are determined by the uncalibrated weights and the clips.
    before = calibration.weights if calibration else ""
    scalars = {} if calibration or frontend.input_scalars == IDENTITY else {"input_scalars": [*frontend.input_scalars]}
    return {
        "frontend": FRONTENDS.name_of(cls) or cls.__qualname__,
        "arguments": {name: plain(value) for name, value in frontend.arguments.items() if is_used[name]},
        **frontend.options._asdict(),
        # Empty if the weights are still to be drawn, because the seed determines them.
        "weights": before or ("" if frontend.awaits_weights else weights_digest(frontend)),
        **({"calibrated_on": calibration.clips} if calibration else {}),
        **scalars,
        "code": {**_versions("frontends"), **_code(FRONTENDS, classes, _imported_modules(frontend))},
        "representation": repr(frontend.representation),
        "sample_rate": frontend.sample_rate,
    }


def data_fields(datamodule: "AudioDataModule", sample_rate: int, precision: str) -> dict[str, Any]:
    """Return the fields of a data set, and the precision, that determine embeddings, as plain Python values."""
    fields = waveform_fields(datamodule, sample_rate)
    del fields["sample_rate"]  # the frontend's
    is_rounded = datamodule.cache == "int16"
    return {**fields, "precision": precision, **({"waveforms": "int16"} if is_rounded else {})}


def waveform_fields(datamodule: "AudioDataModule", sample_rate: int) -> dict[str, Any]:
    """Return the fields of a data set that determine its waveforms at a sample rate, as plain Python values."""
    reader = next(cls for cls in type(datamodule).__mro__ if "read" in vars(cls))
    makes_sounds = is_ours(reader) and reader is not DATAMODULES.contract  # the `read` of a plug-in may decode audio
    return {
        "n_samples": datamodule.samples_at(sample_rate),
        "sample_rate": sample_rate,
        "fit_length": datamodule.fit_length,
        "source": datamodule.source,
        "reading": {**({} if makes_sounds else _versions("audio decoding")), **_code(DATAMODULES, [reader])},
    }


def run_fields(
    names: Mapping[str, Any],
    embeddings: Mapping[str, Any],
    backend: Backend,
    datamodule: "AudioDataModule",
    stamps: str,
    *,
    standardize: str,
) -> dict[str, Any]:
    """Return everything that determines the result of a run, as plain Python values.

    Args:
        names: Names and options of the run, such as its protocol.
        embeddings: Fields of the run's embeddings, see `embedding_fields`.
        backend: Backend of the run.
        datamodule: Data set of the run.
        stamps: Digest of the stamps of all files, see `stamps_digest`.
        standardize: Standardisation of the features: `zscore` or `none`.
    """
    clips = ((clip.id, clip.label, clip.split, clip.fold, clip.group) for clip in datamodule.listed)
    parts = ["selection", *(["z-scoring"] if standardize == "zscore" else [])]
    return {
        **names,
        "embeddings": dict(embeddings),
        "backend_arguments": plain(backend.get_params(deep=False)),
        "code": {**_versions(*parts), **_code(BACKENDS, type(backend).__mro__)},
        "clips": digest_of_list("clips", clips)[:16],
        "data_seed": datamodule.seed,  # seed of the inner folds of a hold-out without a validation split
        "files": stamps[:16],
    }


def stamps_digest(datamodule: "AudioDataModule") -> str:
    """Return a digest of the stamps of all files of a data set."""
    return digest_of_list("stamps", datamodule.stamps().items())


def digest_of_list(name: str, items: Iterable[Any]) -> str:
    """Return `files.digest` of a dictionary with one list, which is not held in memory.

    Args:
        name: Only key of the dictionary.
        items: Items of the list, as plain values.

    Example:
        >>> from untrained.files import digest
        >>> digest_of_list("ids", iter(["a", "b"])) == digest({"ids": ["a", "b"]})
        True
    """
    found, separator = hashlib.sha256(f'{{"{name}": ['.encode()), ""
    for item in items:
        found.update(f"{separator}{json.dumps(item)}".encode())
        separator = ", "
    found.update(b"]}")
    return found.hexdigest()


def weights_digest(frontend: Frontend) -> str:
    """Return a hexadecimal digest of all weights and buffers, with their names and shapes."""
    found = hashlib.sha256()
    for name, tensor in sorted(frontend.state_dict().items()):
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().float().numpy().tobytes())
    return found.hexdigest()[:16]


def _versions(*parts: str) -> dict[str, int]:
    return {part: VERSIONS.get(part, 1) for part in parts}


def _code(registry: Registry[Any], classes: Iterable[type], modules: Sequence[ModuleType] = ()) -> dict[str, int | str]:
    """Return the versions of plug-ins of this package, and one digest of the source of all other classes."""
    classes = list(classes)
    ours = {cls: registry.name_of(cls) for cls in classes if is_ours(cls)}
    found: dict[str, int | str] = {}
    for name in sorted(name for name in ours.values() if name is not None):
        found |= _versions(f"{registry.kind} {name}")
    others = source_digest([*(cls for cls in classes if cls not in ours), *modules])
    return found | ({"source": others} if others else {})


def _imported_modules(frontend: Frontend) -> list[ModuleType]:
    """Return the modules that a frontend imports because an argument names them."""
    names = [frontend.arguments.get(name) for name in type(frontend).imports]
    return [sys.modules[name] for name in names if name in sys.modules]
