"""Checks of the clips and waveforms that a datamodule returns, so that errors in a plug-in name the plug-in."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio import Decoded
from ..errors import AudioError, DataError, PluginError, UntrainedError
from .clip import Clip
from .listing import Clips

if TYPE_CHECKING:
    from .base import AudioDataModule


def listed_by(datamodule: "AudioDataModule") -> Clips:
    """Return the clips of a datamodule, sorted by id, after checking them.

    Raises:
        DataError: Several clips have the same id.
        PluginError: `clips` raises an unexpected error, or returns something other than clips.
    """
    name = type(datamodule).__name__
    try:
        given = datamodule.clips()
        clips = given if isinstance(given, Clips) else list(given)
    except (UntrainedError, OSError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise PluginError(f"datamodule {name}: clips() raises {type(error).__name__}: {error}") from error
    listed = clips if isinstance(clips, Clips) else _as_columns(clips, name)
    if listed.has_repeated_ids:
        clip_id, n = next(item for item in Counter(listed.each_id()).items() if item[1] > 1)
        given_labels = sorted({clip.label for clip in listed.where(listed.among([clip_id]))})
        with_labels = f" with labels {', '.join(map(repr, given_labels))}" if len(given_labels) > 1 else ""
        remedy = "expected one label for each clip" if with_labels else "expected unique ids"
        raise DataError(f"{datamodule.dataset_name}: clip id {clip_id!r} occurs {n} times{with_labels}; {remedy}")
    return listed.ordered()


def _as_columns(clips: Sequence[Any], name: str) -> Clips:
    """Return the clips of a plug-in as columns.

    Raises:
        PluginError: A clip is none, or a property of it has the wrong type.
    """
    for clip in clips:
        if not isinstance(clip, Clip):
            raise PluginError(f"datamodule {name}: clips() returns {type(clip).__name__} {clip!r}; expected a Clip")
        for field in ("id", "label"):
            _require(name, clip, field, isinstance(getattr(clip, field), str), "str")
        for field in ("split", "fold", "group"):
            _require(name, clip, field, isinstance(getattr(clip, field), Hashable), "a text, a number or None")
    try:
        return Clips.of(clips)
    except UnicodeEncodeError as error:
        raise PluginError(
            f"datamodule {name}: clip id {error.object!r} is not valid Unicode text; escape such characters"
        ) from error


def _require(name: str, clip: Clip, field: str, is_right: bool, expected: str) -> None:
    if not is_right:
        value = getattr(clip, field)
        raise PluginError(
            f"datamodule {name}: {field}={value!r} of clip {clip.id!r} is of type {type(value).__name__}; expected "
            f"{expected}"
        )


def read_by(
    name: str, read: Callable[[Clip, int], Any], clip: Clip, sample_rate: int, n_samples: int | None
) -> Decoded | AudioError | PluginError:
    """Read a clip and check its waveform; return errors instead of raising them, so that the rest of a batch is kept.

    Args:
        name: Name of the datamodule's class.
        read: Function that reads a clip.
        clip: Clip to read.
        sample_rate: Sample rate of the waveform in Hz.
        n_samples: Expected length of the waveform in samples; None if it is unknown.
    """
    who = f"datamodule {name}: read() of clip {clip.id!r}"
    try:
        found = read(clip, sample_rate)
    except AudioError as error:
        return error
    except Exception as error:  # a plug-in may raise anything
        return PluginError(f"{who} raises {type(error).__name__}: {error}")
    if not isinstance(found, Decoded):
        return PluginError(f"{who} returns {_kind(found)}; expected Decoded(waveform, seconds)")
    waveform = found.waveform
    length = "(n_samples,)" if n_samples is None else f"({n_samples},)"
    right = isinstance(waveform, np.ndarray) and waveform.dtype == np.float32 and waveform.ndim == 1
    if not right or not len(waveform) or (n_samples is not None and len(waveform) != n_samples):
        return PluginError(f"{who} returns a waveform of {_kind(waveform)}; expected float32 of shape {length}")
    if not np.isfinite(waveform).all():
        remedy = "correct read() of the datamodule, or skip such clips with --data.on_error skip"
        return AudioError(clip.id, f"read() of datamodule {name} returns samples that are NaN or infinite", remedy)
    is_number = isinstance(found.seconds, int | float) and not isinstance(found.seconds, bool)
    if not is_number or not 0 <= found.seconds < math.inf:
        return PluginError(f"{who} returns seconds={found.seconds!r}; expected the duration of the clip in s")
    return found


def _kind(value: object) -> str:
    """Return the type and shape of a value, for messages."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return type(value).__name__ if shape is None else f"{dtype} of shape {tuple(shape)}"
