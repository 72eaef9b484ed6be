"""Creation of the plug-ins of a study."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from jsonargparse import Namespace

from ..backends import Backend
from ..backends.guard import refuse_odd_candidates
from ..backends.standardized import Standardize
from ..datamodules import AudioDataModule
from ..errors import CheckpointError, UsageError
from ..frontends import Frontend
from ..frontends.columns import Layers
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..frontends.trained import read_description
from ..probes.checkpoint import name_backend, name_frontend
from ..probes.origin import refuse_calibration, with_weights
from ..probes.record import ARMS, RANDOM, as_text
from ..probes.selection import resolve
from .entries import CONTROLS, KINDS, Entry, checked, read_entries
from .problems import Problem, attempt

T = TypeVar("T")
MODEL: dict[str, tuple[Any, list[Any], str]] = {
    "init": (Init, ["he_truncated"], "Distributions of the random weights to compare."),
    "layers": (Layers, ["all"], "Selections of layers to compare; backends are fitted to their features."),
    "pooling": (Pooling, ["mean"], "Poolings of feature maps to compare."),
    "standardize": (Standardize, ["zscore"], "Standardisations of features to compare."),
    "tf32": (bool, [False], "Values of tf32 to compare; true computes in TF32 on NVIDIA GPUs."),
    "calibrate": (bool, [False], "Values of calibrate to compare; true uses statistics of the training clips."),
    "weights": (str, ["random"], "Weights to compare: random, linear, trained, or files written by train."),
}
"""Type, default and help text of the lists that a study varies among the arguments of `Probe`, by argument."""
NO_VALUE = "the key has no value; remove it or set one"


class Part(NamedTuple, Generic[T]):
    """Plug-in of a study.

    Args:
        made: Instance of the plug-in.
        written: Class path and all arguments, as in a configuration file.
        name: Name of a data set, unique within the study; empty for other plug-ins.
        is_control: Whether the plug-in is a frontend in the list of controls.
    """

    made: T
    written: dict[str, Any]
    name: str = ""
    is_control: bool = False


class Seeded(NamedTuple):
    """Frontends and backends with the same seed."""

    frontends: list[Part[Frontend]]
    backends: list[Part[Backend]]


def make_plugins(
    config: Namespace, notes: dict[str, None]
) -> tuple[list[Part[AudioDataModule]], list[Seeded], list[Problem]]:
    """Create all plug-ins of a study.

    Args:
        config: Study, as its parser returns it.
        notes: Dictionary to which notes on skipped entries are added as keys.

    Returns:
        Data sets, frontends and backends for each seed, and all problems of the study.
    """
    problems = _nothing_given(config)
    if problems:
        return [], [], problems
    problems = [*_missing_values(config), *_wrong_values(config), *_unreadable_weights(config)]
    entries: dict[str, list[Entry]] = {}
    for kind in KINDS:
        entries[kind], more = read_entries(kind, config, notes)
        problems += more
        if not entries[kind] and not problems:
            problems.append(Problem(kind, f"all entries are skipped: {'; '.join(notes)}"))
    data, more = _make_data(entries["datamodules"], config.protocol)
    problems += more
    if problems:  # return early, because creating frontends takes time
        return data, [], problems
    first, problems = _make_seeded(entries, config.seeds[0], config, {})
    if problems:
        return data, [], problems
    fixed = {index: part for index, part in enumerate(first.frontends) if not part.made.is_random}
    seeded = [first]
    for seed in config.seeds[1:]:
        another, more = _make_seeded(entries, seed, config, fixed)
        seeded.append(another)
        problems += more
    return data, seeded, problems


class Variant(NamedTuple):
    """A frontend with options of a study.

    Args:
        frontend: Frontend with its distribution of weights and its pooling.
        layers: Layers whose features the backends are fitted to.
        calibrate: Whether it is calibrated on training clips.
        weights: Its weights: `random`, or the file that it was loaded from.
    """

    frontend: Frontend
    layers: Layers
    calibrate: bool = False
    weights: str = RANDOM


def variants(frontend: Frontend, model: Namespace, notes: dict[str, None]) -> list[Variant]:
    """Return a frontend with each applicable combination of the options of a study.

    A frontend without feature maps is returned once, unchanged. Training runs, which are values of `weights`,
    are left out.

    Args:
        frontend: Frontend to vary.
        model: Lists of options, by name.
        notes: Dictionary to which notes on skipped options are added as keys.

    Raises:
        UsageError: No combination applies.
    """
    found: list[Variant] = []
    refused: list[str] = []
    of_probes = [weights for weights in model.weights if weights not in ARMS]
    if not of_probes:
        return []
    for init, pooling, weights in itertools.product(model.init, model.pooling, of_probes):
        try:
            variant = with_weights(frontend, init, pooling, weights)
        except (ValueError, CheckpointError) as error:
            refused.append(str(error))
            continue
        for layers, calibrate in itertools.product(model.layers, model.calibrate):
            try:
                if layers != "all":
                    variant.columns(layers)  # raises an error if a layer does not exist
            except ValueError as error:
                refused.append(str(error))
                continue
            try:
                if calibrate:
                    refuse_calibration(variant, weights)
                found.append(Variant(variant, layers, calibrate, weights))
            except UsageError as error:
                refused.append(str(error))
                if False not in model.calibrate:  # else it would be missing, although calibrating changes nothing
                    found.append(Variant(variant, layers, False, weights))
    if not found and not frontend.has_maps:
        found = [Variant(frontend, "all")]
    if not found:
        raise UsageError(refused[0])
    notes |= {f"skipped in this study: {reason}": None for reason in refused}
    return found


def _nothing_given(config: Namespace) -> list[Problem]:
    keys = [*KINDS, CONTROLS, "vary", *(f"vary.{kind}" for kind in KINDS), "model", "roots", "seeds"]
    return [Problem(key, NO_VALUE) for key in keys if config.get(key) is None]


def _missing_values(config: Namespace) -> list[Problem]:
    roots = [name for name, folder in config.roots.items() if folder is None]
    empty = [key for key in (*KINDS, "seeds", *(f"model.{option}" for option in MODEL)) if not config[key]]
    found = [Problem(f"roots.{name}", f"no folder is given; add --roots.{name} DIR") for name in roots]
    return [*found, *(Problem(key, "the list is empty; add at least one entry") for key in empty)]


def _wrong_values(config: Namespace) -> list[Problem]:
    types = {f"model.{option}": allowed for option, (allowed, _, _) in MODEL.items()} | {"seeds": int}
    results = [
        checked(f"{key}[{index}]", allowed, value)
        for key, allowed in types.items()
        for index, value in enumerate(config[key])
    ]
    return [result for result in results if isinstance(result, Problem)]


def _unreadable_weights(config: Namespace) -> list[Problem]:
    """Return a problem for each file of weights that cannot be read."""
    found = []
    for index, path in enumerate(config.model.weights):
        if path not in (RANDOM, *ARMS) and isinstance(path, str):
            outcome = attempt(f"model.weights[{index}]", read_description, Path(path))
            found += [outcome] if isinstance(outcome, Problem) else []
    return found


def _make_data(entries: Sequence[Entry], protocol: Any) -> tuple[list[Part[AudioDataModule]], list[Problem]]:
    found: list[tuple[AudioDataModule, Entry]] = []
    problems: list[Problem] = []
    for entry in entries:
        made = entry.make()
        outcome = made if isinstance(made, Problem) else attempt(entry.place, _resolve, protocol, made)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            found.append((made, entry))
    names = [_data_name(made, entry, found) for made, entry in found]
    return [
        Part(made, entry.config.as_dict(), f"{name}-{1 + names[:index].count(name)}" if names.count(name) > 1 else name)
        for index, (name, (made, entry)) in enumerate(zip(names, found, strict=True))
    ], problems


def _resolve(protocol: Any, datamodule: AudioDataModule) -> str:
    datamodule.require_classes()
    return resolve(protocol, datamodule.listed)


def _data_name(made: AudioDataModule, entry: Entry, all_made: Sequence[tuple[AudioDataModule, Entry]]) -> str:
    """Return the name of a data set, with arguments that are varied or differ between data sets of the same name."""
    others = [other.arguments for data, other in all_made if data.dataset_name == made.dataset_name]
    shown = {
        key: value
        for key, value in entry.arguments.items()
        if key in entry.varied or any(other.get(key) != value for other in others)
    }
    short = {key: value for key, value in shown.items() if not (isinstance(value, str) and "/" in value)}  # skip paths
    return "-".join([made.dataset_name, *(f"{key}={as_text(value)}" for key, value in short.items())])


def _make_seeded(
    entries: Mapping[str, Sequence[Entry]], seed: int, config: Namespace, fixed: Mapping[int, Part[Frontend]]
) -> tuple[Seeded, list[Problem]]:
    """Create frontends and backends with a seed, but reuse the frontends without randomness in `fixed`."""
    found = Seeded([], [])
    problems: list[Problem] = []
    for index, entry in enumerate(entry.with_seed(seed) for entry in entries["frontends"]):
        if index in fixed:
            found.frontends.append(fixed[index])
            continue
        made = entry.make()
        if isinstance(made, Problem):
            problems.append(made)
            continue
        outcomes = [attempt(entry.place, name_frontend, made), attempt(entry.place, variants, made, config.model, {})]
        problems += [outcome for outcome in outcomes if isinstance(outcome, Problem)]
        found.frontends.append(Part(made, entry.config.as_dict(), is_control=entry.is_control))
    for entry in (entry.with_seed(seed) for entry in entries["backends"]):
        made = entry.make()
        if isinstance(made, Problem):
            problems.append(made)
            continue
        named, listed = attempt(entry.place, name_backend, made), attempt(entry.place, refuse_odd_candidates, made)
        problems += [outcome for outcome in (named, listed) if isinstance(outcome, Problem)]
        found.backends.append(Part(made, entry.config.as_dict()))
    return found, problems
