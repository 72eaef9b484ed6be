"""Shards of a store: files with rows of clips and their matrix of embeddings, which cannot run code."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from .checked import CHECKSUM, DamagedError, checksum, read_shard


class StoredClip(NamedTuple):
    """Row of a store that describes a clip.

    Args:
        id: Id of the clip.
        size: Size of the file, in bytes.
        mtime_ns: Modification time of the file, in ns.
        seconds: Duration of the whole clip, in s.
        file: Digest of the file, see `Digests`; empty if an earlier version wrote the row.
        audio: Digest of the audio, see `Digests`; empty if an earlier version wrote the row.
        remarks: Remarks on unusual properties of the file, see `audio.Remark`, separated by spaces.
    """

    id: str
    size: int
    mtime_ns: int
    seconds: float
    file: str = ""
    audio: str = ""
    remarks: str = ""


def pack(rows: Sequence[StoredClip], embeddings: NDArray[Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a file with rows, their embeddings and texts.

    Args:
        rows: Rows of the clips.
        embeddings: Embeddings of the clips, `(n_clips, n_features)`.
        metadata: Texts by name.
    """
    matrix = np.ascontiguousarray(embeddings, np.float32)
    texts = {"clips": to_csv(StoredClip._fields, rows), **(metadata or {})}
    return _in_order(save({"embeddings": matrix}, {**texts, CHECKSUM: checksum(matrix, texts)}))


def _in_order(packed: bytes) -> bytes:
    """Return the bytes of a safetensors file with a sorted header, because safetensors writes texts in random order."""
    start = 8 + int.from_bytes(packed[:8], "little")
    header = json.dumps(json.loads(packed[8:start]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + packed[start:]


def unpack(path: Path, embedding_size: int) -> tuple[list[StoredClip], NDArray[Any], dict[str, str]]:
    """Read a file written by `pack`.

    Args:
        path: File of a store.
        embedding_size: Number of features that an embedding must have.

    Returns:
        Rows of the clips; embeddings `(n_clips, embedding_size)`, memory-mapped to the file; and texts by name.

    Raises:
        DamagedError: The file has damaged or unexpected content.
    """
    lines, matrix, metadata = read_shard(path, embedding_size)
    if not {len(line) for line in lines} <= {4, len(StoredClip._fields)}:  # earlier versions wrote 4 columns
        raise DamagedError("its table of clips has unexpected columns")
    rows = [StoredClip(each[0], int(each[1]), int(each[2]), float(each[3]), *each[4:]) for each in lines]
    if not all(0 <= row.seconds < math.inf for row in rows):
        raise DamagedError("a duration is not a finite number of seconds")
    return rows, matrix, metadata


def to_csv(header: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    """Return a table as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
