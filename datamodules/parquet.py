"""Reader of Parquet files as tables of text; the files may come from anywhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import terminal
from ..audio.remote import RemotePath
from ..errors import DataError
from .labels import seen
from .listing import release_memory
from .remote_files import read_bytes
from .table import Table, check_header, require_file

MAX_BYTES = 2**31  # of all cells; a small file can hold the same long text in many rows
_ROWS = 2**16  # rows that are decoded at a time


def read_parquet(path: Path | RemotePath, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read a Parquet file, with the rules for names of columns that `read_table` has; numbers become text.

    An empty value becomes an empty cell. No code of the file is executed, and the memory is bounded.

    Args:
        path: Parquet file, local or remote; a remote one is fetched as a whole.
        required: Names of columns that the file must have.
        optional: Names of further columns to mention in error messages.

    Raises:
        DataError: The file does not exist, is not a Parquet file or is damaged, has columns that are neither text nor
            numbers, or is too large.
    """
    require_file(path, [*required, *optional])
    try:
        return _read(path, required, optional)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DataError(
            f"{path} cannot be read as a Parquet file ({reason}); write it again, or give a CSV file"
        ) from error


def _read(path: Path | RemotePath, required: Sequence[str], optional: Sequence[str]) -> Table:
    from pyarrow import parquet  # takes time, and most manifests are CSV files

    source = pa.BufferReader(read_bytes(path)) if isinstance(path, RemotePath) else path
    with parquet.ParquetFile(source) as file:
        schema = file.schema_arrow
    header = [seen(name).lower() for name in schema.names]
    check_header(path, header, required, optional, "row")
    for field in schema:
        if not _is_plain(field.type):
            raise DataError(
                f"{path}: column {field.name!r} is of type {str(field.type)[:80]}; expected text or numbers: leave the "
                "column out"
            )
    of_text = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    chunks: list[list[pa.Array]] = [[] for _ in header]
    n_bytes = 0
    # Texts are read with each different text once, so that their size is known before they are repeated.
    with (
        parquet.ParquetFile(source, read_dictionary=of_text) as file,
        terminal.bar(f"reading {path}", file.metadata.num_rows) as advance,
    ):
        for batch in file.iter_batches(_ROWS):
            for number, column in enumerate(batch.columns):
                n_bytes += _size(column)
                if n_bytes > MAX_BYTES:
                    raise DataError(f"{path} holds more than {MAX_BYTES / 2**30:g} GiB of text; leave out some columns")
                chunks[number].append(_as_text(column))
            advance(batch.num_rows)
    release_memory()
    if not n_bytes:
        raise DataError(f"{path} has no rows; expected one row per clip")
    columns = {name: pa.concat_arrays(found) for name, found in zip(header, chunks, strict=True) if name}
    return Table(path, columns, np.arange(1, len(columns[required[0]]) + 1), "row")


def _is_plain(kind: pa.DataType) -> bool:
    """Return whether values of a type are texts or numbers."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(is_text or pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind))


def _size(column: pa.Array) -> int:
    """Return the size of a column as text, in bytes, without creating the text."""
    offsets = 8 * len(column)
    if not pa.types.is_dictionary(column.type):
        return int(offsets + column.nbytes)
    if not len(column.dictionary):
        return offsets
    is_text = pa.types.is_string(column.type.value_type) or pa.types.is_large_string(column.type.value_type)
    lengths = pc.binary_length(column.dictionary if is_text else column.dictionary.cast(pa.large_string()))
    return int(offsets + (pc.sum(lengths.take(column.indices)).as_py() or 0))


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    text = pc.fill_null(column.cast(pa.large_string()), "")
    text.validate(full=True)
    return text
