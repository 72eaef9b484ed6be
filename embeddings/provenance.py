"""Keys: what decides embeddings and results, as plain fields and as digests of them.

A store is reused only if its fields are unchanged; a run counts as done only if its digest is unchanged.
"""

import ast
import contextlib
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from ..datamodules.base import AudioDataModule
from ..datamodules.clip import Clip
from ..files import digest, plain
from ..frontends import Frontend
from ..registry import FRONTENDS

# Their source changes more often than what they compute.
_LIBRARIES = frozenset({*sys.stdlib_module_names, "torch", "torchaudio", "torchvision", "numpy", "scipy", "sklearn"})
# Modules of this package that affect no value, so that editing them makes no study run again.
_DECIDING_NOTHING = frozenset(f"untrained.{name}" for name in ("errors", "terminal"))


def embedding_fields(frontend: Frontend, datamodule: AudioDataModule, precision: str) -> dict[str, Any]:
    """Return everything that decides the embeddings of a data set by a frontend, as plain Python."""
    return {**frontend_fields(frontend), **data_fields(datamodule, precision)}


def frontend_fields(frontend: Frontend) -> dict[str, Any]:
    """Return the fields of a frontend that decide its embeddings, as plain Python."""
    cls = type(frontend)
    is_used = {name: name != "seed" or frontend.is_random for name in frontend.arguments}
    return {
        "frontend": FRONTENDS.name_of(cls) or cls.__qualname__,
        "arguments": {name: plain(value) for name, value in frontend.arguments.items() if is_used[name]},
        **frontend.options._asdict(),
        "weights": "" if frontend.awaits_weights else weights_digest(frontend),  # until then the seed identifies them
        "code": code_digest([*map(type, frontend.modules()), *_imported_modules(frontend)]),
        "representation": repr(frontend.representation),
        "sample_rate": frontend.sample_rate,
    }


def data_fields(datamodule: AudioDataModule, precision: str) -> dict[str, Any]:
    """Return the fields of a data set and of the precision that decide embeddings, as plain Python."""
    return {
        "n_samples": datamodule.n_samples,
        "fit_length": datamodule.fit_length,
        "precision": precision,
        "source": datamodule.source,
    }


def clip_fingerprints(datamodule: AudioDataModule, clips: Sequence[Clip]) -> list[str]:
    """Return a digest of each clip that differs between data sets: of its id, and its file's stamp or its source."""
    origins = {clip.id: datamodule.stamp(clip) if clip.path else datamodule.source for clip in clips}
    return [digest({"id": clip_id, "origin": origin})[:16] for clip_id, origin in origins.items()]


def stamps_digest(datamodule: AudioDataModule) -> str:
    """Return a digest of the state of all files of a data set."""
    return digest({"stamps": sorted(datamodule.stamps().items())})


def _imported_modules(frontend: Frontend) -> list[ModuleType]:
    """Return the modules that a frontend imports because an argument names them."""
    names = [frontend.arguments.get(name) for name in type(frontend).imports]
    return [sys.modules[name] for name in names if name in sys.modules]


def weights_digest(frontend: Frontend) -> str:
    """Return a hexadecimal digest of all weights and buffers, with their names and shapes."""
    found = hashlib.sha256()
    for name, tensor in sorted(frontend.state_dict().items()):
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().float().numpy().tobytes())
    return found.hexdigest()[:16]


def code_digest(parts: Iterable[type | ModuleType]) -> str:
    """Return a hexadecimal digest of source code, so that an author who edits it does not get old results.

    The digest covers the modules that define the classes and their bases, and what these import from their own
    packages. Libraries, comments, docstrings and modules of this package that affect no value do not count. For code
    that was typed into an interpreter or a script, only the source of the classes counts.

    Args:
        parts: Classes, such as those of a frontend, its layers and its representation; and modules.
    """
    parts = list(parts)
    bases = {base for part in parts if isinstance(part, type) for base in part.__mro__}
    classes = {base for base in bases if base.__module__.partition(".")[0] not in _LIBRARIES}
    modules = {cls.__module__ for cls in classes if cls.__module__ != "__main__"}
    modules |= {part.__name__ for part in parts if isinstance(part, ModuleType)}
    waiting = sorted(modules)
    while waiting:
        for name in _imports(waiting.pop()):
            if name not in modules:
                modules.add(name)
                waiting.append(name)
    sources = {name: _source(sys.modules[name]) for name in modules if name in sys.modules}
    sources |= {cls.__qualname__: _source(cls) for cls in classes if not sources.get(cls.__module__)}
    found = hashlib.sha256()
    for name, source in sorted(sources.items()):
        found.update(f"{name}\n{source}\n".encode())
    return found.hexdigest()[:16]


def _imports(name: str) -> Iterator[str]:
    """Yield the modules of the same package whose parts a module uses, except those that affect no value."""
    package = name.partition(".")[0]
    for part in vars(sys.modules[name]).values() if name in sys.modules else ():
        used = part.__name__ if isinstance(part, ModuleType) else getattr(part, "__module__", None)
        if not isinstance(used, str) or used in _DECIDING_NOTHING:
            continue
        if used.partition(".")[0] == package and used in sys.modules:
            yield used


def _source(thing: type | ModuleType) -> str:
    """Return source without comments, docstrings and formatting; empty if there is none."""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        return _without_docstrings(inspect.getsource(thing))
    return ""


@functools.lru_cache(maxsize=256)
def _without_docstrings(source: str) -> str:
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)
