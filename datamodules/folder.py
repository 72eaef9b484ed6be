"""Your own sounds: a folder with one sub-folder per class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, get_args

from ..errors import DataError, UsageError
from ..files import as_path
from .base import AudioDataModule
from .clip import Clip
from .content import account, refuse_one_folder, remarks
from .layout import Folders, Layout, layout_of
from .loader import LoaderOptions
from .search import patterns, search
from .suffixes import DECODED


class AudioFolder(AudioDataModule):
    """Folder of sounds with one sub-folder per class, in any mix of formats and sample rates.

    If the root holds `train/` and `test/` (and optionally `val/`), each with one sub-folder per class, these are the
    splits; `fold1/`, `fold2/` and so on are folds. Both may also stand below each class. Otherwise each class is split
    by the seed, or all clips are assigned to `folds`. Links are followed; hidden files are ignored. A sub-folder that
    is empty or cannot be searched is an error, unless it is excluded or `on_error` is `skip`.

    Args:
        root: Folder of the data set.
        layout: What the sub-folders of the root are: `auto` goes by their names, `classes` takes them for classes and
            `folds` for folds, whatever their names.
        exclude: Names or glob patterns of folders to leave out, such as `_background_noise_`. A pattern without a slash
            matches at any depth, one with a slash the whole path below the root.
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
        layout: Folders = "auto",
        exclude: list[str] | str | None = None,
        folds: int | None = None,
        group_by: str | None = None,
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        if layout not in get_args(Folders):
            raise UsageError(f"layout={layout!r}; expected {', '.join(get_args(Folders))}")
        self.root = as_path(root)
        self.layout, self.exclude = layout, patterns(exclude)
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
        content = search(self.root, self.exclude)
        layout = layout_of(self.root, content.files, self.layout)
        self.notes += [*content.notes, *filter(None, [layout.note])]
        self.notes += account(self.root, content, layout.n_levels, skip=self.on_error == "skip")
        clips = [_clip(self.root, file, layout) for file in content.files if len(file.parts) > layout.n_levels]
        if not clips and content.files:  # enough for embeddings; `require_classes` raises for a fit
            return [Clip(id=id_of(file), label="", path=self.root / file) for file in content.files]
        if not clips:
            raise DataError(
                f"no class found under root={str(self.root)!r}: {len(content.files)} audio files in no sub-folder and "
                f"{len(content.others)} other files; expected one sub-folder a class, each holding audio files "
                f"({' '.join(sorted(DECODED))})"
            )
        self.n_other_files = len(content.others) + len(content.files) - len(clips)
        self.notes += remarks(content, layout)
        _refuse_links_with_two_labels(clips)
        if len({clip.label for clip in clips}) < 2:
            if self.layout != "classes":
                refuse_one_folder(self.root, content.files, layout)
            return clips  # `require_classes` raises for fewer than two classes
        if self.group_by is not None:
            clips, n_alone = grouped(clips, self.group_by, layout.part_level)
            if n_alone:
                self.notes.append(f"{n_alone} of {len(clips)} clips do not match --data.group_by: each is on its own")
        if layout.part_level is not None:
            if self.folds is not None:
                raise DataError(
                    f"root={str(self.root)!r} holds folders of splits or folds, such as "
                    f"{min([*layout.splits, *layout.folds])!r}; leave out --data.folds={self.folds}"
                )
            return clips
        return self.divided(clips, self.folds)


def _clip(root: Path, file: Path, layout: Layout) -> Clip:
    """Return the clip of a file, which lies in the folders of its class and of its split or fold."""
    part = file.parts[layout.part_level] if layout.part_level is not None else ""
    return Clip(
        id=id_of(file),
        label=id_of(Path(file.parts[layout.label_level])),
        path=root / file,
        split=layout.splits.get(part),
        fold=layout.folds.get(part),
    )


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


def grouped(clips: Sequence[Clip], pattern: str, part_level: int | None = None) -> tuple[list[Clip], int]:
    """Return clips with the group that a regular expression finds in their ids, and the number without a match.

    Args:
        clips: Clips to group.
        pattern: Regular expression.
        part_level: Level of the folder in an id that is its split or fold, which is ignored; None if there is none.

    Raises:
        UsageError: The pattern is not a valid regular expression.
        DataError: The pattern matches no clip.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"group_by={pattern!r} is no regular expression: {error}") from error
    found = [expression.search(_without(clip.id, part_level)) for clip in clips]
    if not any(found):
        raise DataError(f"group_by={pattern!r} matches none of {len(clips)} clip ids, as {clips[0].id!r}")
    groups = [match and (match.group(1) if expression.groups else match.group()) for match in found]
    return [replace(clip, group=group) for clip, group in zip(clips, groups, strict=True)], groups.count(None)


def _without(clip_id: str, level: int | None) -> str:
    """Return an id without one of its folders."""
    return "/".join(name for number, name in enumerate(clip_id.split("/")) if number != level)
