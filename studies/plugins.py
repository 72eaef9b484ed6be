"""The plug-ins that a study names, made with their arguments; and all that cannot be, each with its place there."""

import difflib
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from jsonargparse import Namespace

from ..backends import Backend
from ..backends.standardized import Standardize
from ..datamodules import AudioDataModule
from ..errors import UntrainedError, UsageError
from ..frontends import Frontend
from ..frontends.base import Layers
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..parsing import Parser, instantiate
from ..probes import checkpoint
from ..probes.run import as_text
from ..probes.selection import resolve
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, Registry

T = TypeVar("T")
Entries = list[dict[str, Any] | str]
KINDS: dict[str, tuple[Registry[Any], type]] = {
    "datamodules": (DATAMODULES, AudioDataModule),
    "frontends": (FRONTENDS, Frontend),
    "backends": (BACKENDS, Backend),
}
"""The lists of a study: where their names are registered, and what they name."""
MODEL: dict[str, tuple[Any, list[Any], str]] = {
    "init": (Init, ["he_truncated"], "Distributions of weights."),
    "layers": (Layers, ["all"], "Layers that backends learn from."),
    "pooling": (Pooling, ["mean"], "Poolings of feature maps."),
    "standardize": (Standardize, ["none"], "What backends read of features."),
}
"""The lists of a study for arguments of `Probe`: type, default and help."""


class Part(NamedTuple, Generic[T]):
    """A plug-in that a study names.

    Args:
        made: The plug-in.
        written: As class path and arguments, all of them.
        name: Of a data set, different from all others of the study.
    """

    made: T
    written: dict[str, Any]
    name: str = ""


class _Entry(NamedTuple):
    """What a study says of a plug-in: where, its class and arguments, and those of them that are varied."""

    place: str
    config: Namespace
    varied: Mapping[str, Any]


Seeded = tuple[list[Part[Frontend]], list[Part[Backend]]]


def parts(config: Namespace, problems: list[str]) -> tuple[list[Part[AudioDataModule]], list[Seeded]]:
    """Make everything that a study names.

    Args:
        config: The study, as its parser gives it.
        problems: To which all is added that cannot be, each with its place, as `frontends[2].n_filter: ...`.

    Returns:
        The data sets, and for each seed the frontends and backends.
    """
    nothing = [
        key
        for key in (*KINDS, "vary", *(f"vary.{kind}" for kind in KINDS), "model", "roots", "seeds")
        if config.get(key) is None
    ]
    if nothing:
        problems += [f"{key}: nothing is given; leave it out, or give something" for key in nothing]
        return [], []
    lacking = [name for name, folder in config.roots.items() if folder is None]
    problems += [f"roots.{name}: no folder is given; add --roots.{name} DIR" for name in lacking]
    for key in (*KINDS, "seeds", *(f"model.{option}" for option in MODEL)):
        if not config[key]:
            problems.append(f"{key}: empty; give at least one")
    typed = {f"model.{option}": allowed for option, (allowed, _, _) in MODEL.items()} | {"seeds": int}
    for key, allowed in typed.items():
        for index, value in enumerate(config[key]):
            _checked(allowed, value, f"{key}[{index}]", problems)
    entries = {kind: _entries(kind, config, problems) for kind in KINDS}
    data = _data(entries["datamodules"], config, problems)
    if problems:  # the rest takes time
        return data, []
    first = _seeded(entries, config.seeds[0], config, problems, {})
    if problems:
        return data, []
    fixed = {index: part for index, part in enumerate(first[0]) if not part.made.is_random}
    return data, [first, *(_seeded(entries, seed, config, problems, fixed) for seed in config.seeds[1:])]


def variants(frontend: Frontend, model: Namespace, notes: dict[str, None]) -> list[tuple[Frontend, Layers]]:
    """A frontend with each combination of the options of a study that applies to it.

    One without feature maps is there once, as it is; what does not apply to another is left out. Either is noted.
    """
    found: list[tuple[Frontend, Layers]] = []
    refused: list[str] = []
    for init, pooling in itertools.product(model.init, model.pooling):
        try:
            variant = frontend.with_options(init, pooling)
        except ValueError as error:
            refused.append(str(error))
            continue
        for layers in model.layers:
            try:
                if layers != "all":
                    variant.columns(layers)  # refuses those that there are not
                found.append((variant, layers))
            except ValueError as error:
                refused.append(str(error))
    if not found and not frontend.has_maps:
        found = [(frontend, "all")]
    if not found:
        raise UsageError(refused[0])
    notes |= {f"not in this study: {reason}": None for reason in refused}
    return found


def _data(entries: Sequence[_Entry], config: Namespace, problems: list[str]) -> list[Part[AudioDataModule]]:
    found: list[tuple[AudioDataModule, _Entry]] = []
    for entry in entries:
        made: AudioDataModule | None = _made("datamodules", entry, problems)
        if made is not None and _attempt(_resolve, (config.protocol, made), entry.place, problems) is not None:
            found.append((made, entry))
    names = [_name(made, entry, found) for made, entry in found]
    return [
        Part(made, entry.config.as_dict(), f"{name}-{1 + names[:index].count(name)}" if names.count(name) > 1 else name)
        for index, (name, (made, entry)) in enumerate(zip(names, found, strict=True))
    ]


def _name(made: AudioDataModule, entry: _Entry, all_made: Sequence[tuple[AudioDataModule, _Entry]]) -> str:
    """Name of a data set, with the arguments that are varied, or in which it differs from others of that name."""
    arguments = _arguments(entry)
    others = [_arguments(other) for data, other in all_made if data.dataset_name == made.dataset_name]
    told = [key for key in arguments if key in entry.varied or any(o.get(key) != arguments[key] for o in others)]
    paths = {key for key in told if isinstance(arguments[key], str) and "/" in arguments[key]}  # too long for a name
    return "-".join([made.dataset_name, *(f"{key}={as_text(arguments[key])}" for key in told if key not in paths)])


def _arguments(entry: _Entry) -> dict[str, Any]:
    given = entry.config.get("init_args")
    return given.as_dict() if given else {}


def _resolve(protocol: Any, datamodule: AudioDataModule) -> str:
    return resolve(protocol, datamodule.listed)


def _seeded(
    entries: Mapping[str, Sequence[_Entry]],
    seed: int,
    config: Namespace,
    problems: list[str],
    fixed: Mapping[int, Part[Frontend]],
) -> Seeded:
    """Frontends and backends of a seed; `fixed` are frontends without randomness, which need not be made again."""
    frontends: list[Part[Frontend]] = []
    for index, unseeded in enumerate(entries["frontends"]):
        entry = _with_seed(unseeded, seed)
        if index in fixed:
            frontends.append(fixed[index])
        elif (made := _made("frontends", entry, problems)) is not None:
            _attempt(checkpoint.name_frontend, (made,), entry.place, problems)
            _attempt(variants, (made, config.model, {}), entry.place, problems)
            frontends.append(Part(made, entry.config.as_dict()))
    backends: list[Part[Backend]] = []
    for unseeded in entries["backends"]:
        entry = _with_seed(unseeded, seed)
        if (made := _made("backends", entry, problems)) is not None:
            _attempt(checkpoint.name_backend, (made,), entry.place, problems)
            backends.append(Part(made, entry.config.as_dict()))
    return frontends, backends


def _entries(kind: str, config: Namespace, problems: list[str]) -> list[_Entry]:
    """The entries of a list, one for each combination of what is varied."""
    vary = config.vary[kind]
    problems += [f"vary.{kind}.{name}: empty; give at least one value" for name, values in vary.items() if not values]
    taken: set[str] = set()
    found: list[_Entry] = []
    for index, written in enumerate(config[kind]):
        place = f"{kind}[{index}]"
        entry: dict[str, Any] = {"class_path": written} if isinstance(written, str) else dict(written)
        name, arguments = entry.pop("class_path", ""), entry.pop("init_args", None) or {}
        if entry or not name:
            odd = f"unexpected {', '.join(map(str, entry))}" if entry else "no class_path"
            problems.append(f"{place}: {odd}; expected a name, or class_path and init_args")
            continue
        if not isinstance(arguments, dict) or not all(isinstance(argument, str) for argument in arguments):
            problems.append(f"{place}.init_args: {arguments!r}; expected arguments by name, as {{seed: 1}}")
            continue
        cls = _attempt(_class_of, (str(name), KINDS[kind][0]), place, problems)
        if cls is None:
            taken |= vary.keys()  # it might have had them
            continue
        accepted = list(inspect.signature(cls).parameters)
        varied = {argument: values for argument, values in vary.items() if argument in accepted and values}
        taken |= set(accepted)
        if kind != "datamodules" and "seed" in {*arguments, *vary}:
            problems.append(f"{place}.seed: seeds of frontends and backends are the study's own; give seeds: [0, 1]")
            continue
        unknown = [argument for argument in arguments if argument not in accepted]
        problems += [_no_such_argument(f"{place}.{argument}", name, argument, accepted) for argument in unknown]
        twice = [argument for argument in varied if argument in arguments]
        problems += [f"{place}.{argument}: given here, and varied too; leave out one" for argument in twice]
        if unknown or twice or (arguments.get("root", "") is None and None in config.roots.values()):
            continue
        for values in itertools.product(*varied.values()):
            chosen = dict(zip(varied, values, strict=True))
            item = {"class_path": name, "init_args": {**arguments, **chosen}}
            parsed = _checked(KINDS[kind][1], item, place, problems)
            if parsed is not None:
                found.append(_Entry(place, parsed, chosen))
    if config[kind]:
        missing = [argument for argument, values in vary.items() if argument not in taken and values]
        problems += [f"vary.{kind}.{argument}: none of the {kind} has this argument" for argument in missing]
    return found


def _class_of(name: str, registry: Registry[Any]) -> Any:
    """The class that a name or a class path stands for."""
    if name in registry.names() or "." not in name:
        return registry.get(name)
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a module's import may raise anything
        raise UsageError(f"{name} cannot be imported: {error}") from error
    contract = registry.contract
    if not isinstance(found, type) or not issubclass(found, contract):
        raise UsageError(f"{name} is no {registry.kind}; derive it from {contract.__module__}.{contract.__qualname__}")
    return found


def _no_such_argument(place: str, name: str, argument: str, accepted: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(argument, accepted, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{place}: {name} has no such argument; {hint}it takes {', '.join(accepted) or 'none'}"


def _checked(allowed: Any, value: Any, place: str, problems: list[str]) -> Any:
    """A value as its type wants it; None and a problem where it cannot be."""
    parser = Parser()
    parser.add_argument("--value", type=allowed)
    parsed = _attempt(parser.parse_object, ({"value": value},), place, problems)
    return None if parsed is None else parsed.value


def _made(kind: str, entry: _Entry, problems: list[str]) -> Any:
    """The plug-in itself; None and a problem where it refuses its arguments."""
    parser = Parser()
    parser.add_argument("--value", type=KINDS[kind][1])
    config = Namespace(value=entry.config)  # type: ignore[no-untyped-call]
    made = _attempt(instantiate, (parser, config), entry.place, problems)
    return None if made is None else made.value


def _attempt(action: Callable[..., T], arguments: tuple[Any, ...], place: str, problems: list[str]) -> T | None:
    """What an action gives; None and a problem where it fails."""
    try:
        return action(*arguments)
    except Exception as error:  # a plug-in may raise anything
        expected = isinstance(error, UntrainedError | ValueError | TypeError | OSError)
        text = str(error).removeprefix("--value") if expected else f"{type(error).__name__}: {error}"
        named = re.match(r"(?:--|\.)([\w.]+): ", text)  # parsers name the argument that they mean
        problem = f"{place}.{named[1]}: {text[named.end() :]}" if named else f"{place}: {text.removeprefix(': ')}"
        if problem not in problems:
            problems.append(problem)
        return None


def _with_seed(entry: _Entry, seed: int) -> _Entry:
    """The entry with a study's seed, where it takes one."""
    arguments = entry.config.get("init_args")
    if not arguments or "seed" not in arguments:
        return entry
    config = entry.config.clone()
    config.init_args.seed = seed
    return entry._replace(config=config)
