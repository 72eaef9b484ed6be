"""Finds frontends, backends and datamodules by name, whoever's package they come from.

A plug-in is an entry point: a name and a `module:Class`. Names are read from metadata, so that asking for them imports
nothing; a class is imported when it is asked for, and one that cannot be imported breaks nothing else.
"""

import ast
import contextlib
import difflib
import importlib
import importlib.machinery
import keyword
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from .errors import PluginError

T = TypeVar("T")
OWN = "untrained"


@dataclass(frozen=True)
class Plugin:
    """What is known of a plug-in before it is imported.

    Args:
        name: The registered name.
        target: `module:Class`.
        distribution: The package that registers it, or where `register` was called.
        loaded: The class itself, for one registered in this process.
    """

    name: str
    target: str
    distribution: str
    loaded: type | None = None

    @property
    def class_name(self) -> str:
        """Name of the class, as in `AudioFolder`."""
        return self.target.partition(":")[2]

    @property
    def is_ours(self) -> bool:
        """Whether this distribution registers it."""
        return self.distribution == OWN

    def is_of(self, cls: type) -> bool:
        """Whether the target, if it has been imported, is this class; packages may name it from elsewhere."""
        module, _, attribute = self.target.partition(":")
        return getattr(sys.modules.get(module), attribute, None) is cls

    def load(self) -> Any:
        """Import the target, whatever it is."""
        if self.loaded is not None:
            return self.loaded
        module, _, attribute = self.target.partition(":")
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return found

    def summary(self) -> str:
        """First line of the class's docstring, read from its source without importing it; empty if there is none."""
        if self.loaded is not None:
            docstring = self.loaded.__doc__
        else:
            docstring = next(map(ast.get_docstring, _definitions(*self.target.split(":", 1))), None)
        return next(iter((docstring or "").strip().splitlines()), "")

    def constants(self) -> dict[str, Any]:
        """The class's attributes that are literals, read from its source without importing it."""
        found: dict[str, Any] = {}
        for definition in reversed(_definitions(*self.target.split(":", 1))):
            for node in definition.body:
                if isinstance(node, ast.Assign):
                    with contextlib.suppress(ValueError):  # no literal
                        target, value = node.targets[0], ast.literal_eval(node.value)
                        names = target.elts if isinstance(target, ast.Tuple) else [target]
                        values = value if isinstance(target, ast.Tuple) else [value]
                        found |= zip(map(ast.unparse, names), values, strict=True)
        return found


class Registry(Generic[T]):
    """The plug-ins of one kind.

    Args:
        kind: What a plug-in of this kind is called in messages, as in "frontend".
        group: Entry-point group.
        contract: `module:Class` that every plug-in of this kind derives from.

    Example:
        >>> from untrained.registry import FRONTENDS
        >>> "vgg" in FRONTENDS.names()
        True
    """

    def __init__(self, kind: str, group: str, contract: str) -> None:
        self.kind, self.group = kind, group
        self._contract = Plugin("contract", contract, OWN)
        self._registered: list[Plugin] = []

    @cached_property
    def _installed(self) -> list[Plugin]:
        return [
            Plugin(entry.name, entry.value, entry.dist.name if entry.dist else "an unknown distribution")
            for entry in entry_points(group=self.group)
        ]

    @property
    def contract(self) -> type[T]:
        """The class that every plug-in of this kind derives from."""
        return self._contract.load()  # type: ignore[no-any-return]

    @property
    def plugins(self) -> list[Plugin]:
        """All that is registered, sorted by name; a name stands twice where two distributions claim it."""
        return sorted(self._installed + self._registered, key=lambda plugin: (plugin.name, plugin.distribution))

    def names(self) -> list[str]:
        """Sorted names; reads metadata and imports nothing."""
        return sorted({plugin.name for plugin in self.plugins})

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Register the decorated class in this process, for a notebook or a test.

        Args:
            name: A Python identifier.

        Raises:
            PluginError: The class does not keep the contract.

        Example:
            >>> from untrained.frontends import Frontend
            >>> from untrained.registry import FRONTENDS
            >>> @FRONTENDS.register("mine")
            ... class Mine(Frontend):
            ...     pass
            >>> FRONTENDS.get("mine") is Mine
            True
        """

        def decorate(cls: type[T]) -> type[T]:
            plugin = Plugin(name, f"{cls.__module__}:{cls.__qualname__}", cls.__module__, cls)
            self._check(plugin, cls)
            # Running a notebook's cell again replaces what it registered before.
            self._registered = [
                other for other in self._registered if (other.name, other.target) != (name, plugin.target)
            ] + [plugin]
            return cls

        return decorate

    def find(self, name: str) -> Plugin:
        """The one plug-in of that name, or whose class has that name.

        Raises:
            PluginError: There is none, or several distributions register that name.
        """
        plugins = self.plugins
        found = [plugin for plugin in plugins if plugin.name == name] or [
            plugin for plugin in plugins if plugin.class_name == name
        ]
        if not found:
            raise PluginError(self.unknown(name))
        if len(found) > 1:
            claims = " and ".join(f"{plugin.distribution} ({plugin.target})" for plugin in found)
            raise PluginError(f"{self.kind} {name!r} is registered by {claims}; uninstall or rename one of them")
        return found[0]

    def unknown(self, name: str) -> str:
        """Message for a name that nobody registered: the nearest one, and all there are."""
        names = self.names()
        nearest = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return f"unknown {self.kind} {name!r}; {hint}registered: {', '.join(names) or 'none'}"

    def get(self, name: str) -> type[T]:
        """The class of that name; imports this one plug-in.

        Raises:
            PluginError: No or several plug-ins have the name, it cannot be imported (chained to what its import
                raised), or it does not keep the contract.
        """
        plugin = self.find(name)
        try:
            target = plugin.load()
        except (Exception, SystemExit) as error:  # a plug-in's import may raise anything at all
            raise PluginError(
                f"{self.kind} {plugin.name!r} of {plugin.distribution} cannot be imported from {plugin.target}: "
                f"{type(error).__name__}: {error}"
            ) from error
        self._check(plugin, target)
        return target  # type: ignore[no-any-return]

    def create(self, name: str, **arguments: Any) -> T:
        """An instance of the class of that name.

        Example:
            >>> from untrained.registry import FRONTENDS
            >>> FRONTENDS.create("vgg", n_filters=4).embedding_size
            20
        """
        return self.get(name)(**arguments)

    def load_all(self) -> tuple[dict[str, type[T]], dict[str, PluginError]]:
        """Every plug-in that can be had, and for each other name the error that says why not."""
        loaded: dict[str, type[T]] = {}
        failed: dict[str, PluginError] = {}
        for name in self.names():
            try:
                loaded[name] = self.get(name)
            except PluginError as error:
                failed[name] = error
        return loaded, failed

    def name_of(self, cls: type) -> str | None:
        """The name under which a class is registered, None if it is not."""
        target = f"{cls.__module__}:{cls.__qualname__}"
        return next((plugin.name for plugin in self.plugins if plugin.target == target or plugin.is_of(cls)), None)

    def _check(self, plugin: Plugin, target: object) -> None:
        who = f"{self.kind} {plugin.name!r} of {plugin.distribution}"
        if not plugin.name.isidentifier() or keyword.iskeyword(plugin.name):
            raise PluginError(f"{who}: the name is no Python identifier; rename it, as in 'vertical_7x96'")
        contract = self.contract
        if not (isinstance(target, type) and issubclass(target, contract)):
            found = f"class {target.__name__}" if isinstance(target, type) else f"a {type(target).__name__}"
            missing = sorted(part for part in vars(contract) if not part.startswith("_") and not hasattr(target, part))
            raise PluginError(
                f"{who}: {plugin.target} is {found}, expected a subclass of {contract.__module__}."
                f"{contract.__qualname__}; derive it from that class (it lacks {', '.join(missing) or 'nothing else'})"
            )


def _definitions(module: str, attribute: str) -> list[ast.ClassDef]:
    """A class and the bases that its module defines, nearest first, parsed without importing more than its package."""
    parts = module.split(".")
    spec = importlib.machinery.PathFinder.find_spec(parts[0])
    if spec is None or spec.origin is None:
        return []
    source = Path(spec.origin)
    if len(parts) > 1:
        base = source.parent.joinpath(*parts[1:])
        source = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return []
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found: list[ast.ClassDef] = []
    wanted = [attribute]
    while wanted:
        name = wanted.pop(0)
        if name in classes:
            found.append(classes.pop(name))
            wanted += [ast.unparse(base) for base in found[-1].bases]
    return found


FRONTENDS: Registry[Any] = Registry("frontend", "untrained.frontends", "untrained.frontends.base:Frontend")
BACKENDS: Registry[Any] = Registry("backend", "untrained.backends", "untrained.backends.base:Backend")
DATAMODULES: Registry[Any] = Registry(
    "datamodule", "untrained.datamodules", "untrained.datamodules.base:AudioDataModule"
)
