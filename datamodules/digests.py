"""Digests that identify a clip by its content: the bytes of its file, and the waveform that a frontend reads."""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..audio.remote import RemotePath
from .clip import Clip, Stamp

LENGTH = 32  # number of hexadecimal digits of a digest
HEAD_BYTES = 1 << 24  # number of bytes at the start of a file that are always read
_ROWS = 8  # number of rows of a waveform that are folded into one
_FACTOR = np.uint32(0x9E3779B1)  # odd, so that multiplication modulo 2**32 is invertible


class Digests(NamedTuple):
    """Digests of one clip.

    Args:
        file: Digest of the bytes of the file, see `file_digest`; empty if the clip has no file, or if the file changed
            while it was read.
        audio: Digest of the waveform, see `audio_digest`; empty if it is unknown.
    """

    file: str = ""
    audio: str = ""


def stamp_of(clip: Clip) -> Stamp:
    """Return the size and modification time of a clip's file; zeros if it cannot be read."""
    if isinstance(clip.path, RemotePath):
        return Stamp(*clip.path.stat())
    return Stamp(0, 0) if clip.path is None else stamp_at(clip.path)


def stamp_at(path: Path | str) -> Stamp:
    """Return the size and modification time of a file; zeros if it cannot be read."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: for example, the path contains a null byte
        return Stamp(0, 0)
    return Stamp(status.st_size, status.st_mtime_ns)


def n_bytes_known_by(size: int, seconds: float, given: float) -> int:
    """Return how many bytes of a file its digest covers.

    The digest covers the first 16 MiB plus twice the fraction of the file that the frontend uses. Most files are
    covered completely.

    Args:
        size: Size of the file in bytes.
        seconds: Duration of the whole file in s.
        given: Duration of the part that the frontend uses, in s.

    Example:
        >>> n_bytes_known_by(5_000_000, seconds=30, given=29)
        5000000
        >>> n_bytes_known_by(600_000_000, seconds=3600, given=29)
        26443882
    """
    share = min(1.0, 2 * given / max(round(seconds, 3), 1e-3))  # stores round durations to 1 ms
    return min(size, HEAD_BYTES + int(share * size))


def file_digest(path: Path | RemotePath, stamp: Stamp, n_bytes: int) -> str:
    """Return a hexadecimal digest of the size and the first bytes of a file; empty if it cannot be read.

    It is also empty for a remote file, which would have to be fetched as a whole.

    Args:
        path: Path of the file.
        stamp: Current stamp of the file.
        n_bytes: Number of bytes to read, see `n_bytes_known_by`.
    """
    if isinstance(path, RemotePath):
        return ""
    found = hashlib.sha256(str(stamp.size).encode())
    try:
        with path.open("rb") as file:
            while n_bytes > 0 and (block := file.read(min(n_bytes, 1 << 20))):
                found.update(block)
                n_bytes -= len(block)
    except OSError:
        return ""
    return found.hexdigest()[:LENGTH]


@functools.lru_cache(maxsize=100_000)
def known_file_digest(path: Path | RemotePath, stamp: Stamp, n_bytes: int) -> str:
    """Return `file_digest`, cached in this process until the stamp of the file changes."""
    return file_digest(path, stamp, n_bytes)


def audio_digest(waveform: NDArray[Any]) -> str:
    """Return a hexadecimal digest of a waveform, which does not depend on the format of its file.

    Hashing every sample would take four times as long. The samples are therefore first combined into an eighth of their
    number, in such a way that each of them affects the digest.

    Args:
        waveform: Waveform, `(n_samples,)`, float32.

    Example:
        >>> audio_digest(np.zeros(5, np.float32)) == audio_digest(np.zeros(6, np.float32))
        False
    """
    samples = np.asarray(waveform, np.float32).ravel()
    padded = np.zeros((_ROWS, -(-samples.size // _ROWS)), np.float32)
    np.add(samples, np.float32(0), out=padded.reshape(-1)[: samples.size])  # adding 0 turns -0 into 0
    rows = padded.view(np.uint32)
    folded = rows[0].copy()
    for row in rows[1:]:  # Horner's scheme modulo 2**32
        folded *= _FACTOR
        folded += row
    return hashlib.sha256(str(samples.size).encode() + folded.tobytes()).hexdigest()[:LENGTH]
