"""Notes on clips that were decoded but are most likely faulty."""

from collections.abc import Iterable

from ..audio import NOTED
from ..datamodules.base import AudioDataModule
from .shards import StoredClip

MAX_SHOWN = 3  # number of clips that a note lists


def notes_on(rows: Iterable[StoredClip], datamodule: AudioDataModule) -> list[str]:
    """Return notes on clips of a data set that are most likely faulty.

    Args:
        rows: Rows of the store of the data set.
        datamodule: Data set of the clips.
    """
    remarks_on = {row.id: row.remarks.split() for row in rows}
    notes = []
    for remark, text in NOTED.items():
        ids = [clip.id for clip in datamodule.listed if remark in remarks_on.get(clip.id, ())]
        if ids:
            shown = ", ".join(ids[:MAX_SHOWN]) + (", ..." if len(ids) > MAX_SHOWN else "")
            notes.append(f"{len(ids)} of {len(datamodule.listed)} clips {text}: {shown}")
    return notes
