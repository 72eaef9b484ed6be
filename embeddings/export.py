"""Export of the rows of a store to a file that other tools read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from ..errors import StoreError, UsageError
from ..files import UNFINISHED
from .shards import METADATA, schema
from .store import EmbeddingStore


def export_parquet(store: EmbeddingStore, path: Path, *, force: bool = False) -> int:
    """Write all rows of a store to a Parquet file, one shard after the other, and return their number.

    The file has the columns of a shard, and the manifest of the store as JSON in its metadata.

    Args:
        store: Store to export.
        path: File to write; its folder must exist.
        force: Whether to replace a file that exists.

    Raises:
        StoreError: A shard is damaged, or the file cannot be written.
        UsageError: The file exists, or its name does not end in `.parquet`.
    """
    if path.suffix.lower() != ".parquet":
        raise UsageError(f"--to {path}: expected the name of a file that ends in .parquet")
    if path.exists() and not force:
        raise UsageError(f"--to {path} exists; choose another name, or replace it with --force")
    columns = schema(store.embedding_size).with_metadata({METADATA: json.dumps(store.manifest)})
    with _renamed_when_whole(path) as temporary, pq.ParquetWriter(temporary, columns) as writer:
        for shard in store.shards.listed:
            content = store.shards.read(shard, embeddings=True)
            writer.write_batch(content.batch.replace_schema_metadata(columns.metadata))
    return store.shards.n_rows


@contextmanager
def _renamed_when_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which is renamed at the end, or removed after an error."""
    temporary = path.with_name(f".{path.name}{UNFINISHED}")
    if not path.parent.is_dir():
        raise UsageError(f"--to {path}: the folder {path.parent} does not exist; create it first")
    try:
        yield temporary
        temporary.rename(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}; free space or change permissions, then run again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
