"""Entries of a study: the plug-ins in its lists, with their arguments and the values that `vary` adds."""

import difflib
import importlib
import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jsonargparse import Namespace

from ..backends import Backend
from ..datamodules import AudioDataModule
from ..errors import UsageError
from ..frontends import Frontend
from ..parsing import Parser, instantiate
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, Registry
from .problems import Problem, attempt

# `str` comes first, because `Any` would turn a folder called 1e3 into a number.
_Value = str | bool | int | float | list[Any] | dict[str, Any] | None
Entries = list[dict[str, str | bool | dict[str, _Value] | list[Any] | None] | str]
KINDS: dict[str, tuple[Registry[Any], type]] = {
    "datamodules": (DATAMODULES, AudioDataModule),
    "frontends": (FRONTENDS, Frontend),
    "backends": (BACKENDS, Backend),
}
"""Registry and base class of the plug-ins in each list of a study."""
CONTROLS = "controls"
"""Name of the list of control frontends, which all other frontends are compared with."""


class Entry(NamedTuple):
    """An entry of a study: a plug-in and its arguments.

    Args:
        kind: Kind of the plug-in, one of `KINDS`.
        place: Location in the study, such as `frontends[2]`.
        config: Class path and all arguments.
        varied: Arguments whose values come from `vary`.
        is_optional: Whether the study goes on without it if it cannot be created.
    """

    kind: str
    place: str
    config: Namespace
    varied: Mapping[str, Any]
    is_optional: bool = False

    @property
    def is_control(self) -> bool:
        """Whether the entry is in the list of controls."""
        return self.place.startswith(CONTROLS)

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments by name."""
        given = self.config.get("init_args")
        return given.as_dict() if given else {}

    def with_seed(self, seed: int) -> "Entry":
        """Return the entry with a seed of the study, or unchanged if the plug-in has no argument `seed`."""
        if "seed" not in self.arguments:
            return self
        config = self.config.clone()
        config.init_args.seed = seed
        return self._replace(config=config)

    def make(self) -> Any:
        """Create the plug-in; return it, or the problem that prevents this."""
        parser = Parser()
        parser.add_argument("--value", type=KINDS[self.kind][1])
        config = Namespace(value=self.config)  # type: ignore[no-untyped-call]
        return attempt(self.place, lambda: instantiate(parser, config).value)


def read_entries(kind: str, config: Namespace, notes: dict[str, None]) -> tuple[list[Entry], list[Problem]]:
    """Read a list of a study and return an entry for each combination of varied values.

    Args:
        kind: Name of the list, one of `KINDS`.
        config: Study, as its parser returns it.
        notes: Dictionary to which the problems of optional entries, which are skipped, are added as keys.

    Returns:
        Entries, with controls after the other frontends, and all problems of the list.
    """
    vary: dict[str, list[Any]] = config.vary[kind]
    found: list[Entry] = []
    problems = [
        Problem(f"vary.{kind}.{name}", "the list is empty; add at least one entry")
        for name, values in vary.items()
        if not values
    ]
    taken: set[str] = set()  # arguments that at least one plug-in accepts
    for place, written in _written(kind, config):
        entries, accepted, more = _read_entry(kind, place, written, vary, config)
        if not more:
            more = [made for entry in entries if entry.is_optional and isinstance(made := entry.make(), Problem)]
        if more and isinstance(written, dict) and written.get("optional") is True:
            notes |= {f"skipped in this study: {problem}": None for problem in more}
            entries, more = [], []
        found += entries
        problems += more
        taken |= vary.keys() if accepted is None else set(accepted)  # an unknown plug-in may accept any argument
    if config[kind]:
        unused = [name for name, values in vary.items() if name not in taken and values]
        problems += [Problem(f"vary.{kind}.{name}", f"none of the {kind} has this argument") for name in unused]
    return found, problems


def _written(kind: str, config: Namespace) -> list[tuple[str, Any]]:
    """Return the items of a list of a study as written, with their locations; controls count as frontends."""
    lists = [kind, CONTROLS] if kind == "frontends" and config[kind] else [kind]
    return [(f"{key}[{index}]", written) for key in lists for index, written in enumerate(config[key])]


def checked(place: str, allowed: Any, value: Any) -> Any:
    """Convert a value to a type; return it, or the problem that prevents this."""
    parser = Parser()
    parser.add_argument("--value", type=allowed)
    return attempt(place, lambda: parser.parse_object({"value": value}).value)


def _read_entry(
    kind: str, place: str, written: Any, vary: Mapping[str, list[Any]], config: Namespace
) -> tuple[list[Entry], list[str] | None, list[Problem]]:
    """Return the entries of one item, the arguments that its plug-in accepts (None if unknown), and its problems."""
    entry: dict[str, Any] = {"class_path": written} if isinstance(written, str) else dict(written)
    name, arguments = entry.pop("class_path", ""), entry.pop("init_args", None) or {}
    is_optional = entry.pop("optional", False)
    if not isinstance(is_optional, bool):
        return [], [], [Problem(f"{place}.optional", f"{is_optional!r}; expected true or false")]
    if entry or not name:
        odd = f"unexpected {', '.join(map(str, entry))}" if entry else "no class_path"
        return [], [], [Problem(place, f"{odd}; expected a name, or class_path, init_args and optional")]
    if not isinstance(arguments, dict) or not all(isinstance(argument, str) for argument in arguments):
        text = f"{arguments!r}; expected arguments by name, for example {{n_filters: 8}}"
        return [], [], [Problem(f"{place}.init_args", text)]
    cls = attempt(place, _class_of, str(name), KINDS[kind][0])
    if isinstance(cls, Problem):
        return [], None, [cls]
    accepted = list(inspect.signature(cls).parameters)
    if kind != "datamodules" and "seed" in {*arguments, *vary}:
        text = "the study sets all seeds; remove this argument and list the seeds under `seeds:`"
        return [], accepted, [Problem(f"{place}.seed", text)]
    varied = {argument: values for argument, values in vary.items() if argument in accepted and values}
    problems = [
        Problem(f"{place}.{argument}", _no_such_argument(str(name), argument, accepted))
        for argument in arguments
        if argument not in accepted
    ]
    problems += [
        Problem(f"{place}.{argument}", f"set here and in vary.{kind}; remove one of them")
        for argument in varied
        if argument in arguments
    ]
    has_no_root = arguments.get("root", "") is None and None in config.roots.values()  # reported elsewhere
    if problems or has_no_root:
        return [], accepted, problems
    found = []
    for values in itertools.product(*varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        item = {"class_path": name, "init_args": {**arguments, **chosen}}
        parsed = checked(place, KINDS[kind][1], item)
        if isinstance(parsed, Problem):
            problems.append(parsed)
        elif parsed is not None:
            found.append(Entry(kind, place, parsed, chosen, is_optional))
    return found, accepted, problems


def _class_of(name: str, registry: Registry[Any]) -> Any:
    """Return the class with a registered name or a class path."""
    if name in registry.names() or "." not in name:
        return registry.get(name)
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing a module may raise anything
        raise UsageError(f"{name} cannot be imported: {error}") from error
    contract = registry.contract
    if not isinstance(found, type) or not issubclass(found, contract):
        base = f"{contract.__module__}.{contract.__qualname__}"
        raise UsageError(f"{name} is not a {registry.kind}; derive it from {base}")
    return found


def _no_such_argument(name: str, argument: str, accepted: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(argument, accepted, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{name} has no such argument; {hint}it takes {', '.join(accepted) or 'none'}"
