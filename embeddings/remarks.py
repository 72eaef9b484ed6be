"""Remarks on the files of a store: what is odd about sounds that could be decoded, for the notes of every later run."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..audio import NOTED, TITLES, Remark
from ..datamodules.base import AudioDataModule
from ..files import write_atomically

FILE = "remarks.csv"
MAX_SHOWN = 3  # clips in a note


def read_remarks(folder: Path) -> dict[str, list[str]]:
    """Return the remarks of a store by the id of the clip; empty if there are none, or the file is damaged.

    Args:
        folder: Folder of the store.
    """
    try:
        with (folder / FILE).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return {row["id"]: row["remarks"].split() for row in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError, csv.Error):
        return {}


def keep_remarks(folder: Path, found: Mapping[str, Sequence[Remark]]) -> None:
    """Write the remarks on clips that were read, beside those on other clips.

    Args:
        folder: Folder of the store, which the caller has locked.
        found: Remarks on each clip that was read, by its id; none on most.

    Raises:
        StoreError: The file cannot be written.
    """
    earlier = read_remarks(folder)
    remarks: dict[str, Sequence[str]] = {**earlier, **{clip_id: list(some) for clip_id, some in found.items()}}
    kept = {clip_id: some for clip_id, some in remarks.items() if some}
    if kept == earlier:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("id", "remarks"), *((clip_id, " ".join(some)) for clip_id, some in sorted(kept.items()))])
    write_atomically(folder / FILE, text.getvalue().encode("utf-8", "surrogateescape"))


def notes_on(remarks: Mapping[str, Sequence[str]], datamodule: AudioDataModule) -> list[str]:
    """Return notes on clips of a data set with sounds that most likely are mistakes.

    Args:
        remarks: Remarks on clips, see `read_remarks`.
        datamodule: Data set of the clips.
    """
    notes = []
    for remark in NOTED:
        ids = [clip.id for clip in datamodule.listed if remark in remarks.get(clip.id, ())]
        if ids:
            shown = ", ".join(ids[:MAX_SHOWN]) + (", ..." if len(ids) > MAX_SHOWN else "")
            notes.append(f"{len(ids)} of {len(datamodule.listed)} clips {TITLES[remark]}: {shown}")
    return notes
