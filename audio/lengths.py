"""Length of an audio file: exact if the header declares it, otherwise an estimate by libsndfile.

A file that is shorter than an exact length is truncated. An estimate neither limits decoding nor proves truncation.
"""

import io
import re
from typing import NamedTuple

import soundfile

from . import containers, mpeg
from .fetching import Source

# Log entry of libsndfile for a header that declares more bytes than the file contains. Streaming encoders do not know
# the length and write one of the largest numbers instead.
_SHORTER_THAN_PROMISED = re.compile(r"(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)")
_MOST_FRAMES = 1 << 62  # libsndfile returns more than this if the header does not declare a length
_CHAINED = (
    "the file contains several streams in sequence, of which only the first can be read: join them, for example with "
    "ffmpeg -i in.ogg out.wav"
)
_DELAY = 3  # tolerance in mp3 frames: decoders delay their output by up to this many


class Length(NamedTuple):
    """Length of a file.

    Args:
        promised: Minimum number of frames that an undamaged file contains; a file with fewer is truncated.
        total: Number of frames; None if it is only known after decoding.
        unlimited: Copy of the stream with a larger declared length, because libsndfile stops decoding at its own
            estimate; None if not needed.
        problem: Problem at the end of the file, to report if fewer frames than requested can be decoded; may be empty.
    """

    promised: int
    total: int | None
    unlimited: io.BufferedReader | None = None
    problem: str = ""


def length_of(file: soundfile.SoundFile, path: Source, wanted: int | None = None) -> Length:
    """Return the length of an open file.

    Args:
        file: Open file, at its start.
        path: Source of the file.
        wanted: Number of frames that will be read; by default all of them.
    """
    frames = int(file.frames)
    if sizes := _SHORTER_THAN_PROMISED.search(file.extra_info):
        claimed, found = int(sizes[1]), int(sizes[2])
        if found < claimed < containers.UNKNOWN:
            return Length(int(frames * claimed / max(found, 1)) or 1, frames)
    if file.subtype.startswith("MPEG"):
        return _length_of_mpeg(file, path, wanted)
    if frames >= _MOST_FRAMES:
        return Length(1, None)
    if file.format == "OGG":
        return _length_of_ogg(frames, path)
    if file.format in ("W64", "RF64", "CAF"):  # libsndfile corrects these lengths silently
        samples = containers.find_samples(path)
        if samples is not None and samples.lacking:
            return Length(int(frames * (samples.counted or 0) / max(samples.present, 1)) or 1, frames)
    return Length(frames, frames)


def _length_of_mpeg(file: soundfile.SoundFile, path: Source, wanted: int | None) -> Length:
    """Return the length of mp3, which libsndfile estimates from the file size if no header frame declares it."""
    frames = int(file.frames)
    with path.open("rb", buffering=0) as raw:
        start, stop = 0, path.stat().st_size
        if file.format != "MP3" and (samples := containers.find_samples(path)) is not None:
            start = samples.start
            stop = min(stop, start + (samples.counted or samples.present))
        stream = mpeg.find_stream(raw, start, stop)
        if stream is None:
            return Length(1, None)
        per_frame = stream.frame.n_samples
        # If the declared number of frames agrees with the file size, it suffices to check the frames that will be read.
        at_most = wanted // per_frame + _DELAY if wanted is not None and stream.is_consistent else None
        count = mpeg.count_frames(raw, stream, at_most)
        if not count.is_end and not _agree(count, stream):
            count = mpeg.count_frames(raw, stream)
    n = count.n if count.is_end else stream.n_counted
    if abs(n - stream.n_counted) <= _DELAY and stream.n_counted:
        return Length(frames, frames)
    if n < stream.n_counted and not stream.is_consistent:
        return Length(frames, frames)  # truncated
    total = n * per_frame
    is_limited = frames < (total if wanted is None else min(wanted, total))
    if not is_limited:
        return Length(1, total)
    # Omit the bytes after the last complete frame, on which a decoder fails.
    return Length(1, total, mpeg.without_limit(path, stream._replace(stop=count.stop) if count.is_end else stream))


def _agree(count: mpeg.Count, stream: mpeg.Stream) -> bool:
    """Return whether the mean length of the counted frames agrees with the declared number of frames and bytes."""
    mean, counted = count.n_bytes / max(count.n, 1), stream.n_bytes / stream.n_counted
    return count.n <= stream.n_counted + _DELAY and counted / 2 < mean < 2 * counted


def _length_of_ogg(frames: int, path: Source) -> Length:
    """Return the length of an Ogg stream. Its last page states the length; without that page the file is truncated.

    Source: RFC 3533, section 6.
    """
    with path.open("rb") as file:
        first = file.read(1 << 12)
        file.seek(-min(path.stat().st_size, 1 << 17), 2)
        tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or page + 18 > len(tail) or not tail[page + 5] & 4:
        return Length(frames, frames, problem="the file is truncated or was not closed: its last page is missing")
    is_chained = tail[page + 14 : page + 18] not in _streams_that_begin(first) or tail.rfind(b"OggS\0\2", 1) > 0
    return Length(frames, frames, problem=_CHAINED if is_chained else "")


def _streams_that_begin(content: bytes) -> set[bytes]:
    """Return the serial numbers of the streams that begin in the first pages of an Ogg file."""
    found, at = set(), 0
    while content[at : at + 4] == b"OggS" and len(content) > at + 27 and content[at + 5] & 2:
        found.add(content[at + 14 : at + 18])
        at += 27 + content[at + 26] + sum(content[at + 27 : at + 27 + content[at + 26]])
    return found
