"""What decides the embeddings of a data set by a frontend: the key of a store."""

import ast
import contextlib
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from ..datamodules.base import AudioDataModule
from ..frontends import Frontend
from ..plain import plain
from ..registry import FRONTENDS

# Their source changes more often than what they compute.
_LIBRARIES = frozenset({*sys.stdlib_module_names, "torch", "torchaudio", "torchvision", "numpy", "scipy", "sklearn"})
# Of our own modules those that decide no value: an edit of them is to run no study again.
_DECIDING_NOTHING = frozenset(f"untrained.{name}" for name in ("errors", "interrupts", "terminal"))


def describe(frontend: Frontend, datamodule: AudioDataModule, precision: str) -> dict[str, Any]:
    """Everything that decides the embeddings of a data set by a frontend, as plain Python."""
    return {**describe_frontend(frontend), **describe_data(datamodule, precision)}


def describe_frontend(frontend: Frontend) -> dict[str, Any]:
    """What of a frontend decides its embeddings, as plain Python."""
    cls = type(frontend)
    told = {name: plain(value) for name, value in frontend.arguments.items() if name != "seed" or frontend.is_random}
    return {
        "frontend": FRONTENDS.name_of(cls) or cls.__qualname__,
        "arguments": told,
        **frontend.options._asdict(),
        "weights": "" if frontend.awaits_weights else weights_digest(frontend),  # the seed stands for them
        "code": code_digest([*map(type, frontend.modules()), *_imported(frontend)]),
        "representation": repr(frontend.representation),
        "sample_rate": frontend.sample_rate,
    }


def _imported(frontend: Frontend) -> list[ModuleType]:
    """Modules that a frontend was told to import."""
    names = [frontend.arguments.get(name) for name in type(frontend).imports]
    return [sys.modules[name] for name in names if name in sys.modules]


def describe_data(datamodule: AudioDataModule, precision: str) -> dict[str, Any]:
    """What beside the frontend decides embeddings, as plain Python."""
    return {
        "n_samples": datamodule.n_samples,
        "fit_length": datamodule.fit_length,
        "precision": precision,
        "source": datamodule.source,
    }


def weights_digest(frontend: Frontend) -> str:
    """Hexadecimal digest of all weights and buffers, names and shapes included."""
    found = hashlib.sha256()
    for name, tensor in sorted(frontend.state_dict().items()):
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().float().numpy().tobytes())
    return found.hexdigest()[:16]


def code_digest(parts: Iterable[type | ModuleType]) -> str:
    """Hexadecimal digest of the source that computes something: an author who edits it does not get old results.

    It covers the modules that define the classes and their bases, and what these import from their own packages;
    libraries, comments and docstrings do not count, nor do our modules that decide no value. Of what is typed into an
    interpreter or a script, the classes alone do.

    Args:
        parts: Classes, as of a frontend, its layers and representation; and modules.
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
    """Modules of the same package whose parts a module uses, but for those that decide no value."""
    package = name.partition(".")[0]
    for part in vars(sys.modules[name]).values() if name in sys.modules else ():
        used = part.__name__ if isinstance(part, ModuleType) else getattr(part, "__module__", None)
        if not isinstance(used, str) or used in _DECIDING_NOTHING:
            continue
        if used.partition(".")[0] == package and used in sys.modules:
            yield used


def _source(thing: type | ModuleType) -> str:
    """Source without comments, docstrings and formatting; empty if there is none."""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        return _code_alone(inspect.getsource(thing))
    return ""


@functools.lru_cache(maxsize=256)
def _code_alone(source: str) -> str:
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)
