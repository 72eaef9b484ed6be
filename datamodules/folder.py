"""Datamodule for your own audio files: a folder with one sub-folder per class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, get_args

from ..audio.remote import RemotePath
from ..errors import DataError, UsageError
from .base import AudioDataModule
from .clip import Clip
from .content import account, refuse_one_folder, remarks
from .layout import Folders, Layout, layout_of
from .loader import LoaderOptions
from .remote import Listing, as_place
from .search import patterns, search
from .suffixes import DECODED


class AudioFolder(AudioDataModule):
    """Folder of audio files with one sub-folder per class, in any mix of formats and sample rates.

    If the root holds `train/` and `test/` (and optionally `val/`), each with one sub-folder per class, these are the
    splits; `fold1/`, `fold2/` and so on are folds. Folders of splits or folds may also be inside each class folder.
    Otherwise, clips are assigned at random, reproducibly for a seed: to splits within each class, or to folds if
    `folds` is given. Symbolic links are followed; hidden files are ignored. A sub-folder that is empty or
    cannot be searched raises an error, unless it is excluded or `on_error` is `skip`.

    Args:
        root: Folder of the data set: a local folder, a zip or tar archive, or a URL such as `s3://bucket/sounds`.
        layout: Meaning of the sub-folders of the root: `auto` infers it from their names, `classes` and `folds` read
            them as classes or folds, whatever their names.
        exclude: Names or glob patterns of folders to leave out, such as `_background_noise_`. A pattern without a slash
            matches a folder name at any depth, a pattern with a slash the whole path below the root.
        folds: Number of stratified folds for cross-validation, instead of a split.
        group_by: Regular expression that matches the name of a recording in the id of a clip (without the folder of its
            split or fold). The name is the first group in parentheses, or else the whole match. Excerpts of one
            recording are never in different splits or folds.
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
        self.root = as_place(root)
        self.layout, self.exclude = layout, patterns(exclude)
        self.folds, self.group_by = folds, group_by

    @property
    def dataset_name(self) -> str:
        """Name of the root folder."""
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
        root: Any = self.root
        if isinstance(root, RemotePath):
            root = Listing(root)
            content = root.found(self.exclude)
        elif root.is_dir():
            content = search(root, self.exclude)
        else:
            found = "a file" if root.exists() else "nothing"
            raise DataError(
                f"no folder at root={str(self.root)!r} (found {found}); "
                "set --data.root to a folder with one sub-folder per class"
            )
        layout = layout_of(root, content.files, self.layout)
        self.notes += [*content.notes, *filter(None, [layout.note])]
        self.notes += account(root, content, layout.n_levels, skip=self.on_error == "skip")
        clips = [_clip(root, file, layout) for file in content.files if len(file.parts) > layout.n_levels]
        if not clips and content.files:  # sufficient for embeddings; `require_classes` raises an error in a fit
            return [Clip(id=id_of(file), label="", path=root / file) for file in content.files]
        if not clips:
            raise DataError(
                f"no class found under root={str(self.root)!r}: {len(content.files)} audio files in no sub-folder and "
                f"{len(content.others)} other files; expected one sub-folder per class, each with audio files "
                f"({' '.join(sorted(DECODED))})"
            )
        self.n_other_files = len(content.others) + len(content.files) - len(clips)
        self.notes += remarks(content, layout)
        _refuse_links_with_two_labels(clips)
        if len({clip.label for clip in clips}) < 2:
            if self.layout != "classes":
                refuse_one_folder(root, content.files, layout)
            return clips  # sufficient for embeddings; `require_classes` raises an error in a fit
        if self.group_by is not None:
            clips, n_alone = grouped(clips, self.group_by, layout.part_level)
            if n_alone:
                self.notes.append(
                    f"{n_alone} of {len(clips)} clips do not match --data.group_by; each of them is a separate group"
                )
        if layout.part_level is not None:
            if self.folds is not None:
                raise DataError(
                    f"root={str(self.root)!r} holds folders of splits or folds, such as "
                    f"{min([*layout.splits, *layout.folds])!r}; leave out --data.folds={self.folds}"
                )
            return clips
        return self.divided(clips, self.folds)


def _clip(root: Path | Listing, file: Path, layout: Layout) -> Clip:
    """Return the clip of a file; its class and its split or fold are read from the folders that contain the file."""
    part = file.parts[layout.part_level] if layout.part_level is not None else ""
    return Clip(
        id=id_of(file),
        label=id_of(Path(file.parts[layout.label_level])),
        path=root / file,
        split=layout.splits.get(part),
        fold=layout.folds.get(part),
    )


def _refuse_links_with_two_labels(clips: Sequence[Clip]) -> None:
    """Raise an error if symbolic links put one file into the folders of two classes.

    Raises:
        DataError: A file has two labels.
    """
    if not any(isinstance(clip.path, Path) and clip.path.is_symlink() for clip in clips):
        return
    first_of: dict[str, Clip] = {}
    for clip in clips:
        first = first_of.setdefault(os.path.realpath(str(clip.path)), clip)
        if first.label != clip.label:
            raise DataError(
                f"{first.id!r} and {clip.id!r} are the same file, with labels {first.label!r} and {clip.label!r}; "
                "expected one label for each clip: remove one of the symbolic links"
            )


def id_of(path: Path) -> str:
    """Return the id of the clip with a relative path; bytes that are not valid UTF-8 are escaped."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def grouped(clips: Sequence[Clip], pattern: str, part_level: int | None = None) -> tuple[list[Clip], int]:
    """Assign clips to groups by a regular expression that is searched in their ids.

    Args:
        clips: Clips to group.
        pattern: Regular expression.
        part_level: Level of the folder of the split or fold in an id, which is ignored; None if there is none.

    Returns:
        The clips with their groups, and the number of clips without a match.

    Raises:
        UsageError: The pattern is not a valid regular expression.
        DataError: The pattern matches no clip.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"group_by={pattern!r} is not a valid regular expression: {error}") from error
    found = [expression.search(_without(clip.id, part_level)) for clip in clips]
    if not any(found):
        raise DataError(f"group_by={pattern!r} matches none of {len(clips)} clip ids, for example {clips[0].id!r}")
    groups = [match and (match.group(1) if expression.groups else match.group()) for match in found]
    return [replace(clip, group=group) for clip, group in zip(clips, groups, strict=True)], groups.count(None)


def _without(clip_id: str, level: int | None) -> str:
    """Return an id without its folder of a level; unchanged if the level is None."""
    return "/".join(name for number, name in enumerate(clip_id.split("/")) if number != level)
