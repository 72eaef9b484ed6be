"""Decoding of one audio file to one mono waveform of fixed length."""

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
"""Suffixes of audio files, in lower case; libsndfile decodes all of them."""

# A resampled sample depends on its neighbours: with this many extra output samples, the cut leaves no trace.
_RESAMPLER_MARGIN = 1024
# Streaming encoders do not know the length and write one of the largest numbers into the header instead.
_UNKNOWN_LENGTH = 0x7FFF_0000
_SHORTER_THAN_PROMISED = re.compile(r"(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)")
ABSENT = "there is no such file"
"""Reason of the error for a path at which nothing is."""
_REPLACE = "replace the file, remove it, or skip such files with --data.on_error skip"


class Decoded(NamedTuple):
    """Result of `load`.

    Args:
        waveform: Waveform, (n_samples,) float32, nominally between -1 and 1.
        seconds: Duration of the whole file, of which the waveform holds the start, in s.
    """

    waveform: Waveform
    seconds: float


def load(path: str | Path, *, sample_rate: int, n_samples: int, fit_length: FitLength = "repeat") -> Decoded:
    """Decode a file to a mono waveform of fixed rate and length, reading no more of it than needed.

    Channels are averaged; soxr converts the sample rate (quality HQ); only the first part of a longer clip is kept.

    Args:
        path: Audio file that libsndfile can decode.
        sample_rate: Sample rate of the waveform in Hz.
        n_samples: Length of the waveform in samples.
        fit_length: How a shorter clip is extended, see `fit`.

    Returns:
        The waveform, (n_samples,) float32, and the duration of the whole file in s.

    Raises:
        AudioError: The file is missing, a directory, empty, without audio, truncated or unreadable, or holds samples
            that are not finite.
    """
    path = Path(path)
    frames, rate, seconds = _decode(path, seconds=(n_samples + _RESAMPLER_MARGIN) / sample_rate)
    # Sum channel by channel: NumPy's mean over so short an axis takes longer than decoding and resampling together.
    mono = reduce(np.add, frames.T) / np.float32(frames.shape[1])
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    if len(mono) == 0:
        raise AudioError(
            str(path), f"its {len(frames)} frames at {rate} Hz are not one sample at {sample_rate} Hz", _REPLACE
        )
    return Decoded(fit(mono, n_samples, fit_length), seconds)


class Header(NamedTuple):
    """Properties that a file states in its header.

    Args:
        rate: Sample rate in Hz.
        n_channels: Number of channels.
        format: Container and coding, such as `WAV PCM_16`.
        seconds: Duration in s.
    """

    rate: int
    n_channels: int
    format: str
    seconds: float


def header(path: str | Path) -> Header:
    """Read the header of a file, which reveals most broken files without decoding them.

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
        waveform: Waveform, (n,) with n >= 1.
        n_samples: Length to fit, in samples.
        fit_length: How a shorter waveform is extended: `repeat` it until it is long enough, or pad it with zeros at the
            end (`zero`).

    Returns:
        Waveform, (n_samples,) float32.

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


def _decode(path: Path, seconds: float) -> tuple[Waveform, int, float]:
    """Return the first seconds of a file as (n_frames, n_channels), its sample rate, and its whole duration in s."""
    with _opened(path) as file:
        wanted = int(np.ceil(seconds * file.samplerate))
        promised = min(_promised_frames(file, path), wanted)
        frames = file.read(min(wanted, file.frames), dtype="float32", always_2d=True)
        rate = int(file.samplerate)
        n_frames = int(file.frames) if len(frames) == wanted else len(frames)
    if promised == 0:
        raise AudioError(str(path), "holds no audio (0 frames)", _REPLACE)
    # Encoders round lengths: a file that is up to 1 % shorter than promised is not damaged.
    if len(frames) < 0.99 * promised:
        found = f"{len(frames) / rate:.2f} s of audio where {promised / rate:.2f} s were expected"
        raise AudioError(str(path), f"is truncated: {found}", _REPLACE)
    if not np.isfinite(frames).all():
        raise AudioError(str(path), "holds samples that are not finite (NaN or infinity)", _REPLACE)
    return frames, rate, n_frames / rate


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a file for decoding; raise an AudioError that states the problem, also for errors while it is read."""
    try:
        exists = path.exists()
    except PermissionError:
        exists = True  # the folder may not be entered
    except OSError as error:
        raise AudioError(str(path), f"cannot be found: {error.strerror}", "correct the path") from error
    if not exists:
        raise AudioError(str(path), ABSENT, "check the path, and what a symbolic link points to")
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
        if "does not exist" in found:  # libsndfile's words for a file in which it finds no frame
            found = "no audio frame found"
        raise AudioError(
            str(path), f"cannot be decoded ({found}): broken, truncated or no audio file", _REPLACE
        ) from error


def _promised_frames(file: soundfile.SoundFile, path: Path) -> int:
    """Return how many frames the file claims to hold; libsndfile silently counts only those that are present."""
    if sizes := _SHORTER_THAN_PROMISED.search(file.extra_info):
        claimed, found = int(sizes[1]), int(sizes[2])
        if found < claimed < _UNKNOWN_LENGTH:
            return int(file.frames * claimed / max(found, 1)) or 1
    if file.format == "MP3" and not _mp3_tells_its_length(path):
        return 1  # libsndfile guesses from the file size, which tags and variable bit rates distort
    if file.format == "OGG" and not _ogg_ends(path):
        return int(file.frames) * 2  # its last page is not the end of the stream; the missing length is unknown
    return int(file.frames)


def _mp3_tells_its_length(path: Path) -> bool:
    """Return whether the first frame of an mp3 file counts the others (as Xing, LAME and Fraunhofer write it)."""
    with path.open("rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3":  # the size of the tag is four times seven bits (ID3v2, section 3.1)
            file.seek(10 + sum(byte << (7 * place) for place, byte in enumerate(reversed(tag[6:10]))))
        first = file.read(4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def _ogg_ends(path: Path) -> bool:
    """Return whether the last Ogg page is marked as the end of its stream (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1 << 17), 2)
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and page + 5 < len(tail) and bool(tail[page + 5] & 4)
