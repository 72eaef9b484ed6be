"""Your own sounds: a folder with one sub-folder per class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from .. import audio
from ..errors import DataError, UsageError
from ..files import as_path
from .base import AudioDataModule
from .clip import SPLIT_NAMES, Clip
from .loader import LoaderOptions
from .search import audio_files


class AudioFolder(AudioDataModule):
    """Folder of sounds with one sub-folder per class, in any mix of formats and sample rates.

    If the root holds `train/` and `test/` (and optionally `val/`), each with one sub-folder per class, these are the
    splits. Otherwise each class is split by the seed, or all clips are assigned to `folds`. Links are followed; hidden
    files are ignored.

    Args:
        root: Folder of the data set.
        folds: Number of stratified folds for cross-validation, instead of a split.
        group_by: Regular expression that finds the recording of a clip in its id (without the folder of its split): its
            first group in parentheses, or the whole match. Excerpts of one recording are never in different splits or
            folds.
    """

    labelled_by = "each sub-folder of --data.root is a class"

    def __init__(
        self,
        root: str,
        *,
        folds: int | None = None,
        group_by: str | None = None,
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        self.root = as_path(root)
        self.folds, self.group_by = folds, group_by

    @property
    def dataset_name(self) -> str:
        """Name of the folder."""
        return id_of(Path(self.root.resolve().name)) if self.root.resolve().name else "root"

    @property
    def source(self) -> dict[str, Any]:
        """Folder that holds the audio, as plain values."""
        return {"datamodule": "folder", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """Return a clip for every audio file below the class folders.

        Raises:
            DataError: The folder does not exist or holds no class folders, or a class is too small to be split.
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
        if not clips and files:  # enough for embeddings; `require_classes` raises for a fit
            return [Clip(id=id_of(file), label="", path=self.root / file) for file in files]
        if not clips:
            raise DataError(
                f"no class found under root={str(self.root)!r}: {len(files)} audio files in no sub-folder and "
                f"{self.n_other_files} other files; expected one sub-folder a class, each holding audio files "
                f"({' '.join(sorted(audio.EXTENSIONS))})"
            )
        _refuse_links_with_two_labels(clips)
        self.n_other_files += len(files) - len(clips)
        if len({clip.label for clip in clips}) < 2:
            return clips  # `require_classes` raises for fewer than two classes
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
        return self.divided(clips, self.folds)


def _refuse_links_with_two_labels(clips: Sequence[Clip]) -> None:
    """Raise if links place one file in the folders of two classes.

    Raises:
        DataError: A file has two labels.
    """
    if not any(clip.path is not None and clip.path.is_symlink() for clip in clips):
        return
    first_of: dict[str, Clip] = {}
    for clip in clips:
        first = first_of.setdefault(os.path.realpath(clip.path or ""), clip)
        if first.label != clip.label:
            raise DataError(
                f"{first.id!r} and {clip.id!r} are the same file, with labels {first.label!r} and {clip.label!r}; "
                "expected one label for each clip: remove one of the links"
            )


def id_of(path: Path) -> str:
    """Return a relative path as a clip's id; bytes that are not valid UTF-8 are written as escapes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def grouped(clips: Sequence[Clip], pattern: str, depth: int = 0) -> tuple[list[Clip], int]:
    """Return clips with the group that a regular expression finds in their ids, and the number without a match.

    Args:
        clips: Clips to group.
        pattern: Regular expression.
        depth: Number of leading folders of an id to ignore, such as the folder of its split.

    Raises:
        UsageError: The pattern is not a valid regular expression.
        DataError: The pattern matches no clip.
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
