"""Rank studies that are made up: a protocol and results whose analysis has a known answer."""

import json

import numpy as np
from rank_results import made_up
from untrained.files import digest
from untrained.studies.rank.items import Item
from untrained.studies.rank.protocol import FORMAT, RULES
from untrained.studies.rank.results import Record, Results

FAMILIES = ("vgg", "vertical", "horizontal", "many", "sample_level", "frame_level", "frame_many", "temporal")
APART = ("timbral", "temporal_net", "vgg_study", "vertical_7x86")
CPU = {"torch": "2.4.0", "device": "cpu", "system": "Linux x86_64"}
PROXIES = ("naswot", "synflow", "jacob_cov", "zico", "nngp")
RATES = (0.001, 0.003)


def made_up_study(n_draws=100, **options):
    """Return a protocol and complete results; the options are those of `made_up`."""
    data = made_up(**{"arms": ("random-raw",), **options})
    n_apart = int(data.apart.sum())
    names = [f"{FAMILIES[int(f.split('-')[1]) % 8]}-{i}" for i, f in enumerate(data.families)]
    names[len(names) - n_apart :] = APART[:n_apart]
    rows = [
        {
            "name": name,
            "family": FAMILIES[int(data.families[i].split("-")[1]) % 8],
            "design": name,
            "apart": bool(data.apart[i]),
            "input": data.inputs[i],
            "depth": 3,
            **{column: int(values[i]) for column, values in data.columns.items()},
        }
        for i, name in enumerate(names)
    ]
    n_seeds = data.tasks[0].right["random"].shape[1]
    seeds = {arm: [first + i for i in range(n_seeds)] for arm, first in (("random", 0), ("trained", 100))}
    settings = {
        "seeds": {**seeds, "linear": [200]},
        "proxies": list(PROXIES),
        "last_head": False,
        "common_rate": 0.001,
        "training": {"learning_rate": list(RATES), "max_steps": 300, "batch_size": 16},
    }
    content = {
        "format": FORMAT,
        "settings": settings,
        "tasks": [_task(task) for task in data.tasks],
        "left_out": {"rhythm": "with 160 training clips most networks stay near chance"},
        "architectures": rows,
        "versions": {},
        "rules": {**RULES, "n_draws": n_draws},
    }
    frozen = {**content, "digest": digest({**content, "left_out": None})[:16]}
    known = Results()
    for task in data.tasks:
        for index, name in enumerate(names):
            for record in _records(task, index, name, seeds):
                known.add(record)
    return frozen, known


def _task(task):
    return {
        "name": task.name,
        "classes": sorted(set(task.labels.tolist())),
        "n_train": task.n_train,
        "n_validation": task.n_validation,
        "test": {
            "ids": task.groups.tolist(),
            "labels": task.labels.tolist(),
            "groups": None,
            "sets": task.test_set.tolist() if task.test_set.any() else None,
        },
    }


def _records(task, index, name, seeds):
    classes = sorted(set(task.labels.tolist()))
    truth = np.array([classes.index(label) for label in task.labels])

    def record(arm, rate, seed, column, **more):
        right = task.right[arm][index, column]
        predicted = np.where(right == 1, truth, (truth + 1) % len(classes)).tolist()
        item = Item(task.name, name, arm, rate, seed)
        return Record(item, predicted, validation=more.pop("validation", 0.5), seconds=1.5, machine=CPU, **more)

    for column, seed in enumerate(seeds["random"]):
        yield record("random", None, seed, column)
        yield record("random-raw", None, seed, column)
        values = {"naswot": float(task.rivals["naswot"][index]), "synflow": float(task.rivals["synflow"][index])}
        values |= {"jacob_cov": None if index == 1 else -float(index), "zico": float(index)}
        times = dict.fromkeys(values, 0.02)
        yield Record(Item(task.name, name, "proxies", None, seed), values=values, times=times, machine=CPU)
    yield Record(
        Item(task.name, name, "nngp", None, seeds["random"][0]), values={"nngp": 0.5 + index / 1000}, machine=CPU
    )
    yield record("linear", RATES[0], 200, 0)
    for column, seed in enumerate(seeds["trained"]):
        yield record("trained", RATES[0], seed, column, validation=0.6, train=0.9, first_epoch=(index % 7) / 10)
    yield record("trained", RATES[1], seeds["trained"][0], 0, train=0.9, first_epoch=0.3)


def write(folder, frozen, known):
    """Write a study to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "protocol.json").write_text(json.dumps(frozen))
    (folder / "results.jsonl").write_text("".join(record.line() for record in known.records.values()))
    return folder
