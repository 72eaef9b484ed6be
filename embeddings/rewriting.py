"""Rows that move to new shards: those that remain of a shard after others were replaced, or those of small shards."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..datamodules.sorted_ids import matched, span
from .checked import Content
from .shard_list import Shard, overlapping
from .shards import StoredClip, to_lists

SHARD_BYTES = 2**23
"""Size that small shards are merged to. A merge needs three times this memory."""
MAX_GROUP = 64
"""Maximum number of shards that are merged at once, and mapped at the same time."""
Read = Callable[[Shard], Content]
Dropped = dict[Shard, NDArray[np.bool_]]
"""Which rows of shards are dropped, `(n_rows,)`; without shards that keep all rows."""


def superseded(old: Sequence[Shard], new: Sequence[Shard], read: Read) -> Dropped:
    """Return the rows that occur in a newer shard, too.

    Args:
        old: Shards that have no id in common.
        new: Newer shards, in the order in which they were written.
        read: Function that reads a shard.
    """
    shards = [*old, *new]
    dropped: Dropped = {}
    for older, newer in overlapping(shards):
        if newer >= len(old):
            rows, _ = matched(read(shards[older]).ids, read(shards[newer]).ids)
            _add(dropped, shards[older], rows)
    return dropped


def rows_of(ids: pa.Array, shards: Sequence[Shard], read: Read) -> Dropped:
    """Return the rows of clips.

    Args:
        ids: Sorted ids of the clips.
        shards: Shards in any order.
        read: Function that reads a shard.
    """
    dropped: Dropped = {}
    for shard in shards:
        among = span(ids, shard.first, shard.last)
        if among:
            _, rows = matched(ids.slice(among.start, len(among)), read(shard).ids)
            _add(dropped, shard, rows)
    return dropped


def united(first: Dropped, second: Dropped) -> Dropped:
    """Return the rows that are dropped in either of two choices of rows."""
    return first | {shard: rows | first[shard] if shard in first else rows for shard, rows in second.items()}


def kept(content: Content, dropped: NDArray[np.bool_]) -> pa.RecordBatch:
    """Return the rows of a shard that are not dropped.

    Args:
        content: Content of the shard.
        dropped: Whether each row is dropped, `(n_rows,)`.
    """
    return content.batch.filter(pa.array(~dropped))


def groups_of_small(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Yield groups of small shards to merge, with neighbouring ids and a total size of about `SHARD_BYTES`.

    Args:
        shards: Shards in any order.
    """
    group: list[Shard] = []
    n_bytes = 0
    for shard in sorted(shards, key=lambda shard: shard.first):
        if shard.n_bytes >= SHARD_BYTES // 2:
            continue
        if n_bytes + shard.n_bytes > SHARD_BYTES or len(group) == MAX_GROUP:
            yield group
            group, n_bytes = [], 0
        group.append(shard)
        n_bytes += shard.n_bytes
    if len(group) > 1:
        yield group


def merged(contents: Sequence[Content]) -> pa.RecordBatch:
    """Return the rows of several shards, which have no id in common, sorted by id.

    Args:
        contents: Contents of the shards.
    """
    names = list(StoredClip._fields)
    clips = pa.Table.from_batches([content.batch.select(names).replace_schema_metadata() for content in contents])
    order = pc.sort_indices(clips.column("id").combine_chunks())
    place_of = np.empty(len(order), np.int64)
    place_of[order.to_numpy()] = np.arange(len(order))
    matrix = np.empty((len(order), contents[0].matrix.shape[1]), np.float32)
    start = 0
    for content in contents:  # one after the other, because `take` would copy the column of all embeddings
        stop = start + len(content.ids)
        matrix[place_of[start:stop]] = content.matrix
        start = stop
    (ordered,) = clips.take(order).combine_chunks().to_batches()
    return pa.record_batch([*ordered.columns, to_lists(matrix)], schema=contents[0].batch.schema.remove_metadata())


def failures(reasons: Mapping[str, tuple[int, str]], shards: Sequence[Shard], read: Read) -> dict[str, str]:
    """Return the reasons of the clips that could not be read and were not stored since.

    Args:
        reasons: The number of shards before the failure, and its reason, by the id of each clip.
        shards: Shards in the order in which they were written.
        read: Function that reads a shard.
    """
    ids = pa.array(sorted(reasons), pa.string())
    stored: set[str] = set()
    for number, shard in enumerate(shards):
        among = span(ids, shard.first, shard.last)
        if among:
            positions, _ = matched(ids.slice(among.start, len(among)), read(shard).ids)
            found = ids.take(pa.array(positions + among.start)).to_pylist()
            stored.update(clip_id for clip_id in found if reasons[clip_id][0] <= number)
    return {clip_id: reason for clip_id, (_, reason) in reasons.items() if clip_id not in stored}


def _add(dropped: Dropped, shard: Shard, rows: NDArray[np.int64]) -> None:
    if len(rows):
        dropped.setdefault(shard, np.zeros(shard.n_rows, bool))[rows] = True
