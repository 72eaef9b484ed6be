"""An embedding store: a folder that is complete after every write, and resumable.

`manifest.json` says what made it; `embeddings.safetensors` holds the matrix, and in its header the clips that its rows
belong to, so that one rename commits both; `clips.csv` repeats these for people; `failed.csv` lists what could not be
read; `profile.json` tells where the time of the last extraction went; `shards/` is what has been computed since the
last merge. Labels, splits and folds are not stored: they come from the datamodule.
"""

import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..backends.base import Array
from ..datamodules.clip import Stamp
from ..errors import StoreError
from ..files import UNFINISHED, held, write_atomically
from .profile import Profile

FORMAT = 1


class Row(NamedTuple):
    """A clip of a store: its id, the stamp of the file that was read, and its duration in s."""

    id: str
    size: int
    mtime_ns: int
    seconds: float


class EmbeddingStore:
    """A folder of embeddings of one data set by one frontend.

    Args:
        folder: Where it is; made if need be.
        fields: Everything that decides the values, as plain Python.
        embedding_size: Number of features.
        damaged: Whether to open it even if its matrix cannot be read, as one without clips.

    Raises:
        StoreError: The matrix is damaged, or something else made what the folder holds; the message names what differs.
            Or the folder's path is not UTF-8.
    """

    def __init__(
        self, folder: str | Path, fields: Mapping[str, Any], embedding_size: int, *, damaged: bool = False
    ) -> None:
        self.folder, self.embedding_size = Path(folder), embedding_size
        self._rows: dict[str, Row] = {}
        self._matrix: Array = np.zeros((0, embedding_size), np.float32)
        self._damaged = damaged
        if not _is_utf8(folder):
            raise StoreError(
                f"{str(folder)!r} is no path in UTF-8, which safetensors needs; use another --embeddings folder"
            )
        try:
            self._check_or_write_manifest(json.loads(json.dumps(fields)))
            self._reload()
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be used: {error.strerror}; change permissions, or use another --embeddings folder"
            ) from error

    @property
    def rows(self) -> list[Row]:
        """The clips, in the order of the matrix."""
        return list(self._rows.values())

    @property
    def failed(self) -> dict[str, str]:
        """Why clips could not be read, by id.

        Raises:
            StoreError: The file that tells it is damaged.
        """
        path = self.folder / "failed.csv"
        if not path.is_file():
            return {}
        try:
            text = path.read_bytes().decode()  # as it is: a name may hold any end of line
            return dict(list(csv.reader(io.StringIO(text, newline="")))[1:])
        except (ValueError, csv.Error) as error:
            if self._damaged:
                return {}
            raise StoreError(
                f"{path} is no table of ids and reasons ({error}); delete it, or compute all again with --force"
            ) from error

    @property
    def has_shards(self) -> bool:
        """Whether something has been computed since the last merge."""
        return any((self.folder / "shards").glob("*.safetensors"))

    @property
    def profile(self) -> dict[str, float]:
        """Where the time of the last extraction went; empty if nobody knows."""
        try:
            found = json.loads((self.folder / "profile.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        whole = isinstance(found, dict) and found.keys() == Profile().as_numbers().keys()
        return found if whole and all(type(value) in (int, float) for value in found.values()) else {}

    def keep_profile(self, profile: Mapping[str, float]) -> None:
        """Write where the time of an extraction went."""
        write_atomically(self.folder / "profile.json", json.dumps(dict(profile), indent=1).encode())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here; the lock of a process that was killed is no lock.

        Raises:
            StoreError: Another process writes here, or the folder cannot be written.
        """
        with held(self.folder, "use another --embeddings folder"):
            self._reload()  # another process may have written since this one has looked
            yield

    def missing(self, stamps: Mapping[str, Stamp]) -> list[str]:
        """Ids of the clips that are not here, or whose file has changed since."""
        stamp_of = {row.id: Stamp(row.size, row.mtime_ns) for row in self._rows.values()}
        return [clip_id for clip_id, stamp in stamps.items() if stamp_of.get(clip_id) != stamp]

    def read(self, ids: Sequence[str], columns: Sequence[int] | None = None) -> Array:
        """Embeddings of clips, float32, in the order asked for.

        Args:
            ids: Of the clips.
            columns: Of the embeddings; by default all.

        Returns:
            `(len(ids), len(columns))`.

        Raises:
            StoreError: A clip is not here.
        """
        index = {clip_id: position for position, clip_id in enumerate(self._rows)}
        absent = [clip_id for clip_id in ids if clip_id not in index]
        if absent:
            raise StoreError(f"{self.folder}: {len(absent)} clips are not stored, as {absent[0]!r}; run predict again")
        rows = self._matrix[[index[clip_id] for clip_id in ids]]
        return rows if columns is None else rows[:, columns]

    def append(self, rows: Sequence[Row], embeddings: Array, failed: Mapping[str, str], rank: int = 0) -> None:
        """Write a shard of new rows, whole or not at all.

        Args:
            rows: The clips.
            embeddings: `(len(rows), embedding_size)`.
            failed: Reasons, by clip id.
            rank: Of the process.
        """
        folder = self.folder / "shards"
        folder.mkdir(exist_ok=True)
        content = _pack(rows, embeddings, {"failed": json.dumps(dict(failed))})
        write_atomically(folder / f"{rank}-{time.time_ns()}-{os.getpid()}.safetensors", content)

    def merge(self) -> None:
        """Make one matrix of what is here and all shards, ordered by clip id; later shards win."""
        shards = sorted((self.folder / "shards").glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
        if not shards:
            self._remove([])
            return
        embedding_of = {row.id: (row, vector) for row, vector in zip(self._rows.values(), self._matrix, strict=True)}
        failed = self.failed
        for shard in shards:
            try:
                rows, matrix, metadata = _unpack(shard)
                failures = json.loads(metadata["failed"])
            except (SafetensorError, ValueError, KeyError):
                continue  # cut off or damaged: its clips are still missing
            for clip_id, reason in failures.items():
                embedding_of.pop(clip_id, None)  # of a file that has broken since
                failed[clip_id] = reason
            for row, vector in zip(rows, matrix, strict=True):
                embedding_of[row.id] = (row, vector)
                failed.pop(row.id, None)
        self._write(embedding_of, failed)
        self._remove(shards)
        self.load()

    def forget(self, ids: Iterable[str]) -> None:
        """Drop clips, so that they are computed again; a matrix that is damaged is dropped as a whole."""
        self.merge()
        kept = {row.id: (row, vector) for row, vector in zip(self._rows.values(), self._matrix, strict=True)}
        for clip_id in ids:
            kept.pop(clip_id, None)
        self._write(kept, self.failed)
        self.load()

    def _write(self, embedding_of: Mapping[str, tuple[Row, Array]], failed: Mapping[str, str]) -> None:
        ordered = [embedding_of[clip_id] for clip_id in sorted(embedding_of)]
        rows = [row for row, _ in ordered]
        matrix = np.stack([vector for _, vector in ordered]) if ordered else np.zeros((0, self.embedding_size))
        write_atomically(self.folder / "embeddings.safetensors", _pack(rows, matrix))
        write_atomically(self.folder / "clips.csv", _csv(Row._fields, rows).encode())
        if failed or (self.folder / "failed.csv").is_file():
            write_atomically(self.folder / "failed.csv", _csv(("id", "reason"), sorted(failed.items())).encode())

    def _remove(self, paths: Iterable[Path]) -> None:
        """Remove files, and what writes that never ended have left."""
        left = [*self.folder.glob(f".*{UNFINISHED}"), *(self.folder / "shards").glob(f".*{UNFINISHED}")]
        for path in [*paths, *left]:
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another process has written a shard since
            (self.folder / "shards").rmdir()

    def _check_or_write_manifest(self, fields: dict[str, Any]) -> None:
        path = self.folder / "manifest.json"
        wanted = {"format": FORMAT, "embedding_size": self.embedding_size, **fields}
        if not path.is_file():
            write_atomically(path, json.dumps(wanted, indent=1).encode())
            return
        try:
            found = json.loads(path.read_text("utf-8"))
            if not isinstance(found, dict):
                raise ValueError(f"it holds a {type(found).__name__}")
        except ValueError as error:
            raise StoreError(f"{path} cannot be read ({error}); delete the folder to compute it again") from error
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if differing:
            name = differing[0]
            raise StoreError(
                f"{self.folder} was made by another configuration: {name} is {found.get(name)!r} there and "
                f"{wanted.get(name)!r} here; use another --embeddings folder, or delete that one"
            )

    def _reload(self) -> None:
        with contextlib.suppress(*([StoreError] if self._damaged else [])):
            self.load()

    def load(self) -> None:
        """Read what the last merge has written, by whichever process."""
        path = self.folder / "embeddings.safetensors"
        try:
            rows, matrix = _unpack(path)[:2] if path.is_file() else ([], np.zeros((0, self.embedding_size), np.float32))
        except (SafetensorError, ValueError, KeyError) as error:
            raise StoreError(f"{path} is damaged ({error}); compute it again with --force") from error
        self._rows, self._matrix = {row.id: row for row in rows}, matrix


def _is_utf8(path: str | Path) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def _pack(rows: Sequence[Row], embeddings: Array, metadata: Mapping[str, str] | None = None) -> bytes:
    matrix = np.ascontiguousarray(embeddings, np.float32)
    return save({"embeddings": matrix}, {"clips": _csv(Row._fields, rows), **(metadata or {})})


def _unpack(path: Path) -> tuple[list[Row], Array, dict[str, str]]:
    with safe_open(path, framework="pt") as file:  # PyTorch's tensors stay mapped to the file, NumPy's are copies
        metadata = file.metadata()
        matrix = file.get_tensor("embeddings").numpy()
    lines = list(csv.reader(io.StringIO(metadata["clips"], newline="")))[1:]
    rows = [Row(clip_id, int(size), int(mtime_ns), float(seconds)) for clip_id, size, mtime_ns, seconds in lines]
    return rows, matrix, metadata


def _csv(header: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
