"""Embedding store: a folder that is consistent after every write, so that an extraction can resume.

`manifest.json` records the key of the embeddings. `embeddings.safetensors` holds the matrix, with its clips in the
header, so that one rename commits both. `clips.csv` repeats the table of clips in readable form, `failed.csv` lists
clips that could not be read, `profile.json` holds the time profile of the last extraction, and `shards/` holds the
embeddings computed since the last merge. Labels, splits and folds are not stored, because they come from the
datamodule.
"""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datamodules.clip import Stamp
from ..errors import StoreError
from ..files import UNFINISHED, locked, other_format, read_json, write_atomically
from . import FORMAT
from .checked import DamagedError, read_failed
from .profile import Profile
from .shards import StoredClip, pack, to_csv, unpack

_MAX_MANIFEST_SIZE = 2**20  # in bytes; manifests have a few thousand


class EmbeddingStore:
    """Store of the embeddings of one data set computed with one frontend, in one folder.

    Args:
        folder: Folder of the store, which is created if it does not exist.
        fields: Everything that determines the embeddings, as plain Python values.
        embedding_size: Number of features of an embedding.
        damaged: Whether to open a store with an unreadable matrix as an empty store instead of raising.

    Attributes:
        manifest: Format, size and fields of the store, as `manifest.json` holds them.

    Raises:
        StoreError: The matrix is damaged, the folder holds embeddings with other fields or of an earlier version, the
            folder cannot be used, or its path is not valid UTF-8.
    """

    def __init__(
        self, folder: str | Path, fields: Mapping[str, Any], embedding_size: int, *, damaged: bool = False
    ) -> None:
        self.folder, self.embedding_size = Path(folder), embedding_size
        self.manifest = {"format": FORMAT, "embedding_size": embedding_size, **json.loads(json.dumps(fields))}
        self._rows: dict[str, StoredClip] = {}
        self._matrix: NDArray[Any] = np.zeros((0, embedding_size), np.float32)
        self._damaged = damaged
        if not _is_utf8(folder):
            raise StoreError(
                f"Embeddings folder {str(folder)!r} is not valid UTF-8, which safetensors requires. "
                "Choose another folder with --embeddings."
            )
        try:
            self._check_or_write_manifest()
            self._reload()
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be used: {error.strerror}; change permissions, or use another --embeddings folder"
            ) from error

    @property
    def rows(self) -> list[StoredClip]:
        """Clips in the order of the matrix."""
        return list(self._rows.values())

    @property
    def failed(self) -> dict[str, str]:
        """Reasons why clips could not be read, by id.

        Raises:
            StoreError: `failed.csv` is damaged.
        """
        path = self.folder / "failed.csv"
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
    def has_shards(self) -> bool:
        """Whether the store has shards that are not merged yet."""
        return any((self.folder / "shards").glob("*.safetensors"))

    @property
    def profile(self) -> dict[str, float]:
        """Time profile of the last extraction, see `Profile.as_numbers`; empty if it is missing or damaged."""
        try:
            found = read_json(self.folder / "profile.json")
        except (OSError, ValueError):
            return {}
        whole = isinstance(found, dict) and found.keys() == Profile().as_numbers().keys()
        numbers = found.values() if whole else ()
        return found if whole and all(type(n) in (int, float) and 0 <= n < math.inf for n in numbers) else {}

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
            self._reload()  # another process may have written since the store was opened
            yield

    def missing(self, stamps: Mapping[str, Stamp]) -> list[str]:
        """Return the ids of the clips that are not stored, or whose file has changed since.

        Args:
            stamps: Current stamp of the file of each clip, by id.
        """
        stamp_of = {row.id: Stamp(row.size, row.mtime_ns) for row in self._rows.values()}
        return [clip_id for clip_id, stamp in stamps.items() if stamp_of.get(clip_id) != stamp]

    def read(self, ids: Sequence[str], columns: Sequence[int] | None = None) -> NDArray[Any]:
        """Return the embeddings of clips, in the order of the given ids.

        Args:
            ids: Ids of the clips.
            columns: Columns of the embeddings to return; by default, all columns.

        Returns:
            Embeddings `(len(ids), len(columns))`, float32.

        Raises:
            StoreError: A clip is not stored.
        """
        index = {clip_id: position for position, clip_id in enumerate(self._rows)}
        absent = [clip_id for clip_id in ids if clip_id not in index]
        if absent:
            raise StoreError(
                f"{self.folder}: {len(absent)} clips are not stored, for example {absent[0]!r}; run "
                "`untrained predict` again"
            )
        rows = self._matrix[[index[clip_id] for clip_id in ids]]
        return rows if columns is None else rows[:, columns]

    def append(
        self, rows: Sequence[StoredClip], embeddings: NDArray[Any], failed: Mapping[str, str], rank: int = 0
    ) -> None:
        """Write a shard of new rows atomically.

        Args:
            rows: Clips of the shard.
            embeddings: Embeddings of the clips, `(len(rows), embedding_size)`.
            failed: Reasons why other clips could not be read, by id.
            rank: Rank of the process.
        """
        folder = self.folder / "shards"
        folder.mkdir(exist_ok=True)
        content = pack(rows, embeddings, {"failed": json.dumps(dict(failed))})
        write_atomically(folder / f"{rank}-{time.time_ns()}-{os.getpid()}.safetensors", content)

    def merge(self) -> None:
        """Merge all shards into the matrix, which is ordered by clip id; later shards override earlier ones."""
        shards = sorted((self.folder / "shards").glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
        if not shards:
            self._remove([])
            return
        embedding_of, failed = self._kept(), self.failed
        for shard in shards:
            try:
                rows, matrix, metadata = unpack(shard, self.embedding_size)
                failures = json.loads(metadata["failed"])
            except (ValueError, KeyError):
                continue  # the shard is truncated or damaged, so its clips are still missing
            for clip_id, reason in failures.items():
                embedding_of.pop(clip_id, None)  # the file has become unreadable since
                failed[clip_id] = reason
            for row, vector in zip(rows, matrix, strict=True):
                embedding_of[row.id] = (row, vector)
                failed.pop(row.id, None)
        self._write(embedding_of, failed)
        self._remove(shards)
        self.load()

    def forget(self, ids: Iterable[str]) -> None:
        """Remove clips, so that they are computed again; a damaged matrix is removed as a whole."""
        self.merge()
        kept = self._kept()
        for clip_id in ids:
            kept.pop(clip_id, None)
        self._write(kept, self.failed)
        self.load()

    def adopt(self, found: Mapping[str, tuple[StoredClip, NDArray[Any]]]) -> None:
        """Add clips with their embeddings, which replace stored clips with the same id.

        Args:
            found: Row and embedding of each clip, by id.
        """
        failed = {clip_id: reason for clip_id, reason in self.failed.items() if clip_id not in found}
        self._write({**self._kept(), **found}, failed)
        self.load()

    def _kept(self) -> dict[str, tuple[StoredClip, NDArray[Any]]]:
        return {row.id: (row, vector) for row, vector in zip(self._rows.values(), self._matrix, strict=True)}

    def _write(self, embedding_of: Mapping[str, tuple[StoredClip, NDArray[Any]]], failed: Mapping[str, str]) -> None:
        ordered = [embedding_of[clip_id] for clip_id in sorted(embedding_of)]
        rows = [row for row, _ in ordered]
        matrix = np.stack([vector for _, vector in ordered]) if ordered else np.zeros((0, self.embedding_size))
        write_atomically(self.folder / "embeddings.safetensors", pack(rows, matrix))
        write_atomically(self.folder / "clips.csv", to_csv(StoredClip._fields, rows).encode())
        if failed or (self.folder / "failed.csv").is_file():
            write_atomically(self.folder / "failed.csv", to_csv(("id", "reason"), sorted(failed.items())).encode())

    def _remove(self, paths: Iterable[Path]) -> None:
        """Remove files, and the temporary files of interrupted writes."""
        left = [*self.folder.glob(f".*{UNFINISHED}"), *(self.folder / "shards").glob(f".*{UNFINISHED}")]
        for path in [*paths, *left]:
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another process has written a shard since
            (self.folder / "shards").rmdir()

    def _check_or_write_manifest(self) -> None:
        path, wanted = self.folder / "manifest.json", self.manifest
        if not path.is_file():
            write_atomically(path, json.dumps(wanted, indent=1).encode())
            return
        try:
            found = read_json(path, _MAX_MANIFEST_SIZE)
            if not isinstance(found, dict):
                raise ValueError(f"it holds a {type(found).__name__}")
        except ValueError as error:
            raise StoreError(f"{path} cannot be read ({error}); delete the folder to compute it again") from error
        if found.get("format") != FORMAT:
            raise StoreError(
                f"{self.folder} {other_format(found.get('format'), FORMAT)} delete the folder to compute it again, or "
                "use another --embeddings folder"
            )
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if differing:
            name = differing[0]
            raise StoreError(
                f"{self.folder} was created with a different configuration ({name}: found {found.get(name)!r}, "
                f"expected {wanted.get(name)!r}); use another --embeddings folder, or delete this one"
            )

    def _reload(self) -> None:
        with contextlib.suppress(*([StoreError] if self._damaged else [])):
            self.load()

    def load(self) -> None:
        """Read the result of the last merge from disk; another process may have written it."""
        path = self.folder / "embeddings.safetensors"
        try:
            size = self.embedding_size
            rows, matrix = unpack(path, size)[:2] if path.is_file() else ([], np.zeros((0, size), np.float32))
        except ValueError as error:
            raise StoreError(f"{path} is damaged ({error}); compute it again with --force") from error
        self._rows, self._matrix = {row.id: row for row in rows}, matrix


def _is_utf8(path: str | Path) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False
