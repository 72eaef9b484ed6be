"""Changes of the shards of a store, each committed by one rename of the list of shards."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ..files import write_atomically
from .rewriting import Dropped, groups_of_small, kept, merged, rows_of, superseded, united, without_found
from .shard_list import FOLDER, Shard, new_name, remove_leftovers, write_list
from .shard_reader import ShardReader
from .shards import pack, to_csv

FAILED = "failed.csv"
"""Table of the clips that could not be read."""
_GROUPS = 64  # number of merged shards after which a compaction commits


class ShardWriter:
    """Writer of the shards of a store. Processes may append at the same time; all else needs the lock of the store.

    Args:
        folder: Folder of the store.
        key: Key of the store.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def append(self, batch: pa.RecordBatch, failed: Mapping[str, str] | None = None, rank: int = 0) -> str:
        """Write a shard, which belongs to the store from the next commit on, and return its name.

        Args:
            batch: Rows with their embeddings, sorted by id.
            failed: Reasons why other clips could not be read, by id.
            rank: Rank of the process.

        Raises:
            StoreError: The shard cannot be written.
        """
        name = new_name(rank)
        write_atomically(self._folder / FOLDER / name, memoryview(pack(batch, self._key, failed)))
        return name

    def commit(self, reader: ShardReader, failed: Mapping[str, str]) -> None:
        """Add pending shards. Their rows replace those with the same ids; damaged ones are removed.

        Args:
            reader: Shards of the store.
            failed: Reasons why clips could not be read, by id, as of the last commit.
        """
        added: list[Shard] = []
        useless: set[str] = set()
        reasons: dict[str, str] = {}
        for path, content in reader.pending():
            if content is not None:  # otherwise its clips are still missing
                reasons = without_found({**reasons, **content.failed}, content.ids)
                failed = without_found({**failed, **content.failed}, content.ids)
            if content is None or not len(content.ids):
                useless.add(path.name)
            else:
                added.append(Shard.of(path, content))
        if not added and not useless:
            remove_leftovers(self._folder, reader.replaced)
            return
        unreadable = pa.array(sorted(reasons), pa.string())  # since their rows were written
        dropped = united(superseded(reader.listed, added, reader.read), rows_of(unreadable, reader.listed, reader.read))
        if failed or (self._folder / FAILED).is_file():
            write_atomically(self._folder / FAILED, to_csv(("id", "reason"), sorted(failed.items())).encode())
        self._rewrite([*reader.listed, *added], dropped, reader, useless)

    def forget(self, reader: ShardReader, ids: pa.Array) -> None:
        """Remove clips.

        Args:
            reader: Shards of the store.
            ids: Sorted ids of the clips.
        """
        self._rewrite(reader.listed, rows_of(ids, reader.listed, reader.read), reader)

    def compact(self, reader: ShardReader) -> None:
        """Merge small shards. If this is stopped at any time, no row is lost.

        Args:
            reader: Shards of the store.
        """
        shards, replaced, n_merged = set(reader.listed), set(reader.replaced), 0
        for group in groups_of_small(reader.listed):
            name = self.append(merged([reader.read(shard, embeddings=True) for shard in group]))
            shards.difference_update(group)
            shards.add(reader.describe(name))
            replaced |= {shard.name for shard in group}
            n_merged += 1
            if n_merged % _GROUPS == 0:
                self._commit(shards, replaced)
        if n_merged % _GROUPS:
            self._commit(shards, replaced)

    def _rewrite(
        self, shards: Sequence[Shard], dropped: Dropped, reader: ShardReader, useless: Iterable[str] = ()
    ) -> None:
        """Commit shards without the rows that are dropped."""
        left = [shard for shard in shards if shard not in dropped]
        for shard, rows in dropped.items():
            if not rows.all():
                left.append(reader.describe(self.append(kept(reader.read(shard, embeddings=True), rows))))
        self._commit(left, {*reader.replaced, *useless, *(shard.name for shard in dropped)})

    def _commit(self, shards: Iterable[Shard], replaced: Iterable[str]) -> None:
        write_list(self._folder, list(shards), set(replaced))
        remove_leftovers(self._folder, set(replaced))
