"""Problems of a rank study that need no plug-in to be found."""

from collections.abc import Iterator
from typing import Any

from jsonargparse import Namespace

from ...frontends.drawn_set import ROUND
from ..plugins import NO_VALUE
from ..problems import Problem
from .items import SENSITIVITIES

MAY_BE_NULL = ("first", "max_seconds", "embeddings", "designs.max_flop", "designs.max_per_family", "config")
"""Settings that may have no value."""
_OTHERS_CHECK = ("trainer.", "datamodules", "training.max_epochs", "training.gradient_clip_val")
RANGES = {
    "designs.n": (0, 1000 * ROUND),
    "designs.seed": (0, 2**32 - 1),
    "designs.max_per_family": (1, 1000 * ROUND),
    "gate.n": (0, 1000 * ROUND),
    "gate.seed": (0, 2**32 - 1),
    "first": (1, 2**31),
}
"""Smallest and largest values of settings."""


def missing_values(config: Namespace) -> list[Problem]:
    """Return a problem for each key without a value that needs one."""
    return [Problem(key, NO_VALUE) for key in _nulls(config.as_dict(), "")]


def _nulls(values: dict[str, Any], place: str) -> Iterator[str]:
    for name, value in values.items():
        key = f"{place}{name}"
        if key.startswith("roots") or key in MAY_BE_NULL or key.startswith(_OTHERS_CHECK):
            continue
        if value is None:
            yield key
        elif isinstance(value, dict) and key != "left_out":
            yield from _nulls(value, f"{key}.")


def config_problems(config: Namespace) -> list[Problem]:
    """Return the problems of a rank study that need no plug-in to be found."""
    found = []
    seen: dict[int, str] = {}
    for arm in ("random", "trained", "linear"):
        seeds = config.seeds[arm]
        if not seeds:
            found.append(Problem(f"seeds.{arm}", "the list is empty; add at least one seed"))
        for seed in seeds:
            if isinstance(seed, bool) or not 0 <= seed < 2**32:
                found.append(Problem(f"seeds.{arm}", f"{seed}; expected integers of 0 or more, below 2**32"))
            elif seed in seen:
                why = "is there twice" if seen[seed] == arm else f"is also in seeds.{seen[seed]}"
                text = f"the seed {seed} {why}; arms that share a seed share its luck, so give each seeds of its own"
                found.append(Problem(f"seeds.{arm}", text))
            seen.setdefault(seed, arm)
    rates = config.training.learning_rate
    rates = rates if isinstance(rates, list) else [rates]
    if config.common_rate not in rates:
        text = f"{config.common_rate:g}; expected one of training.learning_rate, {', '.join(map(repr, rates))}"
        found.append(Problem("common_rate", text))
    unknown = [name for name in config.sensitivities if name not in SENSITIVITIES]
    if unknown:
        found.append(Problem("sensitivities", f"{unknown[0]!r}; expected some of {', '.join(SENSITIVITIES)}"))
    if config.training.head != "linear":
        text = f"{config.training.head!r}; expected linear, which reads the embedding that is scored without training"
        found.append(Problem("training.head", text))
    if config.training.circular_shift or config.training.random_crop:
        name = "circular_shift" if config.training.circular_shift else "random_crop"
        text = "the networks that are not trained see no changed clips; leave it out"
        found.append(Problem(f"training.{name}", text))
    if len(config.backends) != 1:
        found.append(Problem("backends", f"there are {len(config.backends)}; expected one"))
    for name, (least, most) in RANGES.items():
        value = config[name]
        if value is not None and not least <= value <= most:
            expected = f"{least} or more" if value < least else f"{most:,} or less"
            found.append(Problem(name, f"{value}; expected {expected}"))
    if config.training.jobs != 1:
        found.append(Problem("training.jobs", "rank counts all of its processes with --jobs; leave it out"))
    if config.gate.n and config.gate.seed == config.designs.seed:
        text = f"{config.gate.seed} is also designs.seed; the designs of the gate must be others, so give another seed"
        found.append(Problem("gate.seed", text))
    if config.jobs != "auto" and not (isinstance(config.jobs, int) and config.jobs >= 1):
        found.append(Problem("jobs", f"{config.jobs!r}; expected auto, or 1 or more"))
    if config.max_seconds is not None and not config.max_seconds > 0:
        found.append(Problem("max_seconds", f"{config.max_seconds:g}; expected seconds above 0"))
    if not config.datamodules:
        found.append(Problem("datamodules", "the list is empty; add at least one entry"))
    return found
