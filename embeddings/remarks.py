"""Notes on clips that were decoded but are most likely faulty."""

from collections import Counter

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
    counts, first = store.retried(lambda each: _noted(each, datamodule))
    notes = []
    for remark, text in NOTED.items():
        if n := counts[remark]:
            shown = ", ".join(first[remark]) + (", ..." if n > MAX_SHOWN else "")
            notes.append(f"{n} of {len(datamodule.listed)} clips {text}: {shown}")
    return notes


def _noted(store: EmbeddingStore, datamodule: AudioDataModule) -> tuple[Counter[str], dict[str, list[str]]]:
    """Return the number of clips with each remark, and the first of their ids."""
    counts: Counter[str] = Counter()
    first: dict[str, list[str]] = {}
    for match in store.shards.matches(datamodule.listed.ids):
        clips = match.content.batch.select(["id", "remarks"]).take(pa.array(match.rows))
        odd = clips.filter(pc.not_equal(clips.column("remarks"), ""))
        for clip_id, remarks in zip(*(column.to_pylist() for column in odd.columns), strict=True):
            for remark in remarks.split():
                counts[remark] += 1
                first[remark] = sorted([*first.get(remark, []), clip_id])[:MAX_SHOWN]
    return counts, first
