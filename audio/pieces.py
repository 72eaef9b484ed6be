"""Files whose first bytes are replaced in memory, so that a decoder reads a corrected header.

A file can also appear larger than it is, because decoders estimate the number of mp3 frames from the file size and stop
there.
"""

import io

from .fetching import Source

_TAG = 128  # size in bytes of an ID3v1 tag, which is at the end of a file


class Replaced(io.RawIOBase):
    """Bytes in memory followed by a part of a file.

    Args:
        head: Bytes that are read first.
        path: File that is read after `head`.
        start: Offset in the file at which its part begins, in bytes.
        stop: Offset in the file at which its part ends, in bytes.
        claims: Apparent size in bytes, by default the actual size. Beyond the actual size, only the last 128 bytes can
            be read, as zeros, because mp3 decoders look for an ID3v1 tag there.
    """

    def __init__(self, head: bytes, path: Source, start: int, stop: int, claims: int = 0) -> None:
        self._head, self._start, self._end = head, start, len(head) + max(0, stop - start)
        self._size = max(claims, self._end)
        self._file = path.open("rb")
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return the new position."""
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence])
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read into a buffer and return the number of bytes read."""
        n = max(0, min(len(buffer), self._end - self._position))
        if self._position >= self._size - _TAG > self._end:  # mp3 decoders look for an ID3v1 tag here
            piece = bytes(min(len(buffer), max(0, self._size - self._position)))
        elif self._position < len(self._head):
            piece = self._head[self._position : self._position + n]
        else:
            self._file.seek(self._start + self._position - len(self._head))
            piece = self._file.read(n)
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def replaced(head: bytes, path: Source, start: int, stop: int, claims: int = 0) -> io.BufferedReader:
    """Return bytes followed by a part of a file as a buffered file, see `Replaced`."""
    return io.BufferedReader(Replaced(head, path, start, stop, claims), 1 << 16)
