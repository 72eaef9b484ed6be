"""One audio file -> one mono waveform of fixed length."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import soundfile
import soxr

from .errors import AudioError

Waveform = np.ndarray[Any, np.dtype[np.float32]]
FitLength = Literal["repeat", "zero"]

EXTENSIONS = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au"})
"""What counts as audio, in lower case; all are decoded by libsndfile."""

# A resampled sample depends on its neighbours: this many output samples more than needed leave no trace of the cut.
_RESAMPLER_MARGIN = 1024
# Headers written by streaming encoders, which did not know the length, hold one of the largest numbers there.
_UNKNOWN_LENGTH = 0x7FFF_0000
_SHORTER_THAN_PROMISED = re.compile(r"(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)")
_REPLACE = "replace the file, remove it, or skip such files with --data.on_error skip"


class Decoded(NamedTuple):
    """What `load` gives.

    Args:
        waveform: (n_samples,) float32, nominally between -1 and 1.
        seconds: Duration of what was decoded, before it was repeated, padded or cropped, in s.
    """

    waveform: Waveform
    seconds: float


def load(path: str | Path, *, sample_rate: int, n_samples: int, fit_length: FitLength = "repeat") -> Decoded:
    """Decode a file to a mono waveform of fixed rate and length, reading no more of it than is needed.

    Channels are averaged; the rate is converted by soxr (quality HQ); of a longer clip the first part is kept.

    Args:
        path: An audio file that libsndfile decodes.
        sample_rate: Rate of the waveform in Hz.
        n_samples: Length of the waveform in samples.
        fit_length: What to do with a shorter clip, see `fit`.

    Returns:
        The waveform, (n_samples,) float32, and the seconds decoded for it.

    Raises:
        AudioError: The file is missing, a directory, empty, without audio, truncated, not finite or unreadable.
    """
    path = Path(path)
    frames, rate = _decode(path, seconds=(n_samples + _RESAMPLER_MARGIN) / sample_rate)
    # Channel by channel, as NumPy's mean over so short an axis takes longer than decoding and resampling together.
    mono = reduce(np.add, frames.T) / np.float32(frames.shape[1])
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    if len(mono) == 0:
        raise AudioError(
            str(path), f"its {len(frames)} frames at {rate} Hz are not one sample at {sample_rate} Hz", _REPLACE
        )
    seconds = min(len(mono), n_samples) / sample_rate
    return Decoded(fit(mono, n_samples, fit_length), seconds)


class Header(NamedTuple):
    """What a file says of itself.

    Args:
        rate: In Hz.
        n_channels: Number of channels.
        format: Container and coding, as `WAV PCM_16`.
        seconds: Duration in s.
    """

    rate: int
    n_channels: int
    format: str
    seconds: float


def header(path: str | Path) -> Header:
    """Read what a file says of itself, which tells most broken ones without decoding them.

    Raises:
        AudioError: The file is missing, a directory, empty, without audio or unreadable.
    """
    path = Path(path)
    with _opened(path) as file:
        if file.frames == 0:
            raise AudioError(str(path), "holds no audio (0 frames)", _REPLACE)
        coding = f"{file.format} {file.subtype}"
        return Header(int(file.samplerate), int(file.channels), coding, file.frames / file.samplerate)


def fit(waveform: Waveform, n_samples: int, fit_length: FitLength = "repeat") -> Waveform:
    """Crop, repeat or pad a waveform to a length.

    Args:
        waveform: (n,) with n >= 1.
        n_samples: The length wanted.
        fit_length: `repeat` a shorter waveform until it is long enough, or pad it with zeros (`zero`) at the end.

    Returns:
        (n_samples,) float32.

    Example:
        >>> import numpy as np
        >>> fit(np.float32([1, 2, 3]), 5)
        array([1., 2., 3., 1., 2.], dtype=float32)
        >>> fit(np.float32([1, 2, 3]), 5, "zero")
        array([1., 2., 3., 0., 0.], dtype=float32)
    """
    if fit_length == "repeat":
        return np.resize(waveform, n_samples).astype(np.float32, copy=False)
    fitted = np.zeros(n_samples, np.float32)
    fitted[: len(waveform)] = waveform[:n_samples]
    return fitted


def _decode(path: Path, seconds: float) -> tuple[Waveform, int]:
    """The first seconds of a file as (n_frames, n_channels), and its rate."""
    with _opened(path) as file:
        wanted = int(np.ceil(seconds * file.samplerate))
        promised = min(_promised_frames(file, path), wanted)
        frames = file.read(min(wanted, file.frames), dtype="float32", always_2d=True)
        rate = int(file.samplerate)
    if promised == 0:
        raise AudioError(str(path), "holds no audio (0 frames)", _REPLACE)
    # Encoders round lengths: a hundredth less than promised is no damage.
    if len(frames) < 0.99 * promised:
        found = f"{len(frames) / rate:.2f} s of audio where {promised / rate:.2f} s were expected"
        raise AudioError(str(path), f"is truncated: {found}", _REPLACE)
    if not np.isfinite(frames).all():
        raise AudioError(str(path), "holds samples that are not finite (NaN or infinity)", _REPLACE)
    return frames, rate


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """A file that is open for decoding; says what is wrong with it, also while it is being read."""
    try:
        exists = path.exists()
    except PermissionError:
        exists = True  # in a folder that may not be entered
    except OSError as error:
        raise AudioError(str(path), f"cannot be found: {error.strerror}", "correct the path") from error
    if not exists:
        raise AudioError(str(path), "there is no such file", "check the path, and what a symbolic link points to")
    if not os.access(path, os.R_OK):
        raise AudioError(str(path), "may not be read", "change its permissions, or those of its folders")
    if path.is_dir():
        raise AudioError(str(path), "is a directory, not a file", "give the files in it")
    if path.stat().st_size == 0:
        raise AudioError(str(path), "is empty (0 bytes)", _REPLACE)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # bytes: a name need not be valid UTF-8
            yield file
    except (soundfile.SoundFileError, RuntimeError) as error:
        found = (str(error).partition(": ")[2] or str(error)).rstrip(".")
        if "does not exist" in found:  # libsndfile says so of a file in which it finds no frame
            found = "no audio frame found"
        raise AudioError(
            str(path), f"cannot be decoded ({found}): broken, truncated or no audio file", _REPLACE
        ) from error


def _promised_frames(file: soundfile.SoundFile, path: Path) -> int:
    """How many frames the file claims to hold, where libsndfile silently counts those that are there."""
    if sizes := _SHORTER_THAN_PROMISED.search(file.extra_info):
        claimed, found = int(sizes[1]), int(sizes[2])
        if found < claimed < _UNKNOWN_LENGTH:
            return int(file.frames * claimed / max(found, 1)) or 1
    if file.format == "MP3" and not _mp3_tells_its_length(path):
        return 1  # a guess from the size of the file, which tags and changing bit rates mislead
    if file.format == "OGG" and not _ogg_ends(path):
        return int(file.frames) * 2  # its last page is not the end of the stream: how much is missing is unknown
    return int(file.frames)


def _mp3_tells_its_length(path: Path) -> bool:
    """Whether the first frame of an mp3 file counts the others (as Xing, LAME and Fraunhofer encoders write it)."""
    with path.open("rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3":  # its size is four times seven bits (ID3v2, section 3.1)
            file.seek(10 + sum(byte << (7 * place) for place, byte in enumerate(reversed(tag[6:10]))))
        first = file.read(4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def _ogg_ends(path: Path) -> bool:
    """Whether the last Ogg page is marked as the end of its stream (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1 << 17), 2)
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and page + 5 < len(tail) and bool(tail[page + 5] & 4)
