"""Shards of a store: immutable Arrow files with the rows of some clips and their embeddings, which cannot run code."""

import csv
import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

METADATA = b"untrained"
"""Name of the metadata of a shard, which are JSON."""


class StoredClip(NamedTuple):
    """Row of a store that describes a clip.

    Args:
        id: Id of the clip.
        size: Size of the file, in bytes.
        mtime_ns: Modification time of the file, in ns.
        seconds: Duration of the whole clip, in s.
        file: Digest of the file, see `Digests`; empty if the clip has no file.
        audio: Digest of the audio, see `Digests`.
        remarks: Remarks on unusual properties of the file, see `audio.Remark`, separated by spaces.
    """

    id: str
    size: int
    mtime_ns: int
    seconds: float
    file: str = ""
    audio: str = ""
    remarks: str = ""


def schema(embedding_size: int) -> pa.Schema:
    """Return the columns of a shard: those of `StoredClip`, and `embedding`, a list of float32 of fixed size.

    Args:
        embedding_size: Number of features of an embedding.
    """
    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    columns = [pa.field(name, types[kind], nullable=False) for name, kind in StoredClip.__annotations__.items()]
    item = pa.field("item", pa.float32(), nullable=False)
    return pa.schema([*columns, pa.field("embedding", pa.list_(item, embedding_size), nullable=False)])


def to_batch(rows: Sequence[StoredClip], embeddings: NDArray[Any]) -> pa.RecordBatch:
    """Return rows and their embeddings as columns, sorted by id. Of rows with the same id, the last is kept.

    Args:
        rows: Rows of the clips.
        embeddings: Embeddings of the clips, `(n_clips, n_features)`.
    """
    last = {row.id: number for number, row in enumerate(rows)}
    order = [last[clip_id] for clip_id in sorted(last)]
    names, matrix = schema(embeddings.shape[1]), np.asarray(embeddings, np.float32)[order]
    columns = zip(*(rows[number] for number in order), strict=True) if order else [[] for _ in StoredClip._fields]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, names, strict=False)]
    return pa.record_batch([*arrays, to_lists(matrix)], schema=names)


def to_lists(matrix: NDArray[Any]) -> pa.Array:
    """Return a matrix `(n_clips, n_features)` of float32 as a column of embeddings, without a copy."""
    of_embeddings = schema(matrix.shape[1]).field("embedding").type
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(matrix).ravel()), type=of_embeddings)


def pack(batch: pa.RecordBatch, key: str, failed: Mapping[str, str] | None = None) -> pa.Buffer:
    """Return the bytes of a shard, an Arrow IPC file with one record batch.

    Args:
        batch: Rows with their embeddings, sorted by id, with the columns of `schema`.
        key: Key of the store.
        failed: Reasons why other clips could not be read, by id.
    """
    # A plug-in may give any text as a reason.
    reasons = {name: text.encode("utf-8", "backslashreplace").decode()[:1000] for name, text in (failed or {}).items()}
    sums = {"clips": clips_checksum(batch, reasons), "embeddings": embeddings_checksum(batch)}
    about = {"key": key, "failed": reasons, **sums}
    described = batch.schema.with_metadata({METADATA: json.dumps(about, sort_keys=True)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, described) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def clips_checksum(batch: pa.RecordBatch, failed: Mapping[str, str]) -> int:
    """Return a checksum of the rows of a shard, which detects damage but not a deliberate change.

    Args:
        batch: Rows with their embeddings.
        failed: Reasons why other clips could not be read, by id.
    """
    return _checksum(batch.columns[:-1], zlib.crc32(json.dumps(failed, sort_keys=True).encode()))


def embeddings_checksum(batch: pa.RecordBatch) -> int:
    """Return a checksum of the embeddings of a shard, which detects damage but not a deliberate change.

    Args:
        batch: Rows with their embeddings.
    """
    return _checksum(batch.columns[-1:])


def _checksum(columns: Iterable[pa.Array], start: int = 0) -> int:
    for column in columns:
        for part in _parts(column) if len(column) else ():
            start = zlib.crc32(part, start)
    return start


def _parts(column: pa.Array) -> list[Any]:
    """Return the buffers of a column without bytes that do not belong to a value."""
    if not pa.types.is_string(column.type):
        values = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        return [values.to_numpy().data]
    _, offsets, texts = column.buffers()
    bounds = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return [(bounds - bounds[0]).data, texts.slice(int(bounds[0]), int(bounds[-1] - bounds[0])) if texts else b""]


def to_clips(batch: pa.RecordBatch) -> list[StoredClip]:
    """Return the rows of a shard as objects."""
    columns = [batch.column(name).to_pylist() for name in StoredClip._fields]
    return [StoredClip(*values) for values in zip(*columns, strict=True)]


def in_order(ids: pa.Array) -> bool:
    """Return whether ids are sorted, and each occurs once."""
    return bool(pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py())


def to_csv(header: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    """Return a table as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
