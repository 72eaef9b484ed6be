"""Architectures of a rank study: drawn designs, further frontends, and those that are reported apart."""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonargparse import Namespace

from ...frontends import Frontend
from ...frontends.calibrating import reads_spectrogram
from ...frontends.drawn_set import DrawnDesign, drawn_set, unfilled
from ...registry import FRONTENDS
from ..problems import Problem


@dataclass(frozen=True)
class Architecture:
    """Architecture of a rank study.

    Args:
        name: Name, unique within the study.
        place: Location in the study, for messages.
        entry: Class path and arguments.
        family: Family of the grammar; for other frontends, their own name.
        design: Base design, which architectures share that differ in their width alone.
        is_apart: Whether it enters no statistic.
        drawn: Design of the list of drawn designs; None for other frontends.
    """

    name: str
    place: str
    entry: Mapping[str, Any]
    family: str
    design: str
    is_apart: bool = False
    drawn: DrawnDesign | None = None


def architectures_of(config: Namespace) -> tuple[list[Architecture], list[Problem], list[str]]:
    """Return the architectures of a rank study in their order, its problems, and notes.

    Args:
        config: Rank study, as its parser returns it.
    """
    notes: list[str] = []
    found = _drawn(config, notes)
    for key in ("frontends", "apart"):
        for index, written in enumerate(config[key]):
            entry = {"class_path": written} if isinstance(written, str) else dict(written)
            family, design = entry.pop("family", None), entry.pop("design", None)
            name = _name_of(entry)
            named = (str(family or entry.get("class_path", "")), str(design or name))
            found.append(Architecture(name, f"{key}[{index}]", entry, *named, key == "apart"))
    names = [each.name for each in found]
    problems = [
        Problem(each.place, f"{each.name} is there twice; remove one")
        for index, each in enumerate(found)
        if each.name in names[:index]
    ]
    if not any(not each.is_apart for each in found):
        problems.append(Problem("designs.n", "there is no architecture; give designs.n of 1 or more, or frontends"))
    return found, problems, notes


def gate_architectures(config: Namespace) -> list[Architecture]:
    """Return the architectures of the gate, none of which is in the study."""
    clone = config.clone()
    clone.designs.n, clone.designs.seed = config.gate.n, config.gate.seed
    return _drawn(clone, [])


def _drawn(config: Namespace, notes: list[str]) -> list[Architecture]:
    wanted = config.designs
    if wanted.n < 1:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the note says which designs are missing
        designs = drawn_set(wanted.n, wanted.seed)
    for family, n_parameters in unfilled(wanted.n, wanted.seed):
        notes.append(f"no design of family {family} with {n_parameters:,} parameters was found; the list is shorter")
    found: list[Architecture] = []
    for design in designs:
        name = f"{design.family}-{design.design}"
        entry = {"class_path": "drawn", "init_args": design.arguments}
        place = f"the drawn design {name}"
        found.append(Architecture(name, place, entry, design.family, name, drawn=design))
    return found


def within_limits(architectures: Sequence[Architecture], n_samples: int, config: Namespace) -> list[Architecture]:
    """Return the architectures without the drawn designs that exceed a limit.

    The drawn designs that are left are in rounds of one of each family, as in the whole list, so that each beginning
    has all families as evenly as possible.

    Args:
        architectures: Architectures.
        n_samples: Length of the longest clips in samples.
        config: Rank study.
    """
    most, limit = config.designs.max_flop, config.designs.max_per_family
    of_family: dict[str, list[Architecture]] = {}
    for each in architectures:
        if each.drawn is not None:
            members = of_family.setdefault(each.family, [])
            is_small = most is None or each.drawn.plan.cost(n_samples).flop <= most
            if is_small and (limit is None or len(members) < limit):
                members.append(each)
    rounds = itertools.zip_longest(*of_family.values())
    drawn = [each for members in rounds for each in members if each is not None]
    return [*drawn, *(each for each in architectures if each.drawn is None)]


def columns_of(architecture: Architecture, frontend: Frontend, n_samples: int) -> dict[str, Any]:
    """Return properties of an architecture that may explain its rank, by name.

    Args:
        architecture: Architecture.
        frontend: Its frontend, with any seed.
        n_samples: Length of the clips in samples.
    """
    if architecture.drawn is not None:
        return architecture.drawn.columns(n_samples)
    cost = frontend.describe(n_samples)
    return {
        "input": "spectrogram" if reads_spectrogram(frontend) else "waveform",
        "depth": len(cost.layers),
        "n_parameters": cost.n_parameters,
        "n_features": frontend.embedding_size,
        "flop": cost.flop,
    }


def _name_of(entry: Mapping[str, Any]) -> str:
    """Return a name with all arguments that are given."""
    arguments = entry.get("init_args") or {}
    path = str(entry.get("class_path", ""))
    name = path if path in FRONTENDS.names() else path.rpartition(".")[2]
    return "-".join([name, *(f"{key}={value}" for key, value in arguments.items())])
