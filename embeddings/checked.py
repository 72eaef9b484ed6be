"""Reading of the files of a store, with checks of their content, whose origin is unknown."""

import csv
import io
import json
import mmap
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .shards import METADATA, clips_checksum, embeddings_checksum, in_order, schema

# What Arrow and JSON raise for malformed content; Arrow reports some of it as OSError.
_MALFORMED = (
    *(pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError, RecursionError, StopIteration),
    MemoryError,
)


class DamagedError(ValueError):
    """Error for a file of a store with damaged or unexpected content; its message is the reason."""


class ForeignError(DamagedError):
    """Error for a shard of another store."""


@dataclass(frozen=True)
class Content:
    """Content of a shard, memory-mapped to its file.

    Args:
        batch: Rows with their embeddings, sorted by id.
        about: Metadata of the shard.
    """

    batch: pa.RecordBatch
    about: dict[str, Any]

    @property
    def ids(self) -> pa.Array:
        """Ids of the clips, sorted."""
        return self.batch.column("id")

    @property
    def failed(self) -> dict[str, str]:
        """Reasons why other clips could not be read, by id."""
        return dict(self.about["failed"])

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """Embeddings, `(n_clips, embedding_size)`."""
        column = self.batch.column("embedding")
        values: NDArray[np.float32] = column.values.to_numpy()
        return values[: len(column) * column.type.list_size].reshape(len(column), column.type.list_size)

    def check_clips(self) -> None:
        """Check the rows: their order, their values and their checksum.

        Raises:
            DamagedError: A check fails.
        """
        if clips_checksum(self.batch, self.failed) != self.about["clips"]:
            raise DamagedError("its rows have changed since they were written")
        if not in_order(self.ids):
            raise DamagedError("its ids are not sorted, or one occurs twice")
        seconds = self.batch.column("seconds").to_numpy()
        if not (np.isfinite(seconds) & (seconds >= 0)).all():
            raise DamagedError("a duration is not a finite number of seconds")

    def check_embeddings(self) -> None:
        """Check the embeddings with their checksum.

        Raises:
            DamagedError: They have changed since they were written.
        """
        if embeddings_checksum(self.batch) != self.about["embeddings"]:
            raise DamagedError("its embeddings have changed since they were written")


def read_shard(path: Path, embedding_size: int, key: str, *, again: bool = False) -> Content:
    """Read a shard; its content is memory-mapped, and neither its rows nor its embeddings are checked yet.

    Args:
        path: File that `shards.pack` wrote.
        embedding_size: Number of features that an embedding must have.
        key: Key of the store.
        again: Whether this process has read and checked the file before, so that its texts need no check.

    Raises:
        DamagedError: The file is not a shard of this store, or is cut off.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise DamagedError("it is empty")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # unmapped with the last column that uses it
    try:
        return _parsed(pa.py_buffer(mapped), embedding_size, key, again=again)
    except DamagedError:
        raise
    except _MALFORMED as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


def _parsed(content: pa.Buffer, embedding_size: int, key: str, *, again: bool) -> Content:
    """Return the only record batch of an Arrow file, whose footer is not needed."""
    if content.slice(0, 6).to_pybytes() != b"ARROW1" or content.slice(content.size - 6).to_pybytes() != b"ARROW1":
        raise DamagedError("it is not a whole Arrow file")
    messages = pa.ipc.MessageReader.open_stream(pa.BufferReader(content.slice(8)))
    first = messages.read_next_message()
    if first.type != "schema":  # the content of a message of unknown type is not verified, and could crash Arrow
        raise DamagedError("it does not begin with its columns")
    found = pa.ipc.read_schema(first)
    expected = schema(embedding_size)
    if not found.equals(expected):
        odd = next((str(a) for a, b in zip(found, expected, strict=False) if not a.equals(b)), f"{len(found)} columns")
        raise DamagedError(f"its columns are not those of a store with {embedding_size} features (found {odd})")
    message = messages.read_next_message()
    if message.type != "record batch" or _is_compressed(message.metadata.to_pybytes()):
        raise DamagedError("its rows are compressed, or are not a record batch")
    batch = pa.ipc.read_record_batch(message, found)
    batch.validate(full=not again)
    if any(column.null_count for column in [*batch.columns, batch.column("embedding").values]):
        raise DamagedError("a value is null")
    about = json.loads((found.metadata or {})[METADATA])
    reasons = about["failed"]
    if not isinstance(reasons, dict) or not all(isinstance(reason, str) for reason in reasons.values()):
        raise DamagedError("its table of failed clips is malformed (expected a reason for each clip id)")
    if not all(type(about[name]) is int for name in ("clips", "embeddings")):
        raise DamagedError("a checksum is not a number")
    if about["key"] != key:
        raise ForeignError("it belongs to another store")
    return Content(batch, about)


def _is_compressed(metadata: bytes) -> bool:
    """Return whether the buffers of a record batch are compressed; reading them could exhaust memory.

    The metadata are a FlatBuffer: a table has an offset to its vtable, which has the offset of each field. The third
    field of a message is its header, and the fourth field of a record batch its compression.
    """

    def number(at: int, n_bytes: int, *, signed: bool = False) -> int:
        if not 0 <= at <= len(metadata) - n_bytes:
            raise DamagedError("its metadata are cut off")
        return int.from_bytes(metadata[at : at + n_bytes], "little", signed=signed)

    def field(table: int, slot: int) -> int:
        vtable = table - number(table, 4, signed=True)
        place = 4 + 2 * slot
        offset = number(vtable + place, 2) if place < number(vtable, 2) else 0
        return table + offset if offset else 0

    header = field(number(0, 4), 2)
    return bool(field(header + number(header, 4), 3))


def read_failed(path: Path) -> dict[str, str]:
    """Read the table of clips that could not be read, as reasons by id.

    Raises:
        DamagedError: The file is not such a table.
    """
    try:
        text = path.read_bytes().decode()  # line endings stay unchanged, because names of clips may contain them
        return dict(list(csv.reader(io.StringIO(text, newline="")))[1:])
    except (ValueError, csv.Error) as error:
        raise DamagedError(str(error)) from error
