"""Embedding store: a folder that is consistent after every write, so that an extraction can resume.

`manifest.json` records the key of the embeddings. `shards/` holds immutable Arrow files with rows of clips and their
embeddings, and `shards.jsonl` names those that belong to the store: one rename of it commits a change. `failed.csv`
lists clips that could not be read, `profile.json` holds the time profile of the last extraction. Labels, splits and
folds are not stored, because they come from the datamodule.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..datamodules.stamps import Stamps
from ..errors import StoreError
from ..files import digest, locked, write_atomically
from . import FORMAT
from .checked import DamagedError, read_failed
from .manifest import agree_on_manifest
from .profile import read_profile
from .shard_reader import Numbers, ShardReader, VanishedError
from .shard_writer import FAILED, ShardWriter
from .shards import StoredClip, to_batch, to_clips

T = TypeVar("T")

_MANY = 20_000  # shards after which a commit merges small ones, so that their list stays short


class EmbeddingStore:
    """Store of the embeddings of one data set computed with one frontend, in one folder.

    Args:
        folder: Folder of the store, which is created if it does not exist.
        fields: Everything that determines the embeddings, as plain Python values.
        embedding_size: Number of features of an embedding.
        damaged: Whether to open a store without shards whose rows are damaged instead of raising.

    Attributes:
        manifest: Format, size and fields of the store, as `manifest.json` holds them.
        shards: Shards of the store, as the last commit left them.

    Raises:
        StoreError: A shard is cut off, the folder holds embeddings with other fields or of an earlier version, the
            folder cannot be used, or its path is not valid UTF-8.
    """

    def __init__(
        self, folder: str | Path, fields: Mapping[str, Any], embedding_size: int, *, damaged: bool = False
    ) -> None:
        self.folder, self.embedding_size = Path(folder), embedding_size
        self.manifest = {"format": FORMAT, "embedding_size": embedding_size, **json.loads(json.dumps(fields))}
        self._key, self._damaged = digest(self.manifest)[:16], damaged
        self._writer = ShardWriter(self.folder, self._key)
        if not _is_utf8(folder):
            raise StoreError(
                f"Embeddings folder {str(folder)!r} is not valid UTF-8, as files of a store need it. "
                "Choose another folder with --embeddings."
            )
        try:
            agree_on_manifest(self.folder, self.manifest)
            self.load()
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be used: {error.strerror}; change permissions, or use another --embeddings folder"
            ) from error

    @property
    def rows(self) -> list[StoredClip]:
        """All clips, sorted by id, as objects; `shards.blocks` needs less memory."""
        return self.retried(lambda store: sorted(row for each in store.shards.blocks() for row in to_clips(each.batch)))

    @property
    def failed(self) -> dict[str, str]:
        """Reasons why clips could not be read, by id.

        Raises:
            StoreError: `failed.csv` is damaged.
        """
        path = self.folder / FAILED
        if not path.is_file():
            return {}
        try:
            return read_failed(path)
        except DamagedError as error:
            if self._damaged:
                return {}
            raise StoreError(
                f"{path} is not a table of ids and reasons ({error}); delete it, or recompute all embeddings with "
                "--force"
            ) from error

    @property
    def profile(self) -> dict[str, float]:
        """Time profile of the last extraction, see `Profile.as_numbers`; empty if it is missing or damaged."""
        return read_profile(self.folder / "profile.json")

    def keep_profile(self, profile: Mapping[str, float]) -> None:
        """Write the time profile of an extraction."""
        write_atomically(self.folder / "profile.json", json.dumps(dict(profile), indent=1).encode())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the store, so that no other process writes to it.

        The lock of a killed process is released automatically.

        Raises:
            StoreError: Another process holds the lock, or the folder cannot be written.
        """
        with locked(self.folder, "use another --embeddings folder"):
            self.load()  # another process may have written since the store was opened
            yield

    def missing(self, stamps: Stamps) -> NDArray[np.int64]:
        """Return the positions of the clips that are not stored, or whose file has changed since.

        Args:
            stamps: Current stamps of the files of all clips.
        """
        return self.retried(lambda store: np.flatnonzero(~store._are_stored(stamps)))

    def _are_stored(self, stamps: Stamps) -> NDArray[np.bool_]:
        found = np.zeros(len(stamps), bool)
        for positions, rows, _, content in self.shards.matches(stamps.ids):
            sizes, mtimes_ns = (content.batch.column(name).to_numpy()[rows] for name in ("size", "mtime_ns"))
            same = (sizes == stamps.sizes[positions]) & (mtimes_ns == stamps.mtimes_ns[positions])
            found[positions[same]] = True
        return found

    def find(self, ids: Sequence[str] | pa.Array) -> Numbers:
        """Return the numbers of the rows of clips, which are valid until the next commit; -1 for absent clips.

        Args:
            ids: Ids of the clips.
        """
        wanted = ids if isinstance(ids, pa.Array) else pa.array(ids, pa.large_string())
        order = pc.sort_indices(wanted)
        found, order_of = np.full(len(wanted), -1), order.to_numpy()
        for positions, rows, start, _ in self.shards.matches(wanted.take(order)):
            found[order_of[positions]] = start + rows
        return found

    def find_all(self, ids: Sequence[str] | pa.Array) -> Numbers:
        """Return the numbers of the rows of clips, as `find` does, all of which must be stored.

        Args:
            ids: Ids of the clips.

        Raises:
            StoreError: A clip is not stored.
        """
        numbers = self.find(ids)
        absent = np.flatnonzero(numbers < 0)
        if len(absent):
            example = str(ids[int(absent[0])])
            raise StoreError(
                f"{self.folder}: {len(absent)} clips are not stored, for example {example!r}; run `untrained predict` "
                "again"
            )
        return numbers

    def take(self, numbers: Numbers, columns: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Return embeddings by the numbers of their rows; only the shards that hold them are read.

        Args:
            numbers: Numbers of rows, in any order.
            columns: Columns of the embeddings to return; by default, all columns.

        Returns:
            Embeddings `(len(numbers), len(columns))`, float32.

        Raises:
            StoreError: A shard is damaged.
            VanishedError: Another command has replaced a shard since this object was made.
        """
        found = np.empty((len(numbers), self.embedding_size if columns is None else len(columns)), np.float32)
        for shard, places, rows in self.shards.by_shard(numbers):
            vectors = self.shards.read(shard, embeddings=True).matrix[rows]
            found[places] = vectors if columns is None else vectors[:, columns]
        return found

    def clips(self, numbers: Numbers) -> list[StoredClip]:
        """Return clips by the numbers of their rows.

        Args:
            numbers: Numbers of rows, in any order.
        """
        columns = (self._column(name, numbers) for name in StoredClip._fields)
        return [StoredClip(*values) for values in zip(*columns, strict=True)]

    def _column(self, name: str, numbers: Numbers) -> list[Any]:
        found: list[Any] = [None] * len(numbers)
        for shard, places, rows in self.shards.by_shard(numbers):
            values = self.shards.read(shard).batch.column(name).take(pa.array(rows)).to_pylist()
            for place, value in zip(places.tolist(), values, strict=True):
                found[place] = value
        return found

    def audio_of(self, ids: Sequence[str]) -> list[str]:
        """Return the digest of the audio of each clip; empty for a clip that is not stored.

        Args:
            ids: Ids of the clips.
        """
        return self.retried(lambda store: store._audio_of(store.find(ids)))

    def _audio_of(self, numbers: Numbers) -> list[str]:
        is_stored = numbers >= 0
        known = iter(self._column("audio", numbers[is_stored]))
        return [next(known) if stored else "" for stored in is_stored.tolist()]

    def read(self, ids: Sequence[str], columns: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Return the embeddings of clips, in the order of the given ids.

        Args:
            ids: Ids of the clips.
            columns: Columns of the embeddings to return; by default, all columns.

        Returns:
            Embeddings `(len(ids), len(columns))`, float32.

        Raises:
            StoreError: A clip is not stored.
        """
        return self.retried(lambda store: store.take(store.find_all(ids), columns))

    def retried(self, read: Callable[["EmbeddingStore"], T]) -> T:
        """Return what a function reads from the store; if another command has replaced shards, from the store reopened.

        Args:
            read: Function of a store, whose result has no numbers of rows.
        """
        try:
            return read(self)
        except VanishedError:
            return read(self.reopened())

    def reopened(self) -> "EmbeddingStore":
        """Return the store as the last commit left it, which may be one of another process."""
        fields = {name: value for name, value in self.manifest.items() if name not in ("format", "embedding_size")}
        return EmbeddingStore(self.folder, fields, self.embedding_size, damaged=self._damaged)

    def append(
        self, rows: Sequence[StoredClip], embeddings: NDArray[Any], failed: Mapping[str, str], rank: int = 0
    ) -> None:
        """Write a shard of new rows atomically; the next commit adds it to the store.

        Args:
            rows: Clips of the shard.
            embeddings: Embeddings of the clips, `(len(rows), embedding_size)`.
            failed: Reasons why other clips could not be read, by id.
            rank: Rank of the process.
        """
        self._writer.append(to_batch(rows, embeddings), failed, rank)

    def commit(self) -> None:
        """Add the shards that were appended since the last commit; their rows replace those with the same ids."""
        while self._writer.commit(self.shards, self.failed):
            self.load()
            if len(self.shards.listed) > _MANY:
                self._compact()

    def compact(self) -> None:
        """Merge small shards, so that there are fewer files; this process must hold the lock."""
        self.commit()
        self._compact()

    def _compact(self) -> None:
        while self._writer.compact(self.shards):
            self.load()

    def forget(self, ids: pa.Array) -> None:
        """Remove clips, so that they are computed again, and all damaged shards.

        Args:
            ids: Ids of the clips, sorted.
        """
        self.commit()
        self._writer.forget(self.shards, ids)
        self.load()

    def load(self) -> None:
        """Read the list of shards of the last commit; another process may have written it."""
        self.shards = ShardReader(self.folder, self.embedding_size, self._key, damaged=self._damaged)


def _is_utf8(path: str | Path) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False
