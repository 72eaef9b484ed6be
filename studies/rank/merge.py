"""Merge of the results of several machines into the folder of one rank study."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import UsageError
from ...files import locked, write_atomically
from . import protocol, results
from .results import Record, Results

Say = Callable[[str], None]


def merge(folders: Sequence[Path], into: Path, say: Say) -> Results:
    """Add the results in several folders to those of a study, and return all of them.

    Results that a folder has more than once are kept once. If two of them differ, both are kept and reported, and the
    first is used.

    Args:
        folders: Folders of the same study.
        into: Folder of the study, which need not exist.
        say: Function that shows a line of text to the user.

    Raises:
        UsageError: A folder holds no rank study, or one with another protocol; nothing is changed.
    """
    protocols = {folder: protocol.read(folder) for folder in folders}
    if (into / protocol.FILE).is_file():
        protocols = {into: protocol.read(into), **protocols}
    (first, known), *others = protocols.items()
    for folder, other in others:
        try:
            protocol.refuse_other(known, other, first)
        except UsageError as error:
            raise UsageError(f"{folder} is another study than {first}: {_difference(str(error))}") from error
    versions: dict[str, list[str]] = {}
    with locked(into, "give the study another --name"):
        if not (into / protocol.FILE).is_file():
            write_atomically(into / protocol.FILE, json.dumps(known, indent=1).encode())
        found = results.read(into, say)
        _note_versions(versions, into, found)
        for folder in folders:
            if folder.resolve() != into.resolve():
                its = results.read(folder, say)
                _note_versions(versions, folder, its)
                _add(folder, its, into, found, say)
    if len(versions) > 1:
        which = ", ".join(f"{version} in {', '.join(dict.fromkeys(where))}" for version, where in versions.items())
        say(
            f"the results come from several versions of torch: {which}. All are kept; accuracies may differ by a few "
            "clips for this reason alone"
        )
    for ours, theirs in found.differing:
        say(f"two results of {ours.item} differ: {_described(ours)}, and {_described(theirs)}; the first is used")
    return found


def _note_versions(versions: dict[str, list[str]], folder: Path, its: Results) -> None:
    """Add the folder to each version of torch that computed its results."""
    for machine in its.machines():
        versions.setdefault(str(machine.get("torch", "unknown")), []).append(str(folder))


def _add(folder: Path, its: Results, into: Path, found: Results, say: Say) -> None:
    """Append the records of a folder that are new, or differ from the known ones."""
    new = []
    for record in [*its.records.values(), *(other for _, other in its.differing)]:
        n_differing, known = len(found.differing), found.records.get(record.item)
        found.add(record)
        is_new = known is None or (known.error and not record.error)
        if is_new or len(found.differing) > n_differing:
            new.append(record)
    results.append(into, new)
    say(f"{folder}: {len(new)} results added")


def _described(record: Record) -> str:
    on = " with ".join(str(record.machine[name]) for name in ("device", "torch") if name in record.machine)
    if record.validation is None:
        return f"{dict(record.values)} on {on}"
    return f"{100 * record.validation:.2f} % of the validation clips on {on}"


def _difference(text: str) -> str:
    """Return the part of a message that says how two protocols differ."""
    return text.partition(": ")[2].rpartition(". ")[0]
