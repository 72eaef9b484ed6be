"""Frames of MPEG audio (mp3), which are counted by their headers to find the length of a stream.

A stream may start with a Xing, Info or VBRI frame, which holds no audio but declares the number of audio frames.

Sources: ISO/IEC 11172-3, 2.4.1.3 (frame header); Xing and VBRI (Fraunhofer) headers as written by LAME.
"""

import io
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from .fetching import Source
from .pieces import replaced

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates in kbit/s by version (1, or 2 for both 2 and 2.5) and layer; the first entry has index 1 in a header."""
_SEARCHED = (1 << 12, 1 << 20)  # numbers of bytes in which to search for a frame, tried in this order
_BLOCK = 1 << 18  # bytes per read
_ENDLESS = 1 << 24  # number of frames, more than a hundred hours


class Frame(NamedTuple):
    """Header of a frame.

    Args:
        n_bytes: Length of the whole frame in bytes.
        n_samples: Number of samples per channel.
        side: Length of the side information in bytes, which precedes `Xing` or `Info` in a header frame.
        kind: Version, layer and sample rate, which are the same in all frames of a stream.
    """

    n_bytes: int
    n_samples: int
    side: int
    kind: int


class Count(NamedTuple):
    """Result of counting frames.

    Args:
        n: Number of counted frames.
        n_bytes: Total length of the counted frames in bytes.
        stop: Offset of the end of the last counted frame, in bytes.
        is_end: Whether the stream ends after the last counted frame.
    """

    n: int
    n_bytes: int
    stop: int
    is_end: bool


class Stream(NamedTuple):
    """Stream of frames.

    Args:
        first: Offset of the first frame, in bytes.
        stop: Offset of the end of the stream, in bytes.
        frame: Header of the first frame.
        mark: Offset of `Xing` or `Info` within the first frame, in bytes; 0 if the frame has neither.
        n_counted: Number of frames that the first frame declares, not counting itself; 0 if it declares none.
        n_bytes: Number of bytes that the first frame declares; 0 if it declares none.
    """

    first: int
    stop: int
    frame: Frame
    mark: int = 0
    n_counted: int = 0
    n_bytes: int = 0

    @property
    def counts(self) -> bool:
        """Whether the first frame is a header frame, which holds no audio."""
        return self.n_counted > 0 or self.mark > 0

    @property
    def is_consistent(self) -> bool:
        """Whether the first frame declares a number of frames, and a size that matches the file except for tags."""
        return self.n_counted > 0 and abs(self.stop - self.first - self.n_bytes) <= 4096 + self.n_bytes // 100


def find_stream(file: BinaryIO, start: int, stop: int) -> Stream | None:
    """Return the stream in a part of a file; None if the part has no two adjacent frames.

    Args:
        file: File to search.
        start: Offset of the start of the part, in bytes.
        stop: Offset of the end of the part, in bytes.
    """
    first = _next_frame(file, _after_tags(file, start), stop, None)
    if first is None:
        return None
    file.seek(first)
    content = file.read(4096)
    frame = frame_of(content[:4])
    assert frame is not None  # _next_frame found a frame at this offset
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
    """Count the audio frames of a stream by their headers.

    Args:
        file: File that holds the stream.
        stream: The stream, see `find_stream`.
        at_most: Maximum number of frames to count; by default all frames are counted.
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


def without_limit(path: Source, stream: Stream) -> io.BufferedReader:
    """Return the stream as a file object with a header that makes decoders read every frame.

    A decoder stops after the number of frames that the first frame declares, or else after a number that it estimates
    from the file size. The returned file declares a far larger number of frames or size.

    Args:
        path: File that holds the stream.
        stream: The stream, see `find_stream`.
    """
    after = stream.first + (stream.frame.n_bytes if stream.counts else 0)
    with path.open("rb") as file:
        file.seek(stream.first)
        first = file.read(stream.frame.n_bytes)
    if stream.n_counted and stream.mark:  # keep the first frame, which also holds the encoder delay
        at = stream.mark + 8
        return replaced(first[:at] + _ENDLESS.to_bytes(4, "big") + first[at + 4 :], path, after, stream.stop)
    return replaced(b"", path, after, stream.stop, claims=_ENDLESS * stream.frame.n_bytes)


@lru_cache(maxsize=4096)
def frame_of(header: bytes) -> Frame | None:
    """Parse the four bytes of a frame header; return None if they are not a valid header.

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
    """Return the offset after all ID3v2 tags; their sizes are four times seven bits (ID3v2.4, section 3.1)."""
    while True:
        file.seek(start)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            return start
        start += 10 + sum(byte << (7 * place) for place, byte in enumerate(reversed(tag[6:10])))


def _next_frame(file: BinaryIO, start: int, stop: int, kind: int | None) -> int | None:
    """Return the offset of the next frame that is followed by another frame or by the end; None if there is none."""
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
