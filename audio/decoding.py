"""Decoding of one audio file to one mono waveform of fixed length."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import soundfile
import soxr

from ..errors import AudioError
from . import containers
from .fetching import Source, fetched
from .formats import NO_HEADER, foreign, mistaken
from .lengths import Length, length_of
from .remote import RemotePath, is_remote
from .signals import Remark, remarks_on

Waveform = np.ndarray[Any, np.dtype[np.float32]]
FitLength = Literal["repeat", "zero"]

# A resampled sample depends on its neighbours. This many extra output samples make the result equal to a full read.
_RESAMPLER_MARGIN = 1024
_MOST_AT_ONCE = 1 << 24  # samples read in one call: 64 MiB
ABSENT = "the file does not exist"
"""Reason of the error for a path that does not exist."""
_REPLACE = "replace the file, remove it, or skip such files with --data.on_error skip"


class Decoded(NamedTuple):
    """Result of `load`.

    Args:
        waveform: Waveform, (n_samples,) float32, nominally between -1 and 1.
        seconds: Duration of the whole file in s; the waveform may hold only its start.
        remarks: Anomalies found in the file, see `Remark`.
    """

    waveform: Waveform
    seconds: float
    remarks: tuple[Remark, ...] = ()


def load(
    path: str | Path | RemotePath, *, sample_rate: int, n_samples: int, fit_length: FitLength = "repeat"
) -> Decoded:
    """Decode a file to a mono waveform of fixed sample rate and length, reading no more of it than needed.

    Channels are averaged. The sample rate is converted by soxr (quality HQ). A longer clip is truncated.

    Args:
        path: Audio file that libsndfile can decode; it may be remote, also as the text of a URL.
        sample_rate: Sample rate of the waveform in Hz.
        n_samples: Length of the waveform in samples.
        fit_length: Method of extending a shorter clip, see `fit`.

    Returns:
        The waveform, (n_samples,) float32, the duration of the whole file in s, and remarks.

    Raises:
        AudioError: The file is missing, a directory, empty, without audio, truncated or unreadable, or contains samples
            that are not finite.
    """
    path = _as_path(path)
    frames, rate, seconds, remarks = _decode(path, seconds=(n_samples + _RESAMPLER_MARGIN) / sample_rate)
    # Sum channel by channel: NumPy's mean over such a short axis takes longer than decoding and resampling together.
    mono = reduce(np.add, frames.T) / np.float32(frames.shape[1])
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    if len(mono) == 0:
        raise AudioError(
            str(path),
            f"the file is too short: {len(frames)} frames at {rate} Hz, less than one sample at {sample_rate} Hz",
            _REPLACE,
        )
    return Decoded(fit(mono, n_samples, fit_length), seconds, remarks)


class Header(NamedTuple):
    """Properties that a file states in its header.

    Args:
        rate: Sample rate in Hz.
        n_channels: Number of channels.
        format: Container and encoding, such as `WAV PCM_16`.
        seconds: Duration in s; None if it is only known after decoding.
    """

    rate: int
    n_channels: int
    format: str
    seconds: float | None


def header(path: str | Path | RemotePath) -> Header:
    """Read the header of a file, which reveals most unreadable files without decoding them.

    Raises:
        AudioError: The file is missing, a directory, empty, without audio or unreadable.
    """
    path = _as_path(path)
    with _opened(path) as (file, length, _):
        if file.frames == 0:
            raise AudioError(str(path), "the file contains no audio (0 frames)", _REPLACE)
        seconds = None if length.total is None else length.total / file.samplerate
        return Header(int(file.samplerate), int(file.channels), f"{file.format} {file.subtype}", seconds)


def fit(waveform: Waveform, n_samples: int, fit_length: FitLength = "repeat") -> Waveform:
    """Crop, repeat or pad a waveform to a length.

    Args:
        waveform: Waveform, (n,) with n >= 1.
        n_samples: Length to fit, in samples.
        fit_length: Method of extending a shorter waveform: `repeat` it until it is long enough, or pad it with zeros at
            the end (`zero`).

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


def _decode(path: Path | RemotePath, seconds: float) -> tuple[Waveform, int, float, tuple[Remark, ...]]:
    """Return the start of a file as (n_frames, n_channels), its sample rate, whole duration in s, and remarks."""
    with _opened(path, seconds) as (file, length, remarks):
        rate = int(file.samplerate)
        wanted = int(np.ceil(seconds * rate))
        frames = _read(file, min(wanted, int(file.frames)))
        total = length.total if len(frames) == wanted else len(frames)
        if total is None:
            total = wanted + _count_rest(file)
    promised = min(length.promised, wanted)
    if length.problem and len(frames) < wanted:
        raise AudioError(str(path), f"{length.problem} ({len(frames) / rate:.2f} s of audio can be read)", _REPLACE)
    if promised == 0 or len(frames) == 0:
        raise AudioError(str(path), "the file contains no audio (0 frames)", _REPLACE)
    # Encoders round lengths, so a file that is up to 1 % shorter than its header declares is not damaged.
    if len(frames) < 0.99 * promised:
        found = f"{len(frames) / rate:.2f} s of audio where {promised / rate:.2f} s were expected"
        raise AudioError(str(path), f"the file is truncated: {found}", _REPLACE)
    if not np.isfinite(frames).all():
        raise AudioError(str(path), "the file contains samples that are not finite (NaN or infinity)", _REPLACE)
    return frames, rate, total / rate, (*remarks, *remarks_on(frames))


def _read(file: soundfile.SoundFile, wanted: int) -> Waveform:
    """Return the next frames, (n_frames, n_channels).

    Large reads are split into blocks, so that a header that declares too many frames does not exhaust memory.
    """
    if wanted * file.channels <= _MOST_AT_ONCE:
        return cast(Waveform, file.read(wanted, dtype="float32", always_2d=True))
    blocks: list[Waveform] = []
    at_once = max(1, _MOST_AT_ONCE // file.channels)
    while wanted > 0 and (not blocks or len(blocks[-1])):
        blocks.append(file.read(min(wanted, at_once), dtype="float32", always_2d=True))
        wanted -= len(blocks[-1])
    return np.concatenate(blocks)


def _count_rest(file: soundfile.SoundFile) -> int:
    """Return the number of remaining frames of a file by decoding them."""
    n = 0
    block = np.empty((max(1, (1 << 18) // file.channels), file.channels), np.float32)
    while n_read := len(file.read(out=block)):
        n += n_read
    return n


class _Opened(NamedTuple):
    file: soundfile.SoundFile
    length: Length
    remarks: tuple[Remark, ...]


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile ships no types
    """An audio file that is read sequentially, because libsndfile cannot seek in every format."""

    def seekable(self) -> bool:
        return False


@contextmanager
def _opened(path: Path | RemotePath, seconds: float | None = None) -> Iterator[_Opened]:
    """Open a file for decoding, and raise an AudioError for any problem in opening or reading it.

    Args:
        path: Path of the file.
        seconds: Duration that will be read, in s; by default the whole file.
    """
    if isinstance(path, Path):
        _require_file(path)
    with ExitStack() as stack:
        source = path if isinstance(path, Path) else stack.enter_context(fetched(path))
        try:
            file, remarks = _open(source, stack)
            length = length_of(file, source, None if seconds is None else int(np.ceil(seconds * file.samplerate)))
            if length.unlimited is not None:
                file = stack.enter_context(_SoundFile(stack.enter_context(length.unlimited)))
            yield _Opened(file, length, remarks)
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            raise AudioError(str(path), _reason(source, error), _REPLACE) from error


def _as_path(path: str | Path | RemotePath) -> Path | RemotePath:
    if isinstance(path, str):
        return RemotePath(path) if is_remote(path) else Path(path)
    return path


def _require_file(path: Path) -> None:
    """Raise an AudioError if a path is not a readable, non-empty file."""
    try:
        exists = path.exists()
    except PermissionError:
        exists = True  # the folder cannot be entered, so os.access below fails
    except OSError as error:
        raise AudioError(str(path), f"the path cannot be used ({error.strerror})", "correct the path") from error
    if not exists:
        raise AudioError(str(path), ABSENT, "check the path and the target of any symbolic link")
    if not os.access(path, os.R_OK):
        raise AudioError(str(path), "the file is not readable", "change its permissions or those of its folders")
    if path.is_dir():
        raise AudioError(str(path), "the path is a directory, not a file", "give the files in it instead")
    if path.stat().st_size == 0:
        raise AudioError(str(path), "the file is empty (0 bytes)", _REPLACE)


def _open(path: Source, stack: ExitStack) -> tuple[soundfile.SoundFile, tuple[Remark, ...]]:
    """Open a file, with a corrected header if the recording software did not close the file."""
    refused: Exception | None = None
    try:
        # bytes: file names may be invalid UTF-8
        what = os.fsencode(path) if isinstance(path, Path) else stack.enter_context(path.open())
        file = stack.enter_context(_SoundFile(what))
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: the suffix is one of files without a header
        refused = error
    else:
        if reason := mistaken(path, file.format):
            raise AudioError(str(path), reason, _REPLACE)
        if file.frames > 0:
            return file, _remarks_on_counts(path, file)
    samples = containers.find_samples(path)
    if samples is not None and samples.lacking and samples.present:
        found = f"its header declares {samples.counted:,} bytes of audio, but {samples.present:,} are present"
        raise AudioError(str(path), f"the file is truncated: {found}", _REPLACE)
    source = containers.corrected(path, samples) if samples is not None else None
    if samples is not None and source is not None:
        file = stack.enter_context(_SoundFile(stack.enter_context(source)))
        return file, ("unclosed",) if samples.counted == 0 else ()
    if refused is not None:
        raise refused
    return file, ()


def _remarks_on_counts(path: Source, file: soundfile.SoundFile) -> tuple[Remark, ...]:
    """Return a remark if the header of an open file declares fewer samples than the file contains."""
    if file.format == "AIFF":
        return ("unclosed",) if "SSND : 0 (should be" in file.extra_info else ()
    if file.format == "W64":
        samples = containers.find_samples(path)
        return ("unclosed",) if samples is not None and samples.counted == 0 else ()
    ends_early = file.format == "WAV" and "Exiting parser" in file.extra_info
    return ("uncounted",) if ends_early and containers.has_uncounted_samples(path) else ()


def _reason(path: Source, error: Exception) -> str:
    """Return why libsndfile cannot decode a file: the detected format if unsupported, else libsndfile's message."""
    kind = foreign(path)
    if kind is not None:
        return kind.reason
    if isinstance(error, TypeError):
        return NO_HEADER
    found = (str(error).partition(": ")[2] or str(error)).rstrip(".")
    if "does not exist" in found:  # libsndfile's message for a file in which it finds no frame
        found = "no audio frame found"
    return f"the file cannot be decoded ({found}): it is damaged, truncated or not an audio file"
