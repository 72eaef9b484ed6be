"""Guard against scoring a probe on clips that it was fitted to, which are recognised by their audio.

The fingerprint of a clip is the digest of its audio. Copies, renamed files and lossless conversions are recognised.
Audio with lossy compression, another sample rate, another gain or another excerpt counts as different audio.
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
    from .embedded import EmbeddedData

MAX_NAMES = 3  # number of clips that a message names
_EARLIER_LENGTH = 16  # length of the fingerprints of an earlier version, which were digests of ids and stamps


def fingerprints(store: "EmbeddingStore", datamodule: "AudioDataModule", clips: Sequence[Clip]) -> list[str]:
    """Return a fingerprint of each clip: a digest of the audio, or of the id and stamp if the store has no digest.

    Args:
        store: Store of the clips.
        datamodule: Data set of the clips.
        clips: Clips to identify.
    """
    known = store.audio_of([clip.id for clip in clips])
    return [audio or _earlier_fingerprint(datamodule, clip) for audio, clip in zip(known, clips, strict=True)]


def repeated(data: "EmbeddedData", datamodule: "AudioDataModule") -> dict[str, str]:
    """Return the test clips with the same audio as a clip that a backend is fitted to, as fingerprints by id.

    Args:
        data: Embeddings of the data set, with the clips that the backend is fitted to and the test clips.
        datamodule: Data set of the clips.
    """
    learned = set(fingerprints(data.store, datamodule, data.learned))
    tested = fingerprints(data.store, datamodule, data.tested)
    return {clip.id: each for clip, each in zip(data.tested, tested, strict=True) if each in learned}


def describe_repeated(data: "EmbeddedData", datamodule: "AudioDataModule") -> str:
    """Return a sentence about the test clips that `repeated` finds; empty if there are none.

    Args:
        data: Embeddings of the data set, with the clips that the backend is fitted to and the test clips.
        datamodule: Data set of the clips.
    """
    ids = list(repeated(data, datamodule))
    if not ids:
        return ""
    return (
        f"{datamodule.dataset_name}: {len(ids)} of {len(data.tested)} clips of the test split have the same audio as "
        f"clips that the backend is fitted to ({_names(ids)}), so the score of this split is too high; "
        "`untrained check data` lists them"
    )


def refuse_learned(path: Path, recipe: Recipe, store: "EmbeddingStore", datamodule: "AudioDataModule") -> None:
    """Raise if a test split holds clips that a probe was fitted to.

    Clips whose audio also occurs in the test split of the fit are allowed, because `fit` has warned about them.

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
            f"{path} was fitted to {len(seen)} of the {len(tested)} clips of this test split ({_names(seen)}), so the "
            "score would be too high; use the same --data options as for the fit, including --data.seed and "
            "--data.folds, or clips that the probe was not fitted to"
        )


def refuse_other_classes(clips: Iterable[Clip], class_names: Sequence[str]) -> None:
    """Raise if clips outside the validation and test splits have classes that a probe was not fitted to.

    A class that occurs only in the validation and test splits is allowed; its test clips count as wrong.

    Args:
        clips: Clips of the data.
        class_names: Names of the classes that the probe was fitted to.

    Raises:
        CheckpointError: The clips have a class that the probe was not fitted to.
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
        audio: Digest of the audio of the file.
    """
    if audio in learned:
        return True
    from_earlier_version = any(len(each) == _EARLIER_LENGTH for each in learned)
    return from_earlier_version and not learned.isdisjoint(_earlier_fingerprints_of(path))


def _names(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:MAX_NAMES])) + (", ..." if len(ids) > MAX_NAMES else "")


def _earlier_fingerprint(datamodule: "AudioDataModule", clip: Clip) -> str:
    """Return the fingerprint of an earlier version: a digest of the clip's id and of its stamp or source."""
    return _digest(clip.id, datamodule.stamp(clip) if clip.path else datamodule.source)


def _earlier_fingerprints_of(path: str) -> list[str]:
    """Return all fingerprints that an earlier version may have given a file, since the root of its id is unknown."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return []
    parts = Path(os.path.abspath(path)).parts
    below = (Path(*parts[start:]).as_posix() for start in range(len(parts)))
    ids = (name.encode("utf-8", "backslashreplace").decode() for name in below)  # as in `datamodules.folder`
    return [_digest(clip_id, Stamp(status.st_size, status.st_mtime_ns)) for clip_id in ids]


def _digest(clip_id: str, origin: Any) -> str:
    return digest({"id": clip_id, "origin": origin})[:_EARLIER_LENGTH]
