"""Notes on clips that were decoded but are most likely faulty."""

import pyarrow as pa
import pyarrow.compute as pc

from ..audio import NOTED
from ..datamodules.base import AudioDataModule
from .store import EmbeddingStore

MAX_SHOWN = 3  # number of clips that a note lists


def notes_on(store: EmbeddingStore, datamodule: AudioDataModule) -> list[str]:
    """Return notes on clips of a data set that are most likely faulty.

    Args:
        store: Store of the data set.
        datamodule: Data set of the clips.
    """
    noted: dict[str, list[str]] = {str(remark): [] for remark in NOTED}
    ids = datamodule.listed.ids
    for match in store.shards.matches(ids):
        clips = match.content.batch.select(["id", "remarks"]).take(pa.array(match.rows))
        odd = clips.filter(pc.not_equal(clips.column("remarks"), ""))
        for clip_id, remarks in zip(*(column.to_pylist() for column in odd.columns), strict=True):
            for remark in noted.keys() & set(remarks.split()):
                noted[remark].append(clip_id)
    notes = []
    for remark, text in NOTED.items():
        if found := noted[remark]:
            shown = ", ".join(sorted(found)[:MAX_SHOWN]) + (", ..." if len(found) > MAX_SHOWN else "")
            notes.append(f"{len(found)} of {len(ids)} clips {text}: {shown}")
    return notes
