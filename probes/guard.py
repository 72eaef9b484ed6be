"""The guard against scoring a probe on clips that it was fitted to, which are known by their audio.

Copies, renamed files and lossless conversions are recognised. A lossy conversion, another sample rate, another gain or
another excerpt is other audio.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datamodules import Clip
from ..datamodules.classes import classes_learned
from ..datamodules.clip import Stamp
from ..errors import CheckpointError
from ..files import digest
from .recipe import Recipe

if TYPE_CHECKING:
    from ..datamodules import AudioDataModule
    from ..embeddings.store import EmbeddingStore
    from .probe import EmbeddedData

MAX_NAMES = 3  # of clips in a message
_EARLIER_LENGTH = 16  # of fingerprints that an earlier version made of ids and stamps


def fingerprints(store: "EmbeddingStore", datamodule: "AudioDataModule", clips: Sequence[Clip]) -> list[str]:
    """Return a fingerprint of each clip: the digest of its audio, or of its id and stamp if a store holds none.

    Args:
        store: Store of the clips.
        datamodule: Data set of the clips.
        clips: Clips to identify.
    """
    audio_of = {row.id: row.audio for row in store.rows}
    return [audio_of.get(clip.id) or _earlier_fingerprint(datamodule, clip) for clip in clips]


def repeated(data: "EmbeddedData", datamodule: "AudioDataModule") -> dict[str, str]:
    """Return those clips of a test split whose audio a backend is fitted to as well: fingerprints by id.

    Args:
        data: Embeddings that the backend is fitted to, and those of the test split.
        datamodule: Data set of the clips.
    """
    learned = set(fingerprints(data.store, datamodule, data.learned))
    tested = fingerprints(data.store, datamodule, data.tested)
    return {clip.id: each for clip, each in zip(data.tested, tested, strict=True) if each in learned}


def describe_repeated(data: "EmbeddedData", datamodule: "AudioDataModule") -> str:
    """Return a sentence on what `repeated` finds; empty if that is nothing."""
    ids = list(repeated(data, datamodule))
    if not ids:
        return ""
    return (
        f"{datamodule.dataset_name}: {len(ids)} of {len(data.tested)} clips of the test split have the same audio as "
        f"clips that the backend is fitted to ({_names(ids)}), so that the score of this split is too high; "
        "`untrained check data` lists them"
    )


def refuse_learned(path: Path, recipe: Recipe, store: "EmbeddingStore", datamodule: "AudioDataModule") -> None:
    """Raise if a test split holds clips that a probe was fitted to.

    Clips whose audio the test split of the fit repeats are allowed, since `fit` has warned of them.

    Args:
        path: Checkpoint of the probe, for messages.
        recipe: Recipe of the probe.
        store: Store of the clips.
        datamodule: Data set of the clips.

    Raises:
        CheckpointError: The test split holds clips that the probe was fitted to.
    """
    tested = [clip for clip in datamodule.listed if clip.split == "test"]
    learned = set(recipe.fitted_to) - set(recipe.also_tested)
    known = fingerprints(store, datamodule, tested)
    earlier = [_earlier_fingerprint(datamodule, clip) for clip in tested]
    seen = [clip.id for clip, *each in zip(tested, known, earlier, strict=True) if not learned.isdisjoint(each)]
    if seen:
        raise CheckpointError(
            f"{path} was fitted to {len(seen)} of the {len(tested)} clips of this test split, so that the score would "
            f"be of what it has learned ({_names(seen)}); use the --data options of the fit, --data.seed and "
            "--data.folds among them, or clips that it was not fitted to"
        )


def refuse_other_classes(clips: Iterable[Clip], class_names: Sequence[str]) -> None:
    """Raise if there are clips to learn from whose classes a probe was not fitted to.

    A class that stands in other splits alone is none to learn from: its test clips count as wrong.

    Args:
        clips: Clips of the data.
        class_names: Names of the classes that the probe was fitted to.

    Raises:
        CheckpointError: There is such a class.
    """
    strange = sorted(set(classes_learned(list(clips))).difference(class_names))
    if strange:
        raise CheckpointError(
            f"the data has classes that the probe was not fitted to: {', '.join(strange)}; it knows "
            f"{', '.join(class_names)}"
        )


def was_fitted_to(learned: frozenset[str], path: str, audio: str) -> bool:
    """Return whether a probe was fitted to the audio of a file.

    Args:
        learned: Fingerprints of the clips that the probe was fitted to.
        path: Path of the file.
        audio: Digest of its audio.
    """
    if audio in learned:
        return True
    from_earlier_version = any(len(each) == _EARLIER_LENGTH for each in learned)
    return from_earlier_version and not learned.isdisjoint(_earlier_fingerprints_of(path))


def _names(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:MAX_NAMES])) + (", ..." if len(ids) > MAX_NAMES else "")


def _earlier_fingerprint(datamodule: "AudioDataModule", clip: Clip) -> str:
    """Return a digest of a clip's id, and of its file's stamp or its source, which checkpoints held before."""
    return _digest(clip.id, datamodule.stamp(clip) if clip.path else datamodule.source)


def _earlier_fingerprints_of(path: str) -> list[str]:
    """Return the fingerprints that a file may have had: ids are paths below an unknown folder."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return []
    parts = Path(os.path.abspath(path)).parts
    below = (Path(*parts[start:]).as_posix() for start in range(len(parts)))
    ids = (name.encode("utf-8", "backslashreplace").decode() for name in below)  # as `datamodules.folder` makes them
    return [_digest(clip_id, Stamp(status.st_size, status.st_mtime_ns)) for clip_id in ids]


def _digest(clip_id: str, origin: Any) -> str:
    return digest({"id": clip_id, "origin": origin})[:_EARLIER_LENGTH]
