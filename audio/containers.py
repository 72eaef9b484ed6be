"""Location of the samples in WAV, RF64, AIFF, AU, CAF and W64 files, and the size that the header declares for them.

Recording software writes the size when it closes the file. Until then, and in a file written to a pipe, the size is
zero or the largest number that fits in the field.
"""

import io
import os
from typing import BinaryIO, Literal, NamedTuple

from .fetching import Source
from .pieces import replaced

UNKNOWN = 0x7FFF_0000
"""32-bit sizes from this value upwards mean "unknown"."""

UNCOUNTED_SHARE = 0.1
"""Undeclared bytes are reported if they exceed this share of the declared size."""

_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_MAX_HEADER = 1 << 24  # maximum header size in bytes; the header is copied into memory to correct it


class Samples(NamedTuple):
    """Location and size of the samples of a file.

    Args:
        form: Type of container: `RIFF`, `RIFX`, `RF64`, `FORM`, `.snd`, `caff` or `riff` (W64).
        field: Offset of the header field that holds the size of the samples, in bytes.
        start: Offset of the first sample, in bytes.
        counted: Size of the samples that the header declares, in bytes; None if it declares an unknown size.
        present: Number of bytes from the first sample to the end of the file.
    """

    form: str
    field: int
    start: int
    counted: int | None
    present: int

    @property
    def lacking(self) -> int:
        """Number of declared bytes that are missing from the file."""
        return max(0, (self.counted or 0) - self.present)


def find_samples(path: Source) -> Samples | None:
    """Return the location of the samples of a file; None if it has none or is not one of these containers."""
    size = path.stat().st_size
    with path.open("rb") as file:
        found = _find(file, file.read(40))
    return None if found is None or found.start > size else found._replace(present=size - found.start)


def corrected(path: Source, samples: Samples) -> io.BufferedReader | None:
    """Open a file that the recording software did not close, with a header that declares the samples that are present.

    Args:
        path: Source of the file.
        samples: Location of its samples.

    Returns:
        The file with the corrected header; None if its header already declares samples, or if no samples follow it.
    """
    if samples.counted or samples.present < 2 or samples.start > _MAX_HEADER:
        return None
    with path.open("rb") as file:
        head = bytearray(file.read(samples.start))
        follows = file.read(8)
        if samples.counted == 0 and _is_chunk(follows, samples.present, "big" if samples.form == "FORM" else "little"):
            return None  # an empty recording, followed by other chunks
    if samples.form == "caff":
        head[samples.field : samples.field + 8] = (samples.present + 4).to_bytes(
            8, "big"
        )  # the size includes the 4-byte edit count
    elif samples.form in ("RIFF", "RIFX", "RF64", ".snd"):
        if samples.form == "RF64":
            head[:4] = b"RIFF"  # a RIFF file of unknown 32-bit size is read to its end
        count = samples.present if samples.present < UNKNOWN else 0xFFFF_FFFF
        head[samples.field : samples.field + 4] = count.to_bytes(
            4, "little" if samples.form in ("RIFF", "RF64") else "big"
        )
    else:
        return None  # libsndfile reads all samples of AIFF and W64 files
    return replaced(bytes(head), path, samples.start, samples.start + samples.present)


def has_uncounted_samples(path: Source) -> bool:
    """Return whether a WAV file has many bytes after its declared samples that are neither a chunk nor a tag."""
    samples = find_samples(path)
    if samples is None or not samples.counted:
        return False
    counted = samples.counted + samples.counted % 2
    with path.open("rb") as file:
        file.seek(samples.start + counted)
        follows = file.read(1 << 12)
    left = samples.present - counted
    is_tag = follows[:3] in (b"TAG", b"ID3") or follows[:8] == b"APETAGEX"
    return (
        left > UNCOUNTED_SHARE * counted and any(follows) and not is_tag and not _is_chunk(follows[:8], left, "little")
    )


def _find(file: BinaryIO, head: bytes) -> Samples | None:
    form = head[:4].decode("latin-1")
    if form == ".snd" and len(head) >= 24:
        return Samples(form, 8, int.from_bytes(head[4:8], "big"), _known(int.from_bytes(head[8:12], "big")), 0)
    if form in ("RIFF", "RIFX", "RF64") and head[8:12] == b"WAVE":
        return _find_chunk(file, form, 12, b"data", "big" if form == "RIFX" else "little")
    if form == "FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _find_chunk(file, form, 12, b"SSND", "big")
    if form == "caff":
        return _find_chunk(file, form, 8, b"data", "big")
    if form == "riff" and len(head) == 40:
        return _find_chunk(file, form, 40, _W64_DATA, "little")
    return None


def _find_chunk(
    file: BinaryIO, form: str, position: int, name: bytes, order: Literal["big", "little"]
) -> Samples | None:
    """Return the location of the samples in a container of chunks, each of which begins with its name and size."""
    n_name, n_size = len(name), 8 if form in ("caff", "riff") else 4
    length = 0  # size of the samples in RF64, which declares it in a separate chunk (ds64)
    end = file.seek(0, os.SEEK_END)
    for _ in range(1000):
        if position > end:
            return None
        file.seek(position)
        head = file.read(n_name + n_size)
        if len(head) < n_name + n_size:
            return None
        size = int.from_bytes(head[n_name:], order)
        start = position + len(head)
        if head[:n_name] == name:
            field = position + n_name
            if form == "RF64":
                return Samples(form, field, start, _known(length, 64), 0)
            if form == "riff":  # the size includes the chunk's own name and size
                known = _known(size, 64)
                return Samples(form, field, start, known and max(0, known - len(head)), 0)
            if form == "caff":  # the samples follow a 4-byte edit count
                known = _known(size, 64)
                return Samples(form, field, start + 4, known and max(0, known - 4), 0)
            extra = 8 if form == "FORM" else 0  # the samples follow an offset and a block size
            known = _known(size)
            return Samples(form, field, start + extra, known and max(0, known - extra), 0)
        if head[:4] == b"ds64":
            length = int.from_bytes(file.read(16)[8:], "little")
        step = size if form == "riff" else size + len(head)
        if step < len(head):
            return None
        position += step + (-step % 8 if form == "riff" else 0 if form == "caff" else step % 2)
    return None


def _known(count: int, bits: int = 32) -> int | None:
    """Return a declared size; None if the value means that the size is unknown."""
    return None if count >= (UNKNOWN if bits == 32 else 1 << 62) else count


def _is_chunk(head: bytes, n_bytes: int, order: Literal["big", "little"]) -> bool:
    """Return whether these bytes are the start of a chunk that ends within the file."""
    size = int.from_bytes(head[4:8], order)
    return len(head) == 8 and all(32 <= byte < 127 for byte in head[:4]) and size + 8 <= n_bytes
