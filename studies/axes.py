"""Axes of a study: tests of pairs of runs that differ in one setting, for example the pooling."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from ..probes.record import ARMS, ORIGIN, as_text
from .families import Model, estimate_paired, seeds_of_differences
from .significance import Estimate
from .verdict import PairTest, correct_family

OPTIONS = ("init", "layers", "pooling", "tf32", "calibrate", "weights")
"""Settings of a frontend that are arguments of `Probe`."""
_DATA = ("n_samples", "fit_length", "precision")
Key = tuple[str, str, str]  # data set, frontend, backend
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class AxisTest:
    """Test of two values of one setting, with all other settings equal.

    Args:
        dataset: Name of the data set.
        frontend: Name of the frontend with the first value.
        backend: Name of the backend with the first value.
        test: Test of the first value against the second.
    """

    dataset: str
    frontend: str
    backend: str
    test: PairTest


def settings_of(metrics: Mapping[str, Any]) -> Settings:
    """Return the settings that determine the result of a run, except for its seed.

    The arguments of the frontend are called `frontend.NAME`, those of the backend `backend.NAME` and those of the data
    set `data.NAME`.

    Args:
        metrics: Content of the `metrics.json` of the run.
    """
    key = metrics["key"]
    embeddings, backend = key["embeddings"], key["training"] if "training" in key else key["backend_arguments"]
    known = {**ORIGIN, **metrics, **key}  # some options are missing in runs of earlier versions
    return {
        "frontend": embeddings["frontend"],
        **{f"frontend.{name}": value for name, value in embeddings["arguments"].items() if name != "seed"},
        **{name: known[name] for name in (*OPTIONS, "standardize")},
        "backend": key["backend"].partition("-")[0],
        **{f"backend.{name}": value for name, value in backend.items() if name != "seed"},
        "is_random": "seed" in embeddings["arguments"] or "seed" in backend,
        **{f"data.{name}": embeddings[name] for name in _DATA},
        "data": {name: value for name, value in embeddings["source"].items() if name != "generator"},
        "clips": key["clips"],
        "protocol": key["protocol"],
    }


def is_random(settings: Settings) -> bool:
    """Return whether the frontend or the backend has random weights, so that results depend on the seed."""
    return bool(settings["is_random"])


def is_training(settings: Settings) -> bool:
    """Return whether a run is a training run, which has a head instead of a backend."""
    return settings.get("weights") in ARMS


def _order(settings: Settings) -> int:
    """Return the place of the weights of a run: frozen ones, then a trained head, then everything trained."""
    return ARMS.index(settings["weights"]) if is_training(settings) else -1


def variants(settings: Mapping[Key, Settings]) -> dict[str, list[Key]]:
    """Group the frontends of one table into families with the same options of `Probe`.

    Frontends without feature maps, such as MFCCs, have no such options and belong to every family.

    Args:
        settings: Settings of the frontends of the table.

    Returns:
        Keys of the frontends by options, as text; the text is empty if there is only one family.
    """
    of_frontend: dict[Hashable, set[str]] = {}
    for found in settings.values():
        of_frontend.setdefault(_frontend(found), set()).add(_options(found))
    several = {frontend for frontend, options in of_frontend.items() if len(options) > 1}
    names = dict.fromkeys(_options(found) for found in settings.values() if _frontend(found) in several)
    if not names:
        return {"": list(settings)}
    return {
        _in_short(name, names): [
            key for key, found in settings.items() if _frontend(found) not in several or _options(found) == name
        ]
        for name in names
    }


def compare_axes(models: Mapping[Key, Model], settings: Mapping[Key, Settings]) -> dict[str, list[AxisTest]]:
    """Test all pairs of values of each setting that a study varies, with all other settings equal.

    Args:
        models: Models of the study.
        settings: Settings of these models.

    Returns:
        Tests by name of the setting; the tests of one setting are corrected together.
    """
    pairs: dict[str, list[tuple[Key, Key]]] = {}
    for a, b in combinations(models, 2):
        if axis := _axis(settings[a], settings[b]):
            trains = axis == "weights" and (is_training(settings[a]) or is_training(settings[b]))
            if trains and a[1] != b[1]:
                continue  # a training run is compared with the frontend of its own name alone, not with other options
            is_reversed = axis == "weights" and _order(settings[a]) < _order(settings[b])
            pairs.setdefault(axis, []).append((b, a) if is_reversed else (a, b))
    short = [axis.partition(".")[2] or axis for axis in pairs]
    names = {axis: name if short.count(name) == 1 else axis for axis, name in zip(pairs, short, strict=True)}
    return {names[axis]: _tests(axis, found, models, settings) for axis, found in pairs.items()}


def _tests(
    axis: str, pairs: Sequence[tuple[Key, Key]], models: Mapping[Key, Model], settings: Mapping[Key, Settings]
) -> list[AxisTest]:
    known: dict[tuple[Key, Key], Estimate] = {}
    for dataset in dict.fromkeys(a[0] for a, _ in pairs):
        of_dataset = [(a, b) for a, b in pairs if a[0] == dataset]
        seeds = seeds_of_differences([(models[a], models[b]) for a, b in of_dataset])
        found = {(a, b): estimate_paired((models[a], models[b]), seeds) for a, b in of_dataset}
        known |= {pair: estimate for pair, estimate in found.items() if estimate is not None}
    tests = correct_family({(f"{a}", f"{b}"): estimate for (a, b), estimate in known.items()})
    has_trainings = axis == "weights" and any(is_training(settings[key]) for pair in known for key in pair)

    def name(key: Key) -> str:
        value = as_text(settings[key][axis])
        # Random weights are named with their backend, which training runs do not have.
        return f"{value}, {key[2]}" if has_trainings and not is_training(settings[key]) else value

    return [AxisTest(*a, replace(test, a=name(a), b=name(b))) for (a, b), test in zip(known, tests, strict=True)]


def _axis(a: Settings, b: Settings) -> str:
    """Return the only setting in which two runs differ; empty if there is no such setting or it is the frontend."""
    missing = object()
    differing = {name for name in {*a, *b} if a.get(name, missing) != b.get(name, missing)}
    differing.discard("is_random")
    if "weights" in differing and (is_training(a) or is_training(b)):
        return "weights" if all(_comes_with_training(name, a if is_training(a) else b) for name in differing) else ""
    if "backend" in differing:  # another backend also has other arguments
        return "backend" if all(name.partition(".")[0] == "backend" for name in differing) else ""
    is_setting = len(differing) == 1 and not differing & {"frontend", "data", "clips", "protocol"}
    return differing.pop() if is_setting else ""


def _comes_with_training(name: str, training: Settings) -> bool:
    """Return whether a setting differs because a training run has its own head, precision and normalised input."""
    forced = {"pooling": training["backend.head"] == "musicnn", "layers": training["backend.head"] == "last"}
    own = ("weights", "standardize", "calibrate", "data.precision", "tf32")
    return name in own or name.partition(".")[0] == "backend" or forced.get(name, False)


def _frontend(settings: Settings) -> Hashable:
    return tuple((name, as_text(value)) for name, value in settings.items() if name.partition(".")[0] == "frontend")


def _options(settings: Settings) -> str:
    return " ".join(f"{name}={as_text(settings[name])}" for name in OPTIONS)


def _in_short(name: str, names: Mapping[str, None]) -> str:
    """Return those options of a variant that are not the same in all variants."""
    columns = zip(*(each.split(" ") for each in names), strict=True)
    differing = [len(set(column)) > 1 for column in columns]
    return ", ".join(part for part, differs in zip(name.split(" "), differing, strict=True) if differs)
