"""Digests of the source code of plug-ins, so that editing a plug-in invalidates its stored results."""

import ast
import contextlib
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType

from ..registry import OWN

# Libraries whose source changes more often than the values that they compute. Parts of this package have version
# numbers instead of digests.
_LIBRARIES = ("torch", "torchaudio", "torchvision", "numpy", "scipy", "sklearn")
_EXCLUDED = frozenset({OWN, *sys.stdlib_module_names, *_LIBRARIES})


def is_ours(cls: type) -> bool:
    """Return whether a class belongs to this package."""
    return cls.__module__.partition(".")[0] == OWN


def source_digest(parts: Iterable[type | ModuleType]) -> str:
    """Return a hexadecimal digest of source code; empty if all code belongs to this package or to known libraries.

    The digest covers the modules that define the classes and their bases, and the modules that these import from their
    own package. It ignores comments, docstrings and names of modules. For code from an interpreter or a script, it
    covers only the source of the classes.

    Args:
        parts: Classes, such as those of a frontend, its layers and its representation, and modules.
    """
    parts = list(parts)
    bases = {base for part in parts if isinstance(part, type) for base in part.__mro__}
    classes = {base for base in bases if base.__module__.partition(".")[0] not in _EXCLUDED}
    modules = {cls.__module__ for cls in classes if cls.__module__ != "__main__"}
    modules |= {part.__name__ for part in parts if isinstance(part, ModuleType)}
    waiting = sorted(modules)
    while waiting:
        for name in _imports(waiting.pop()):
            if name not in modules:
                modules.add(name)
                waiting.append(name)
    sources = {name: _source(sys.modules[name]) for name in modules if name in sys.modules}
    found = set(sources.values()) | {_source(cls) for cls in classes if not sources.get(cls.__module__)}
    text = "\n".join(sorted(found - {""}))
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _imports(name: str) -> Iterator[str]:
    """Yield the modules of the same package that a module uses."""
    package = name.partition(".")[0]
    for part in vars(sys.modules[name]).values() if name in sys.modules else ():
        used = part.__name__ if isinstance(part, ModuleType) else getattr(part, "__module__", None)
        if isinstance(used, str) and used.partition(".")[0] == package and used in sys.modules:
            yield used


def _source(thing: type | ModuleType) -> str:
    """Return source code without comments, docstrings and formatting; empty if the source is unavailable."""
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
