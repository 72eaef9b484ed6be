"""Reading of the shards of a store by id or by row number, one shard at a time."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..datamodules.sorted_ids import matched, span
from ..errors import StoreError
from .checked import Content, DamagedError, ForeignError, read_shard
from .shard_list import FILE, FOLDER, Shard, files_of, pending, read_list

Numbers = NDArray[np.int64]


class VanishedError(StoreError):
    """Error for a shard that another command has replaced since the list of shards was read."""


class Match(NamedTuple):
    """Rows of one shard with the ids of a column.

    Args:
        positions: Positions of the ids in the column.
        rows: Rows in the shard.
        start: Number of the first row of the shard in the store.
        content: Content of the shard.
    """

    positions: Numbers
    rows: Numbers
    start: int
    content: Content


class ShardReader:
    """Shards of a store, whose rows are numbered from the first shard to the last.

    A shard is checked when this object reads it for the first time: its rows, and its embeddings when they are needed.

    Args:
        folder: Folder of the store.
        embedding_size: Number of features of an embedding.
        key: Key of the store.
        damaged: Whether to leave out shards with damaged rows instead of raising.

    Attributes:
        leaves_out: Whether damaged shards are left out.
        listed: Shards of the store; no id occurs in two of them.
        replaced: Names of files that belong to the store no longer.
        n_lost: Number of rows whose shards have been deleted; their clips are missing.

    Raises:
        StoreError: The list of shards is damaged, or a shard is cut off.
    """

    def __init__(self, folder: Path, embedding_size: int, key: str, *, damaged: bool) -> None:
        self._folder, self._embedding_size, self._key, self.leaves_out = folder, embedding_size, key, damaged
        self._checked: set[tuple[Shard, bool]] = set()
        found, self.replaced = self._read_list()
        lost = [shard for shard in found if not self.path(shard).exists()]
        while lost and (again := self._read_list())[0] != found:  # another command has replaced shards in between
            found, self.replaced = again
            lost = [shard for shard in found if not self.path(shard).exists()]
        self.n_lost = sum(shard.n_rows for shard in lost)
        self.listed = [shard for shard in found if shard not in lost and self._is_usable(shard)]
        self.replaced |= {shard.name for shard in found} - {shard.name for shard in self.listed}
        self.replaced = {name for name in self.replaced if (folder / FOLDER / name).exists()}
        self._starts = np.cumsum([0, *(shard.n_rows for shard in self.listed)])

    @property
    def n_rows(self) -> int:
        """Number of rows of all shards."""
        return int(self._starts[-1])

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard."""
        return self._folder / FOLDER / shard.name

    def read(self, shard: Shard, *, embeddings: bool = False) -> Content:
        """Read a shard, memory-mapped.

        Args:
            shard: Shard to read.
            embeddings: Whether to check the embeddings, too.

        Raises:
            StoreError: The shard is damaged.
            VanishedError: Another command has replaced the shard in the meantime.
        """
        try:
            return self._read(shard, embeddings=embeddings)
        except DamagedError as error:
            raise _damaged(self.path(shard), error) from error
        except FileNotFoundError as error:
            raise VanishedError(
                f"{self.path(shard)} is gone: another command has rewritten this store; run the same command again"
            ) from error
        except OSError as error:
            raise StoreError(f"{self.path(shard)} cannot be read: {error.strerror}") from error

    def blocks(self) -> Iterator[Content]:
        """Yield the content of all shards."""
        return map(self.read, self.listed)

    def matches(self, ids: pa.Array) -> Iterator[Match]:
        """Yield the rows with given ids, from one shard after the other.

        Args:
            ids: Sorted ids.

        Raises:
            StoreError: A shard is damaged.
        """
        for shard, start in zip(self.listed, self._starts.tolist(), strict=False):
            among = span(ids, shard.first, shard.last)
            if among:
                content = self.read(shard)
                positions, rows = matched(ids.slice(among.start, len(among)), content.ids)
                yield Match(positions + among.start, rows, start, content)

    def by_shard(self, numbers: Numbers) -> Iterator[tuple[Shard, Numbers, Numbers]]:
        """Yield each shard that holds some of the numbered rows, the positions of their numbers, and the rows in it.

        Args:
            numbers: Numbers of rows, in any order.
        """
        which = np.searchsorted(self._starts, numbers, side="right") - 1
        order = np.argsort(which, kind="stable")
        ends = np.flatnonzero(np.diff(which[order], append=-1)) + 1
        for places in np.split(order, ends[:-1]) if len(order) else ():
            number = which[places[0]]
            yield self.listed[number], places, numbers[places] - self._starts[number]

    @property
    def has_pending(self) -> bool:
        """Whether there are shards that no list names yet."""
        return bool(pending(self._folder, self.listed, self.replaced))

    def pending(self, most: int) -> Iterator[tuple[Path, Content | None]]:
        """Yield the shards that no list names yet, oldest first, with their content; None if a shard is damaged.

        A warning names shards that are damaged or of another store; the latter are left out.

        Args:
            most: Maximum number of shards.
        """
        for path in pending(self._folder, self.listed, self.replaced)[:most]:
            try:
                content = read_shard(path, self._embedding_size, self._key)
                content.check_clips()
                content.check_embeddings()
            except ForeignError as error:
                warnings.warn(f"{path} is ignored: {error}; move it there, or delete it", stacklevel=2)
            except DamagedError as error:
                warnings.warn(f"{path} is damaged ({error}); its clips are computed again", stacklevel=2)
                yield path, None
            else:
                yield path, content

    def describe(self, name: str) -> Shard:
        """Return the entry for the list of a shard that this process has written."""
        path = self._folder / FOLDER / name
        return Shard.of(path, read_shard(path, self._embedding_size, self._key))

    def _read_list(self) -> tuple[list[Shard], set[str]]:
        """Return the list of shards; if it is damaged and damage is left out, all files of shards are replaced."""
        try:
            return read_list(self._folder)
        except DamagedError as error:
            if not self.leaves_out:
                raise _damaged(self._folder / FILE, error) from error
            return [], {path.name for path in files_of(self._folder)}

    def _is_usable(self, shard: Shard) -> bool:
        """Return whether a shard of the list is usable; if damaged ones are left out, its rows are checked.

        Raises:
            StoreError: The shard is cut off, and damaged ones are not left out.
        """
        path = self.path(shard)
        if self.leaves_out:
            try:
                self._read(shard, embeddings=False)
            except DamagedError:
                return False
        elif path.stat().st_size != shard.n_bytes:
            raise _damaged(path, DamagedError(f"it has {path.stat().st_size:,} bytes, expected {shard.n_bytes:,}"))
        return True

    def _read(self, shard: Shard, *, embeddings: bool) -> Content:
        again = (shard, False) in self._checked
        content = read_shard(self.path(shard), self._embedding_size, self._key, again=again)
        if not again:
            content.check_clips()
            if len(content.ids) != shard.n_rows or [content.ids[0].as_py(), content.ids[-1].as_py()] != [
                shard.first,
                shard.last,
            ]:
                raise DamagedError("it holds other clips than the list of shards says")
            self._checked.add((shard, False))
        if embeddings and (shard, True) not in self._checked:
            content.check_embeddings()
            self._checked.add((shard, True))
        return content


def _damaged(path: Path, error: DamagedError) -> StoreError:
    return StoreError(f"{path} is damaged ({error}); compute it again with --force")
