"""Files of the cache of waveforms: waveforms of some clips with a table of these clips, which cannot run code."""

import functools
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..audio import Decoded
from ..audio.rounding import from_int16
from ..datamodules.clip import Stamp
from ..datamodules.digests import Digests, audio_digest
from .checked import DamagedError

FORMAT = 1
"""Version of the layout of the files; raise it when older files can no longer be read."""
CHECKSUM = "crc32"
"""Name of the checksum in the metadata of a file."""
DTYPES = {"float32": ("F32", np.float32), "int16": ("I16", np.int16)}


class OtherError(DamagedError):
    """Error for a file that belongs to another cache or version; its message is the reason."""


class StoredWaveform(NamedTuple):
    """Row of a file that describes a clip.

    Args:
        id: Id of the clip.
        size: Size of the clip's file, in bytes.
        mtime_ns: Modification time of the clip's file, in ns.
        seconds: Duration of the whole clip, in s.
        file: Digest of the clip's file, see `Digests`.
        audio: Digest of the waveform, see `Digests`.
        remarks: Remarks on the clip's file, see `audio.Remark`.
        step: Value of one step of 16-bit waveforms; 1 for float32.
    """

    id: str
    size: int
    mtime_ns: int
    seconds: float
    file: str
    audio: str
    remarks: Sequence[Any] = ()
    step: float = 1.0

    @property
    def stamp(self) -> Stamp:
        """Stamp of the clip's file when it was decoded."""
        return Stamp(self.size, self.mtime_ns)


class Place(NamedTuple):
    """Location of a cached waveform.

    Args:
        path: File that holds it.
        stamp: Stamp of this file.
        number: Row of the waveform in the file.
        row: Description of the clip.
    """

    path: Path
    stamp: Stamp
    number: int
    row: StoredWaveform

    def waveform(self) -> NDArray[np.float32]:
        """Return the waveform, `(n_samples,)`, float32; if the file holds float32, it is memory-mapped.

        Raises:
            DamagedError: The file cannot be read, or has been removed.
        """
        values = _mapped(self.path, self.stamp)[self.number]
        return from_int16(values, self.row.step) if values.dtype == np.int16 else values

    def read(self) -> tuple[Decoded, Digests] | None:
        """Return the decoded clip with its digests; None if the waveform is damaged, which its digest shows."""
        try:
            waveform = self.waveform()
        except DamagedError:
            return None
        if audio_digest(waveform) != self.row.audio:
            return None
        return Decoded(waveform, self.row.seconds, tuple(self.row.remarks)), Digests(self.row.file, self.row.audio)


def pack(key: str, rows: Sequence[StoredWaveform], waveforms: NDArray[Any]) -> bytes:
    """Return the bytes of a file.

    Args:
        key: Key of the cache.
        rows: Descriptions of the clips.
        waveforms: Waveforms, `(len(rows), n_samples)`, float32 or int16.
    """
    texts = {"format": str(FORMAT), "key": key, "clips": json.dumps(rows)}
    return save({"waveforms": np.ascontiguousarray(waveforms)}, {**texts, CHECKSUM: _checksum(texts)})


def unpack(path: Path, key: str, dtype: str, n_samples: int) -> list[Place]:
    """Return the places of the waveforms in a file; only its header is read.

    Args:
        path: File that `pack` wrote.
        key: Key of the cache.
        dtype: Type of the samples: `float32` or `int16`.
        n_samples: Length of every waveform.

    Raises:
        DamagedError: The file is truncated or damaged.
        OtherError: The file belongs to another cache, or has the format of another version.
    """
    try:
        status = path.stat()
        with safe_open(path, framework="pt") as file:
            texts: dict[str, str] = file.metadata() or {}
            described = file.get_slice("waveforms")
            found = described.get_dtype(), tuple(described.get_shape())
        if texts["format"] != str(FORMAT):
            raise OtherError(f"it has format {texts['format'][:20]!r}, and this version reads {FORMAT}")
        if texts["key"] != key:
            raise OtherError("it holds waveforms of other data or settings")
        if texts[CHECKSUM] != _checksum(texts):
            raise DamagedError("its table of clips has changed since it was written")
        rows = [StoredWaveform(*row) for row in json.loads(texts["clips"])]
    except DamagedError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    if found != (DTYPES[dtype][0], (len(rows), n_samples)):
        raise DamagedError(f"it holds {found[0]} of shape {found[1]}, expected {(len(rows), n_samples)}")
    if not all(isinstance(row.id, str) and 0 <= row.seconds < math.inf for row in rows):
        raise DamagedError("its table of clips is malformed")
    stamp = Stamp(status.st_size, status.st_mtime_ns)
    return [Place(path, stamp, number, row) for number, row in enumerate(rows)]


@functools.lru_cache(maxsize=4096)  # open files; a study reads several caches in turns
def _mapped(path: Path, stamp: Stamp) -> NDArray[Any]:
    """Return the waveforms of a file, memory-mapped; a file that has changed since it was listed is not mapped."""
    try:
        status = path.stat()
        if Stamp(status.st_size, status.st_mtime_ns) != stamp:
            raise DamagedError("it has changed")
        with safe_open(path, framework="pt") as file:  # PyTorch maps tensors to the file, NumPy would copy them
            matrix: NDArray[Any] = file.get_tensor("waveforms").numpy()
            return matrix
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedError(str(error)) from error


def _checksum(texts: Mapping[str, str]) -> str:
    return f"{zlib.crc32(json.dumps([texts['format'], texts['key'], texts['clips']]).encode()):08x}"
