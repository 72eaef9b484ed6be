"""Frozen protocol of a rank study: written before anything is trained, with a digest that every report shows."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...audio.remote import is_remote
from ...embeddings.provenance import VERSIONS, data_fields, frontend_fields
from ...embeddings.sources import source_digest
from ...errors import UsageError
from ...files import digest, plain, read_json, write_atomically

if TYPE_CHECKING:
    from .plan import RankPlan

FILE = "protocol.json"
RESULTS = "results.jsonl"
FORMAT = 1
MAX_BYTES = 2**28
RULES: dict[str, Any] = {
    "headline": "tanh of the mean of atanh Spearman over tasks, of accuracies without and with training",
    "intervals": "designs drawn inside their families, and the luck of clips that architectures share",
    "learning_rate": "best validation accuracy of the first seed, and among equals the smallest",
    "linear": "at the learning rate that was chosen for the trained network",
    "one_epoch": "validation accuracy of the first seed after one epoch, at the common rate",
    "proxies": "means over the seeds of the frozen frontends; nngp joins their features",
    "verdict": [
        "predicts, beyond size: all four conditions hold",
        "predicts: the first two hold",
        "between families only: the first holds",
        "not shown: otherwise",
    ],
    "too_small": {
        "fewer_architectures_than": 9,
        "interval_wider_than": 0.6,
        "or": "a task whose correlation cannot be estimated",
    },
    "conditions": {
        "headline": "lower end of its 95 % interval above 0.5",
        "within_families": "lower end of the interval of the pooled correlation above 0",
        "partial": "lower end, given log10 of parameters, operations and features, above 0",
        "beyond_size": "lower end of the difference to the better of parameters and operations above 0",
    },
    "not_trained": "training accuracy under 1.5 times chance",
    "n_draws": 10_000,
}
"""Rules that decide what a study has shown."""
# Settings that say what this machine carries out, and how; they do not change what a study is.
_OF_A_RUN = (
    *("config", "name", "roots", "jobs", "first", "part", "max_seconds", "merge", "dry_run", "open", "embeddings"),
    *("trainer", "datamodules", "frontends", "apart", "designs", "left_out"),
)


def protocol_of(plan: "RankPlan") -> dict[str, Any]:
    """Return the protocol of a study: everything that its analysis reads besides the results, and its digest.

    Args:
        plan: Plan of the study.
    """
    settings = {name: plain(value) for name, value in plan.config.as_dict().items() if name not in _OF_A_RUN}
    settings["training"].pop("jobs", None)  # how many run at once changes no result
    content = {
        "format": FORMAT,
        "settings": settings,
        "tasks": [_task(plan, part) for part in plan.data],
        "left_out": dict(plan.config.left_out),
        "architectures": [_architecture(plan, index, columns) for index, columns in enumerate(plan.columns())],
        "versions": dict(VERSIONS),
        "plugins": source_digest([type(plan.backend), *map(type, plan.proxies)]),
        "rules": RULES,
    }
    content = plain(content)
    return {**content, "digest": digest({**content, "left_out": None})[:16]}


def freeze(plan: "RankPlan", gate: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write the protocol of a study to its folder, or check that the folder holds the same one, and return it.

    Args:
        plan: Plan of the study.
        gate: Outcome of the gate, which is kept beside the protocol.

    Raises:
        UsageError: The folder holds results under another protocol.
    """
    wanted = protocol_of(plan)
    path = plan.folder / FILE
    if path.is_file():
        known = read(plan.folder)
        refuse_other(known, wanted, plan.folder)
        return known
    if (plan.folder / RESULTS).is_file():
        raise UsageError(
            f"{plan.folder} has results but no {FILE}, so that nobody can tell how they were made; restore the file, "
            "or use another --name"
        )
    content = {**wanted, **({"gate": plain(dict(gate))} if gate else {})}
    write_atomically(path, json.dumps(content, indent=1).encode())
    return content


def read(folder: Path) -> dict[str, Any]:
    """Read the protocol in a folder.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        studies = sorted(str(found.parent) for found in folder.glob(f"*/{FILE}"))
        hint = f"found {', '.join(studies)}" if studies else "`untrained rank` writes one, such as runs/rank"
        raise UsageError(f"no {FILE} in {folder}; expected the folder of a rank study: {hint}")
    try:
        found: dict[str, Any] = read_json(path, MAX_BYTES)
        content = {name: value for name, value in found.items() if name not in ("digest", "gate")}
        if found["format"] != FORMAT:
            raise UsageError(f"{path} has format {found['format']}, this version reads {FORMAT}; use another --name")
        if found["digest"] != digest({**content, "left_out": None})[:16]:
            raise UsageError(
                f"{path} was changed after it was frozen: its content does not have the digest {found['digest']}; "
                "restore it, or use another --name"
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read ({type(error).__name__}: {error}); restore it, or use another --name"
        ) from error
    return found


def refuse_other(known: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path) -> None:
    """Raise if two protocols differ.

    Args:
        known: Protocol in a folder.
        wanted: Protocol of the study that is to run.
        folder: Folder of the first.

    Raises:
        UsageError: They differ; the message names up to three places.
    """
    if known["digest"] == wanted["digest"]:
        return
    places = list(_differences(known, wanted))
    shown = "; ".join(places[:3]) + (f"; and {len(places) - 3} more" if len(places) > 3 else "")
    raise UsageError(
        f"{folder} was frozen with the protocol {known['digest']}, and this study has {wanted['digest']}: {shown}. "
        "Nothing may change after the first training; use another --name"
    )


def _differences(known: Any, wanted: Any, place: str = "") -> Iterator[str]:
    """Yield the places at which two protocols differ, with both values."""
    if isinstance(known, Mapping) and isinstance(wanted, Mapping):
        for name in dict.fromkeys([*known, *wanted]):
            if name not in ("digest", "gate", "left_out"):
                inner = f"{place}.{name}".removeprefix(".").removeprefix("settings.")
                yield from _differences(known.get(name), wanted.get(name), inner)
    elif isinstance(known, list) and isinstance(wanted, list) and len(known) == len(wanted):
        for index, (ours, theirs) in enumerate(zip(known, wanted, strict=True)):
            yield from _differences(ours, theirs, f"{place}[{index}]")
    elif isinstance(known, list) and isinstance(wanted, list) and len(known) + len(wanted) > 8:
        yield f"{place} has {len(known)} entries there and {len(wanted)} here"
    elif known != wanted:
        yield f"{place} is {known!r} there and {wanted!r} here"


def _architecture(plan: "RankPlan", index: int, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies an architecture, and its properties."""
    each, part = plan.architectures[index], plan.frontends[plan.comparison.seeds[0]][index]
    fields = {name: value for name, value in frontend_fields(part.made).items() if name != "weights"}
    fields["arguments"] = {name: value for name, value in fields["arguments"].items() if name != "seed"}
    named = {"name": each.name, "family": each.family, "design": each.design, "apart": each.is_apart}
    return {**named, **columns, "fields": fields}


def _task(plan: "RankPlan", part: Any) -> dict[str, Any]:
    """Return what the analysis needs to know of a task, and digests of its clips and of everything that makes them.

    Locations of folders are left out, because the same data lies elsewhere on another machine.
    """
    datamodule = part.made
    tested = [clip for clip in datamodule.listed if clip.split == "test"]
    sets = [clip.metadata.get("test_set", 0) for clip in tested]
    sizes = {clip_id: stamp.size for clip_id, stamp in datamodule.stamps().items()}
    listed = [(clip.id, clip.label, clip.split, clip.group, sizes.get(clip.id)) for clip in datamodule.listed]
    groups = [clip.group for clip in tested]
    rates = sorted({each.made.sample_rate for each in plan.frontends[plan.comparison.seeds[0]]})
    made = {str(rate): data_fields(datamodule, rate, "") for rate in rates}
    for fields in made.values():
        fields["source"] = {name: value for name, value in fields["source"].items() if not _is_path(value)}
    return {
        "name": part.name,
        "sounds": made,
        "seed": datamodule.seed,
        "clips": digest({"clips": listed})[:16],
        "classes": plan.names[part.name],
        "n_train": sum(clip.split == "train" for clip in datamodule.listed),
        "n_validation": sum(clip.split == "validation" for clip in datamodule.listed),
        "test": {
            "ids": [clip.id for clip in tested],
            "labels": [clip.label for clip in tested],
            "groups": groups if any(groups) else None,
            "sets": [int(each) for each in sets] if len(set(sets)) > 1 else None,
        },
    }


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and (Path(value).is_absolute() or is_remote(value))
