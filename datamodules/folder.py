"""Anybody's own sounds: a folder with one sub-folder a class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import audio
from ..errors import DataError, UsageError
from .base import AudioDataModule, OnError
from .clip import SPLIT_NAMES, Clip
from .splits import fold_by_class, split_by_class


class AudioFolder(AudioDataModule):
    """A folder of sounds with one sub-folder a class, in any mix of formats and sample rates.

    Where the root holds `train/` and `test/` (and perhaps `val/`), each with a sub-folder a class, these are the
    splits; else each class is split by the seed, or all clips are shared by `folds`. Links are followed, hidden files
    ignored.

    Args:
        root: The folder.
        folds: Number of stratified folds for cross-validation, instead of a split.
        group_by: Regular expression that finds in a clip's id (without the folder of its split) what it is an excerpt
            of (its first group in parentheses, or all that it matches): excerpts of one recording are never in
            different splits or folds.
        n_samples: Length of every waveform, in samples at the frontend's rate.
        fit_length: What is done with a shorter clip: `repeat` it, or pad it with zeros (`zero`).
        seed: Of splits and folds.
        on_error: Whether a file that cannot be read ends the run (`raise`) or is listed and left out (`skip`).
        batch_size: Clips at a time.
        num_workers: Processes that decode; 0 decodes in this one.
        sample_rate: In Hz; by default the frontend's.
    """

    def __init__(
        self,
        root: str,
        *,
        folds: int | None = None,
        group_by: str | None = None,
        n_samples: int = 350_000,
        fit_length: audio.FitLength = "repeat",
        seed: int = 0,
        on_error: OnError = "raise",
        batch_size: int = 8,
        num_workers: int = 0,
        sample_rate: int | None = None,
    ) -> None:
        super().__init__(
            n_samples=n_samples,
            fit_length=fit_length,
            seed=seed,
            on_error=on_error,
            batch_size=batch_size,
            num_workers=num_workers,
            sample_rate=sample_rate,
        )
        self.root = Path(root).expanduser()
        self.folds, self.group_by = folds, group_by

    @property
    def dataset_name(self) -> str:
        """Name of the folder."""
        return id_of(Path(self.root.resolve().name)) if self.root.resolve().name else "root"

    @property
    def source(self) -> dict[str, Any]:
        """The folder itself."""
        return {"datamodule": "folder", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """All audio files below the class folders.

        Raises:
            DataError: There is no such folder, it holds no class folders, or a class is too small to be split.
        """
        if not self.root.is_dir():
            found = "a file" if self.root.exists() else "nothing"
            raise DataError(
                f"no folder at root={str(self.root)!r} (found {found}); "
                "point --data.root at a folder with one sub-folder a class"
            )
        files, self.n_other_files = audio_files(self.root)
        tops = {file.parts[0].lower() for file in files if len(file.parts) > 1}
        split_of = {top: SPLIT_NAMES[top] for top in tops if top in SPLIT_NAMES}
        is_split = tops == set(split_of) and {"train", "test"} <= set(split_of.values())
        if len(set(split_of.values())) > 1 and not is_split:
            raise DataError(
                f"root={str(self.root)!r} holds folders named as splits, {', '.join(sorted(split_of))}, but not train/ "
                f"and test/ alone (it holds {', '.join(sorted(tops))}); move away or rename what is neither train/, "
                "val/ nor test/, or give --data.root a folder with one sub-folder a class"
            )
        depth = 1 if is_split else 0
        clips = [
            Clip(
                id=id_of(file),
                label=id_of(Path(file.parts[depth])),
                path=self.root / file,
                split=split_of[file.parts[0].lower()] if is_split else None,
            )
            for file in files
            if len(file.parts) > depth + 1
        ]
        if not clips:
            raise DataError(
                f"no class found under root={str(self.root)!r}: {len(files)} audio files in no sub-folder and "
                f"{self.n_other_files} other files; expected one sub-folder a class, each holding audio files "
                f"({' '.join(sorted(audio.EXTENSIONS))})"
            )
        self.n_other_files += len(files) - len(clips)
        if len({clip.label for clip in clips}) < 2:
            return clips  # which is refused wherever clips come from
        if self.group_by is not None:
            clips, n_alone = grouped(clips, self.group_by, depth)
            if n_alone:
                self.notes.append(f"{n_alone} of {len(clips)} clips do not match --data.group_by: each is on its own")
        if is_split:
            if self.folds is not None:
                raise DataError(
                    f"root={str(self.root)!r} holds train/ and test/ folders; leave out --data.folds={self.folds}"
                )
            return clips
        return split_by_class(clips, self.seed) if self.folds is None else fold_by_class(clips, self.folds, self.seed)


def id_of(path: Path) -> str:
    """A relative path as a clip's id; bytes of its name that are no UTF-8 are written as escapes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def grouped(clips: Sequence[Clip], pattern: str, depth: int = 0) -> tuple[list[Clip], int]:
    """Clips with the group that a regular expression finds in their ids, and how many it does not match.

    Args:
        clips: The clips.
        pattern: The regular expression.
        depth: How many leading folders of an id say nothing of the recording, as that of its split.

    Raises:
        UsageError: The pattern is no regular expression.
        DataError: It matches no clip.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"group_by={pattern!r} is no regular expression: {error}") from error
    found = [expression.search("/".join(clip.id.split("/")[depth:])) for clip in clips]
    if not any(found):
        raise DataError(f"group_by={pattern!r} matches none of {len(clips)} clip ids, as {clips[0].id!r}")
    groups = [match and (match.group(1) if expression.groups else match.group()) for match in found]
    return [replace(clip, group=group) for clip, group in zip(clips, groups, strict=True)], groups.count(None)


def audio_files(root: Path) -> tuple[list[Path], int]:
    """Audio files below a folder, relative to it, and how many other files there are.

    Links are followed, each real folder once, so that a loop of links ends; what starts with a dot is ignored.

    Args:
        root: The folder.

    Returns:
        Sorted paths relative to `root`, and the number of files that are no audio.
    """
    found: list[Path] = []
    n_other, seen = 0, set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in audio.EXTENSIONS:
                found.append(Path(folder, name).relative_to(root))
            else:
                n_other += 1
    return sorted(found), n_other
