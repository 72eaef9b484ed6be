"""Results of a rank study as arrays, for its analysis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rank_analysis.data import RankData, TaskData
from .items import LAST_HEAD, LINEAR, NNGP, PROXIES, RANDOM, SENSITIVITIES, TRAINED, Item
from .results import Results

COMMON = "trained-common"
_COUNTS = ("n_parameters", "flop", "n_features")


def load(protocol: Mapping[str, Any], known: Results) -> RankData:
    """Return the results of a study for its analysis; what is missing is NaN.

    Architectures without a single result, which are still to come, are left out.

    Args:
        protocol: Frozen protocol.
        known: Results.
    """
    with_results = {item.architecture for item in known.records}
    rows = [row for row in protocol["architectures"] if row["name"] in with_results]
    names = [row["name"] for row in rows]
    first = protocol["architectures"][0]
    numbers = [name for name, value in first.items() if isinstance(value, int | float) and name != "apart"]
    columns = {name: np.array([float(row.get(name, np.nan)) for row in rows]) for name in numbers}
    return RankData(
        architectures=names,
        families=[row["family"] for row in rows],
        designs=[row["design"] for row in rows],
        inputs=[row["input"] for row in rows],
        columns=columns,
        apart=np.array([bool(row["apart"]) for row in rows]),
        tasks=[_task(task, protocol["settings"], names, columns, known) for task in protocol["tasks"]],
    )


def _task(
    task: Mapping[str, Any],
    settings: Mapping[str, Any],
    names: Sequence[str],
    columns: Mapping[str, NDArray[np.float64]],
    known: Results,
) -> TaskData:
    seeds, name = settings["seeds"], task["name"]
    rates = settings["training"]["learning_rate"]
    rates = [float(rate) for rate in (rates if isinstance(rates, list) else [rates])]
    first = seeds["trained"][0]
    chosen = [known.chosen([Item(name, each, TRAINED, rate, first) for rate in rates]) for each in names]
    classes = {label: index for index, label in enumerate(task["classes"])}
    truth = np.array([classes.get(label, -2) for label in task["test"]["labels"]])

    def right(arm: str, its_seeds: Sequence[int], at: Sequence[float | None]) -> NDArray[np.float64]:
        found = np.full((len(names), len(its_seeds), len(truth)), np.nan)
        for row, (each, rate) in enumerate(zip(names, at, strict=True)):
            for column, seed in enumerate(its_seeds):
                record = known.done(Item(name, each, arm, rate, seed))
                if record is not None and len(record.predicted) == len(truth):
                    predicted = np.array(record.predicted)
                    found[row, column] = np.where(predicted < 0, np.nan, predicted == truth)
        return found

    nowhere: list[float | None] = [None] * len(names)
    common: list[float | None] = [settings["common_rate"]] * len(names)
    arms = {
        RANDOM: right(RANDOM, seeds["random"], nowhere),
        LINEAR: right(LINEAR, seeds["linear"], chosen),
        TRAINED: right(TRAINED, seeds["trained"], chosen),
        COMMON: right(TRAINED, [first], common),
        LAST_HEAD: right(LAST_HEAD, [first], chosen),
        **{f"{RANDOM}-{change}": right(f"{RANDOM}-{change}", seeds["random"], nowhere) for change in SENSITIVITIES},
    }
    main = (RANDOM, TRAINED)
    labels = np.array(task["test"]["labels"])
    groups = task["test"]["groups"] or task["test"]["ids"]
    return TaskData(
        name=name,
        labels=labels,
        groups=np.array([group or clip for group, clip in zip(groups, task["test"]["ids"], strict=True)]),
        test_set=np.array(task["test"]["sets"] or [0] * len(labels)),
        n_train=task["n_train"],
        n_validation=task["n_validation"],
        n_classes=len(task["classes"]),
        right={arm: values for arm, values in arms.items() if arm in main or np.isfinite(values).any()},
        train_accuracy=_of_first(known, name, names, chosen, first),
        at_grid_end=np.array([len(rates) > 2 and rate in (min(rates), max(rates)) for rate in chosen]),
        rivals=_rivals(known, name, names, settings, columns),
    )


def _of_first(
    known: Results, task: str, names: Sequence[str], chosen: Sequence[float | None], seed: int
) -> NDArray[np.float64]:
    """Return the accuracy of the trained networks on their training clips, with the first seed."""
    found = np.full(len(names), np.nan)
    for row, (name, rate) in enumerate(zip(names, chosen, strict=True)):
        record = known.done(Item(task, name, TRAINED, rate, seed))
        if record is not None and record.train is not None:
            found[row] = record.train
    return found


def _rivals(
    known: Results,
    task: str,
    names: Sequence[str],
    settings: Mapping[str, Any],
    columns: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Return the values of the other predictors, as means over seeds; -inf if not finite, NaN if not computed."""
    found = {name: columns[name] for name in _COUNTS}
    random_seeds = settings["seeds"]["random"]
    for proxy in settings["proxies"]:
        arm, seeds = (NNGP, random_seeds[:1]) if proxy == NNGP else (PROXIES, random_seeds)
        values = np.full((len(names), len(seeds)), np.nan)
        for row, name in enumerate(names):
            for column, seed in enumerate(seeds):
                record = known.done(Item(task, name, arm, None, seed))
                if record is not None and proxy in record.values:
                    value = record.values[proxy]
                    values[row, column] = -np.inf if value is None else value  # ranked lowest
        found[proxy] = values.mean(axis=1)  # not finite if any seed is not, and NaN if any is missing
    one_epoch = np.full(len(names), np.nan)
    for row, name in enumerate(names):
        item = Item(task, name, TRAINED, settings["common_rate"], settings["seeds"]["trained"][0])
        record = known.done(item)
        if record is not None and record.first_epoch is not None:
            one_epoch[row] = record.first_epoch
    return {**found, "one_epoch": one_epoch}
