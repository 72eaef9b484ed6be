"""Frames of MPEG audio (mp3), whose headers tell how long a stream is where nothing else does.

Sources: ISO/IEC 11172-3, 2.4.1.3 (header of a frame); Xing's and Fraunhofer's counting frames as LAME writes them.
"""

import io
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .pieces import replaced

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates in kbit/s by version (1, or 2 with 2.5) and layer, from index 1."""
_SEARCHED = (1 << 12, 1 << 20)  # bytes in which a frame is looked for
_BLOCK = 1 << 18  # bytes that are read at once
_ENDLESS = 1 << 24  # frames, more than a hundred hours


class Frame(NamedTuple):
    """The header of a frame.

    Args:
        n_bytes: Length of the whole frame.
        n_samples: Number of samples per channel.
        side: Length of the side information in bytes, after which a counting frame has its mark.
        kind: Version, layer and sample rate, which all frames of a stream share.
    """

    n_bytes: int
    n_samples: int
    side: int
    kind: int


class Count(NamedTuple):
    """A number of frames.

    Args:
        n: The number.
        n_bytes: Length of all of them.
        stop: Offset at which the last of them ends.
        is_end: Whether the stream ends after them.
    """

    n: int
    n_bytes: int
    stop: int
    is_end: bool


class Stream(NamedTuple):
    """A stream of frames.

    Args:
        first: Offset of the first frame.
        stop: Offset at which the stream ends.
        frame: Header of the first frame.
        mark: Offset of `Xing` or `Info` in the first frame; 0 if it does not have it.
        n_counted: Number of frames that the first frame counts after itself; 0 if it counts none.
        n_bytes: Number of bytes that the first frame counts; 0 if it counts none.
    """

    first: int
    stop: int
    frame: Frame
    mark: int = 0
    n_counted: int = 0
    n_bytes: int = 0

    @property
    def counts(self) -> bool:
        """Whether the first frame counts the others and holds no audio."""
        return self.n_counted > 0 or self.mark > 0

    @property
    def is_consistent(self) -> bool:
        """Whether the first frame counts frames, and bytes that are those of the file, but for tags at its end."""
        return self.n_counted > 0 and abs(self.stop - self.first - self.n_bytes) <= 4096 + self.n_bytes // 100


def find_stream(file: BinaryIO, start: int, stop: int) -> Stream | None:
    """Return the stream in a part of a file; None if there are no two frames, one right after the other.

    Args:
        file: File that holds it.
        start: Offset at which the part begins.
        stop: Offset at which it ends.
    """
    first = _next_frame(file, _after_tags(file, start), stop, None)
    if first is None:
        return None
    file.seek(first)
    content = file.read(4096)
    frame = frame_of(content[:4])
    assert frame is not None  # as it was found
    stream = Stream(first, stop, frame)
    mark = 4 + frame.side
    if content[mark : mark + 4] in (b"Xing", b"Info"):
        flags, at = content[mark + 7], mark + 8
        n_counted = _number(content, at) if flags & 1 else 0
        n_bytes = _number(content, at + 4 * (flags & 1)) if flags & 2 else 0
        return stream._replace(mark=mark, n_counted=n_counted, n_bytes=n_bytes)
    if content[36:40] == b"VBRI":
        return stream._replace(n_bytes=_number(content, 46), n_counted=_number(content, 50))
    return stream


def count_frames(file: BinaryIO, stream: Stream, at_most: int | None = None) -> Count:
    """Count frames by their headers, without the one that only counts.

    Args:
        file: File that holds the stream.
        stream: The stream, see `find_stream`.
        at_most: Number of frames at which to stop; by default all are counted.
    """
    start = position = stream.first + (stream.frame.n_bytes if stream.counts else 0)
    n, ends, kind, stop = 0, position, stream.frame.kind, stream.stop
    block, at_block = b"", position
    while at_most is None or n < at_most:
        header = block[position - at_block : position - at_block + 4]
        if len(header) < 4:
            at_block = position
            file.seek(position)
            block = file.read(_BLOCK)
            header = block[:4]
        frame = frame_of(header)
        if frame is None or frame.kind != kind:
            found = _next_frame(file, position, stop, kind)
            if found is None:
                return Count(n, ends - start, ends, is_end=True)
            position = found
            continue
        if position + frame.n_bytes > stop:
            return Count(n, ends - start, ends, is_end=True)
        n += 1
        position = ends = position + frame.n_bytes
    return Count(n, ends - start, ends, is_end=False)


def without_limit(path: Path, stream: Stream) -> io.BufferedReader:
    """Return a stream as a file of its own, of which a decoder reads all frames.

    A decoder stops at the count of the first frame, or where it guesses the end from the size of the file: the count or
    the size that it sees is far too large.

    Args:
        path: File that holds the stream.
        stream: The stream, see `find_stream`.
    """
    after = stream.first + (stream.frame.n_bytes if stream.counts else 0)
    with path.open("rb") as file:
        file.seek(stream.first)
        first = file.read(stream.frame.n_bytes)
    if stream.n_counted and stream.mark:  # the encoder's delay stands behind the count
        at = stream.mark + 8
        return replaced(first[:at] + _ENDLESS.to_bytes(4, "big") + first[at + 4 :], path, after, stream.stop)
    return replaced(b"", path, after, stream.stop, claims=_ENDLESS * stream.frame.n_bytes)


@lru_cache(maxsize=4096)
def frame_of(header: bytes) -> Frame | None:
    """Return what four bytes say about the frame that they begin; None if they begin none.

    Example:
        >>> frame_of(bytes.fromhex("fffb9000"))
        Frame(n_bytes=417, n_samples=1152, side=32, kind=64000)
        >>> frame_of(b"RIFF") is None
        True
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bits, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    rate_in_hz = (44_100, 48_000, 32_000)[rate] // {3: 1, 2: 2, 0: 4}[version]
    kbits = _KBITS[1 if is_first else 2, layer][bits - 1]
    padding = header[2] >> 1 & 1
    if layer == 1:
        n_samples, n_bytes = 384, (12_000 * kbits // rate_in_hz + padding) * 4
    else:
        n_samples = 1152 if layer == 2 or is_first else 576
        n_bytes = n_samples * 125 * kbits // rate_in_hz + padding
    is_mono = header[3] >> 6 == 3
    side = (17 if is_mono else 32) if is_first else (9 if is_mono else 17)
    return Frame(n_bytes, n_samples, side, (header[1] & 0xFE) << 8 | header[2] & 0x0C)


def _after_tags(file: BinaryIO, start: int) -> int:
    """Return the offset behind all ID3v2 tags, whose sizes are four times seven bits (ID3v2.4, section 3.1)."""
    while True:
        file.seek(start)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            return start
        start += 10 + sum(byte << (7 * place) for place, byte in enumerate(reversed(tag[6:10])))


def _next_frame(file: BinaryIO, start: int, stop: int, kind: int | None) -> int | None:
    """Return the offset of the next frame, which another one follows, or the end."""
    for n_bytes in _SEARCHED:
        found = _next_within(file, start, min(stop, start + n_bytes), stop, kind)
        if found is not None:
            return found
    return None


def _next_within(file: BinaryIO, start: int, end: int, stop: int, kind: int | None) -> int | None:
    file.seek(start)
    content = file.read(max(0, end - start))
    at = content.find(b"\xff")
    while at >= 0:
        frame = frame_of(content[at : at + 4])
        if frame is not None and kind in (None, frame.kind):
            after = frame_of(content[at + frame.n_bytes : at + frame.n_bytes + 4])
            is_last = start + at + frame.n_bytes == stop
            if is_last or (after is not None and after.kind == frame.kind):
                return start + at
        at = content.find(b"\xff", at + 1)
    return None


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")
