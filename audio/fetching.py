"""Remote files that are fetched in blocks, so that a decoder which needs the start of a file fetches the start."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ..errors import AudioError
from .places import Failure, Unreachable, place_of, tried
from .remote import RemotePath, Status

T = TypeVar("T")
FIRST_BYTES = 1 << 18
"""Number of bytes of the first request, and of one that does not continue another."""
_GROWTH = 4  # a request that continues the one before is this many times larger
_MOST_BYTES = 1 << 22  # number of bytes of the largest request
_WHOLE_BYTES = 1 << 20  # files up to this size are fetched in one request
_KEPT_BYTES = 1 << 25  # fetched bytes of a file that are kept in memory


class Fetched:
    """A remote file, whose fetched blocks all readers of it share.

    A failure is kept instead of raised, because libsndfile, which reads the file, would lose it; readers then behave as
    at the end of the file. Not for use by several threads at once.

    Args:
        path: Path of the file.

    Attributes:
        failure: The first failure; None if there was none.
    """

    def __init__(self, path: RemotePath) -> None:
        self.path, self.name, self.suffix = path, path.name, path.suffix
        self.failure: Unreachable | None = None
        self._size = path.size
        self._blocks: list[tuple[int, bytes]] = []
        self._step = FIRST_BYTES

    def __str__(self) -> str:
        return str(self.path)

    def open(self, mode: str = "rb", buffering: int = -1) -> io.BufferedReader:
        """Return a reader of the file, at its start."""
        return io.BufferedReader(_Reader(self), 1 << 16)

    def stat(self) -> Status:
        """Return the size and modification time of the file."""
        if self._size is None:
            self.read(0, 1)
        return Status(self._size or 0, self.path.mtime_ns)

    def taken_failure(self) -> Unreachable | None:
        """Return the failure, and forget it, so that the next read tries again."""
        found, self.failure = self.failure, None
        return found

    def read(self, start: int, n_bytes: int) -> bytes:
        """Return bytes from an offset: at least one, unless the file ends there or cannot be read."""
        if self.failure is not None or (self._size is not None and start >= self._size):
            return b""
        for begin, block in reversed(self._blocks):
            if begin <= start < begin + len(block):
                return block[start - begin : start - begin + n_bytes]
        try:
            self._fetch(start)
        except Unreachable as failure:
            self.failure = failure
            return b""
        begin, block = self._blocks[-1]
        return block[start - begin : start - begin + n_bytes]

    def _fetch(self, start: int) -> None:
        """Add the block that holds an offset."""
        size, stop = self._size, None
        if size is not None and size <= _WHOLE_BYTES:
            start, stop = 0, size
        elif size is not None:
            continues = bool(self._blocks) and start == sum((self._blocks[-1][0], len(self._blocks[-1][1])))
            self._step = min(_MOST_BYTES, self._step * _GROWTH) if continues else FIRST_BYTES
            stop = min(size, start + self._step)
        else:
            start = 0
        content = asked(self.path, lambda fs, inside: _content(fs, inside, start, stop))
        if stop is None or len(content) > stop - start:  # the server has sent the whole file
            start, self._size, self._blocks = 0, len(content), []
        self._blocks.append((start, content))
        while len(self._blocks) > 1 and sum(len(block) for _, block in self._blocks) > _KEPT_BYTES:
            del self._blocks[0]


class _Reader(io.RawIOBase):
    """Reader of a file, with a position of its own."""

    def __init__(self, file: Fetched) -> None:
        self._file, self._position, self.name = file, 0, file.name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}
        origin[io.SEEK_END] = self._file.stat().st_size if whence == io.SEEK_END else 0
        self._position = max(0, offset + origin[whence])
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        piece = self._file.read(self._position, len(buffer))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


Source = Path | Fetched
"""A file that a decoder opens, possibly several times."""


@contextlib.contextmanager
def fetched(path: RemotePath) -> Iterator[Fetched]:
    """Open a remote file. If it cannot be read, `AudioError` is raised even if the block hides the failure.

    Args:
        path: Path of the file.

    Raises:
        AudioError: The file cannot be read.
    """
    file = Fetched(path)
    file.read(0, 1)  # here rather than in libsndfile, where only one thread of a process at a time could wait for it
    if file.stat().st_size == 0 and file.failure is None:
        raise AudioError(str(path), "the file is empty (0 bytes)", "replace it, or skip it with --data.on_error skip")
    try:
        yield file
    except Exception as error:
        if file.failure is not None:
            raise AudioError(str(path), file.failure.reason, file.failure.remedy) from error
        raise
    if file.failure is not None:
        raise AudioError(str(path), file.failure.reason, file.failure.remedy) from file.failure


def asked(path: RemotePath, call: Callable[[Any, str], T]) -> T:
    """Return the result of a request for a file or folder, see `places.tried`.

    Args:
        path: Path of the file or folder.
        call: Function that is given the file system of fsspec, and the path in it.

    Raises:
        Unreachable: The request failed, or the archive that holds the file cannot be read.
        UsageError: The URL is not supported.
    """
    place = place_of(path, _open_outer)
    inside = place.inside(path.url)
    return tried(place, str(path), lambda: call(place.fs, inside))


def _open_outer(path: RemotePath) -> tuple[BinaryIO, Failure]:
    found = asked(path, lambda fs, inside: fs.info(inside))
    file = Fetched(RemotePath(path.url, size=found.get("size")))
    return file.open(), file.taken_failure


def _content(fs: Any, inside: str, start: int, stop: int | None) -> bytes:
    """Return bytes of a file from one offset to another, or all if the second is None or the server sends all.

    Raises:
        ConnectionError: The server has sent less.
    """
    content: bytes = fs.cat_file(inside, start=None if stop is None else start, end=stop)
    if stop is not None and len(content) < stop - start:
        raise ConnectionError(f"it sent {len(content):,} of {stop - start:,} bytes")
    return content
