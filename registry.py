"""Registries that find frontends, backends, datamodules and proxies of any installed package by name.

A plug-in is an entry point: a name and a `module:Class`. Names are read from metadata, so listing them imports nothing.
A class is imported on request, and one that cannot be imported does not affect the others.
"""

import ast
import contextlib
import difflib
import importlib
import importlib.util
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
    """Description of a plug-in, available before it is imported.

    Args:
        name: Registered name.
        target: Location of the class, `module:Class`.
        distribution: Package that registers the class, or the module of a class registered with `register`.
        loaded: The class itself, if it was registered in this process.
    """

    name: str
    target: str
    distribution: str
    loaded: type | None = None

    @property
    def class_name(self) -> str:
        """Name of the class, such as `AudioFolder`."""
        return self.target.partition(":")[2]

    @property
    def is_ours(self) -> bool:
        """Whether this package registers the plug-in."""
        return self.distribution == OWN

    def is_of(self, cls: type) -> bool:
        """Return whether the target has been imported and is this class, even if it was defined in another module."""
        module, _, attribute = self.target.partition(":")
        return getattr(sys.modules.get(module), attribute, None) is cls

    def load(self) -> Any:
        """Import and return the target, without checking it."""
        if self.loaded is not None:
            return self.loaded
        module, _, attribute = self.target.partition(":")
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return found

    def summary(self) -> str:
        """Return the first line of the class's docstring, read from the source without import; empty if absent."""
        if self.loaded is not None:
            docstring = self.loaded.__doc__
        else:
            docstring = next(map(ast.get_docstring, _definitions(*self.target.split(":", 1))), None)
        return next(iter((docstring or "").strip().splitlines()), "")

    def constants(self) -> dict[str, Any]:
        """Return the class attributes that are literals, read from the source without importing it."""
        found: dict[str, Any] = {}
        for definition in reversed(_definitions(*self.target.split(":", 1))):
            for node in definition.body:
                if isinstance(node, ast.Assign):
                    with contextlib.suppress(ValueError):  # not a literal
                        target, value = node.targets[0], ast.literal_eval(node.value)
                        names = target.elts if isinstance(target, ast.Tuple) else [target]
                        values = value if isinstance(target, ast.Tuple) else [value]
                        found |= zip(map(ast.unparse, names), values, strict=True)
        return found


class Registry(Generic[T]):
    """Plug-ins of one kind.

    Args:
        kind: Name of the kind in messages, such as "frontend".
        group: Entry-point group.
        contract: Location of the base class of every plug-in of this kind, `module:Class`.

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
    def room(self) -> str:
        """Name of the kind in the plural, which is also that of the folder with our own plug-ins."""
        return self.group.rpartition(".")[2]

    @property
    def contract(self) -> type[T]:
        """Base class of every plug-in of this kind."""
        return self._contract.load()  # type: ignore[no-any-return]

    def keeps_to(self, cls: type) -> bool:
        """Return whether a class is a subclass of the contract's base class, without importing it."""
        return any(self._contract.is_of(base) for base in cls.__mro__)

    @property
    def plugins(self) -> list[Plugin]:
        """All registered plug-ins, sorted by name; a name occurs twice if two distributions register it."""
        return sorted(self._installed + self._registered, key=lambda plugin: (plugin.name, plugin.distribution))

    def names(self) -> list[str]:
        """Return the sorted names; reads only metadata and imports nothing."""
        return sorted({plugin.name for plugin in self.plugins})

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Register the decorated class in this process, for a notebook or a test.

        Args:
            name: Name to register, a Python identifier.

        Raises:
            PluginError: The name is not a Python identifier, or the class violates the contract.

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
            # Running a notebook cell again replaces what it registered before.
            self._registered = [
                other for other in self._registered if (other.name, other.target) != (name, plugin.target)
            ] + [plugin]
            return cls

        return decorate

    def find(self, name: str) -> Plugin:
        """Return the plug-in with that name or, if there is none, with that class name.

        Raises:
            PluginError: No plug-in has that name, or several do.
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
        """Return the message for an unknown name, with the nearest name and all registered names."""
        names = self.names()
        nearest = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return f"unknown {self.kind} {name!r}; {hint}registered: {', '.join(names) or 'none'}"

    def get(self, name: str) -> type[T]:
        """Return the class with that name; imports only this plug-in.

        Raises:
            PluginError: No plug-in has that name or several do, the plug-in cannot be imported (chained to the error of
                its import), or it violates the contract.
        """
        plugin = self.find(name)
        try:
            target = plugin.load()
        except (Exception, SystemExit) as error:  # a plug-in may raise anything when imported
            raise PluginError(
                f"{self.kind} {plugin.name!r} of {plugin.distribution} cannot be imported from {plugin.target}: "
                f"{type(error).__name__}: {error}"
            ) from error
        self._check(plugin, target)
        return target  # type: ignore[no-any-return]

    def create(self, name: str, **arguments: Any) -> T:
        """Return an instance of the class with that name.

        Example:
            >>> from untrained.registry import FRONTENDS
            >>> FRONTENDS.create("vgg", n_filters=4).embedding_size
            20
        """
        return self.get(name)(**arguments)

    def load_all(self) -> tuple[dict[str, type[T]], dict[str, PluginError]]:
        """Return all plug-ins that can be loaded, and the error of each one that cannot, both by name."""
        loaded: dict[str, type[T]] = {}
        failed: dict[str, PluginError] = {}
        for name in self.names():
            try:
                loaded[name] = self.get(name)
            except PluginError as error:
                failed[name] = error
        return loaded, failed

    def name_of(self, cls: type) -> str | None:
        """Return the name under which a class is registered; None if it is not registered."""
        target = f"{cls.__module__}:{cls.__qualname__}"
        return next((plugin.name for plugin in self.plugins if plugin.target == target or plugin.is_of(cls)), None)

    def _check(self, plugin: Plugin, target: object) -> None:
        who = f"{self.kind} {plugin.name!r} of {plugin.distribution}"
        if not plugin.name.isidentifier() or keyword.iskeyword(plugin.name):
            raise PluginError(f"{who}: the name is not a Python identifier; rename it, for example to 'vertical_7x96'")
        contract = self.contract
        if not (isinstance(target, type) and issubclass(target, contract)):
            found = f"class {target.__name__}" if isinstance(target, type) else f"a {type(target).__name__}"
            missing = sorted(part for part in vars(contract) if not part.startswith("_") and not hasattr(target, part))
            lacks = f" (it lacks {', '.join(missing)})" if missing else ""
            raise PluginError(
                f"{who}: {plugin.target} is {found}, expected a subclass of {contract.__module__}."
                f"{contract.__qualname__}; derive it from that class{lacks}"
            )


def _definitions(module: str, attribute: str) -> list[ast.ClassDef]:
    """Parse a class and its bases in the same module, nearest first, without importing the module."""
    parts = module.split(".")
    try:
        spec = importlib.util.find_spec(parts[0])  # asks all finders, including those of editable installations
    except ValueError:  # a module that was not imported from a file
        return []
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
PROXIES: Registry[Any] = Registry("proxy", "untrained.proxies", "untrained.proxies.base:Proxy")
PROBE_OPTIONS = ("init", "layers", "pooling", "standardize", "tf32", "calibrate", "weights")
"""Options of a probe that are lists in a study, because they apply to frontends of any package."""
