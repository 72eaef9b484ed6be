"""Changes of the shards of a store, each committed by one rename of the list of shards."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ..errors import StoreError
from ..files import write_atomically
from .rewriting import Dropped, failures, groups_of_small, kept, merged, rows_of, superseded, united
from .shard_list import FOLDER, Shard, name_like, new_name, remove_leftovers, write_list
from .shard_reader import ShardReader
from .shards import in_order, pack, to_csv

FAILED = "failed.csv"
"""Table of the clips that could not be read."""
_GROUPS = 64  # number of merged shards after which a compaction commits
_AT_ONCE = 4096  # number of pending shards that are committed at once


class ShardWriter:
    """Writer of the shards of a store. Processes may append at the same time; all else needs the lock of the store.

    Args:
        folder: Folder of the store.
        key: Key of the store.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def append(self, batch: pa.RecordBatch, failed: Mapping[str, str] | None = None, rank: int = 0) -> None:
        """Write a shard, which belongs to the store from the next commit on.

        Args:
            batch: Rows with their embeddings, sorted by id.
            failed: Reasons why other clips could not be read, by id.
            rank: Rank of the process.

        Raises:
            StoreError: The shard cannot be written.
        """
        self._write(new_name(rank), batch, failed)

    def commit(self, reader: ShardReader, failed: Mapping[str, str]) -> bool:
        """Add the oldest pending shards. Their rows replace those with the same ids; damaged ones are removed.

        Args:
            reader: Shards of the store.
            failed: Reasons why clips could not be read, by id, as of the last commit.

        Returns:
            Whether anything was changed.
        """
        added: list[Shard] = []
        useless: set[str] = set()
        reasons = {clip_id: (-1, reason) for clip_id, reason in failed.items()}  # after how many of the added shards
        for path, content in reader.pending(_AT_ONCE):
            if content is not None:  # otherwise its clips are still missing
                reasons |= {clip_id: (len(added), reason) for clip_id, reason in content.failed.items()}
            if content is None or not len(content.ids):
                useless.add(path.name)
            else:
                added.append(Shard.of(path, content))
        if not added and not useless and not reader.n_lost:
            remove_leftovers(self._folder, reader.replaced)
            return False
        still = failures(reasons, added, reader.read)
        new = pa.array(sorted(still.keys() - failed.keys()), pa.string())  # unreadable since their rows were written
        shards = [*reader.listed, *added]
        dropped = united(superseded(reader.listed, added, reader.read), rows_of(new, shards, reader.read))
        if still or (self._folder / FAILED).is_file():
            write_atomically(self._folder / FAILED, to_csv(("id", "reason"), sorted(still.items())).encode())
        self._rewrite(shards, dropped, reader, useless)
        return True

    def forget(self, reader: ShardReader, ids: pa.Array) -> None:
        """Remove clips.

        Args:
            reader: Shards of the store.
            ids: Sorted ids of the clips.
        """
        self._rewrite(reader.listed, rows_of(ids, reader.listed, reader.read), reader)

    def compact(self, reader: ShardReader) -> bool:
        """Merge small shards, and return whether there were any. If this is stopped at any time, no row is lost.

        Args:
            reader: Shards of the store.

        Raises:
            StoreError: Shards are damaged, or hold the same id.
        """
        shards, replaced, n_merged = set(reader.listed), set(reader.replaced), 0
        for group in groups_of_small(reader.listed):
            batch = merged([reader.read(shard, embeddings=True) for shard in group])
            if not in_order(batch.column("id")):
                raise StoreError(
                    f"{self._folder} is damaged (two of its shards hold the same clip); compute it again with --force"
                )
            shards.difference_update(group)
            shards.add(self._write(name_like(group), batch))
            replaced |= {shard.name for shard in group}
            n_merged += 1
            if n_merged % _GROUPS == 0:
                self._commit(shards, replaced)
        if n_merged % _GROUPS:
            self._commit(shards, replaced)
        return n_merged > 0

    def _rewrite(
        self, shards: Sequence[Shard], dropped: Dropped, reader: ShardReader, useless: Iterable[str] = ()
    ) -> None:
        """Commit shards without the rows that are dropped."""
        left = [shard for shard in shards if shard not in dropped]
        for shard, rows in dropped.items():
            if not rows.all():
                try:
                    content = reader.read(shard, embeddings=True)
                except StoreError:
                    if not reader.leaves_out:
                        raise
                    continue  # its clips are computed again
                left.append(self._write(name_like([shard]), kept(content, rows)))
        self._commit(left, {*reader.replaced, *useless, *(shard.name for shard in dropped)})

    def _write(self, name: str, batch: pa.RecordBatch, failed: Mapping[str, str] | None = None) -> Shard:
        """Write a shard, and return its entry for the list."""
        content = pack(batch, self._key, failed)
        write_atomically(self._folder / FOLDER / name, memoryview(content))
        ids = batch.column("id")
        first, last = (ids[0].as_py(), ids[-1].as_py()) if len(ids) else ("", "")
        return Shard(name, len(ids), content.size, first, last)

    def _commit(self, shards: Iterable[Shard], replaced: Iterable[str]) -> None:
        write_list(self._folder, shards, replaced)
        remove_leftovers(self._folder, set(replaced))
