"""Datamodule for your own audio files: a folder with one sub-folder per class."""

import functools
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..audio.remote import RemotePath
from ..errors import DataError, UsageError
from .base import AudioDataModule
from .clip import Clip
from .codes import Codes
from .content import account, refuse_one_folder, remarks
from .found import Found, texts
from .layout import Folders, Layout, layout_of
from .listing import Clips, release_memory
from .options import LoaderOptions
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

    def clips(self) -> Sequence[Clip]:
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
        examples = content.examples
        layout = layout_of(root, examples, self.layout)
        self.notes += [*content.notes, *filter(None, [layout.note])]
        self.notes += account(root, content, layout.n_levels, skip=self.on_error == "skip")
        clips = clips_in(content, root, layout)
        if not len(clips) and content.names:  # sufficient for embeddings; `require_classes` raises an error in a fit
            return clips_in(content, root, None)
        if not len(clips):
            raise DataError(
                f"no class found under root={str(self.root)!r}: 0 audio files in no sub-folder and "
                f"{content.n_others} other files; expected one sub-folder per class, each with audio files "
                f"({' '.join(sorted(DECODED))})"
            )
        self.n_other_files = content.n_others + content.n_files - len(clips)
        self.notes += remarks(content, layout)
        _refuse_links_with_two_labels(clips, content.links)
        content.names.clear()  # the clips hold the names of files now, which may be millions
        release_memory()
        if len(clips.labels.counts()) < 2:
            if self.layout != "classes":
                refuse_one_folder(root, examples, layout)
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


def clips_in(found: Found, root: Any, layout: Layout | None) -> Clips:
    """Return the clips of the audio files below class folders, sorted by id.

    The class and the split or fold of a clip are read from the folders that contain its file.

    Args:
        found: Content of the root.
        root: Folder of the data set, or anything that `root / path` gives a path for.
        layout: Levels of the folders; None for the clips of all files, without labels, splits and folds.
    """
    n_levels = 0 if layout is None else layout.n_levels
    chunks: list[pa.Array] = []
    paths: dict[int, Any] = {}
    start = 0
    parts_of: list[tuple[str, ...]] = []
    for folder, names in found.names.items():
        parts = tuple(folder.split("/")) if folder else ()
        if len(parts) < n_levels:
            continue
        if _is_text(folder) and not isinstance(names, list):
            chunks.append(_below(folder, names))
        else:  # the id differs from the path
            files = [Path(folder, name) for name in texts(names)]
            chunks.append(pa.array(map(id_of, files), pa.large_string()))
            paths.update((start + n, root / file) for n, file in enumerate(files))
        parts_of.append(parts)
        start += len(names)
    sizes = [len(chunk) for chunk in chunks]

    def coded(value_of: Callable[[tuple[str, ...]], Any]) -> Codes:
        of_folder = Codes.of(map(value_of, parts_of))
        return Codes(np.repeat(of_folder.codes, sizes), of_folder.values)

    def part_of(parts: tuple[str, ...]) -> str:
        return parts[layout.part_level] if layout is not None and layout.part_level is not None else ""

    return Clips(
        pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string()),
        coded(lambda parts: "" if layout is None else id_of(Path(parts[layout.label_level]))),
        coded(lambda parts: layout and layout.splits.get(part_of(parts))),
        coded(lambda parts: layout and layout.folds.get(part_of(parts))),
        Codes.same(None, start),
        root=root,
        paths=paths,
    ).ordered()


def _refuse_links_with_two_labels(clips: Clips, links: Collection[str]) -> None:
    """Raise an error if symbolic links put one file into the folders of two classes.

    Args:
        clips: Clips of all files.
        links: Files that are symbolic links.

    Raises:
        DataError: A file has two labels.
    """
    linked = {id_of(Path(link)) for link in links}
    followed = clips.where(clips.among(list(linked)))
    if not len(followed):
        return
    targets = {os.path.realpath(str(clip.path)) for clip in followed}
    real_folder = functools.cache(os.path.realpath)
    first_of: dict[str, Clip] = {}
    for clip in clips:
        folder, name = os.path.split(str(clip.path))
        real = os.path.realpath(str(clip.path)) if clip.id in linked else os.path.join(real_folder(folder), name)
        first = first_of.setdefault(real, clip) if real in targets else clip
        if first.label != clip.label:
            raise DataError(
                f"{first.id!r} and {clip.id!r} are the same file, with labels {first.label!r} and {clip.label!r}; "
                "expected one label for each clip: remove one of the symbolic links"
            )


def _below(folder: str, names: pa.Array) -> pa.Array:
    """Return the paths of files, given their names, with the folder that holds them before each."""
    text = pa.large_string()
    return pc.binary_join_element_wise(pa.scalar(folder, text), names, pa.scalar("/", text)) if folder else names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def id_of(path: Path) -> str:
    """Return the id of the clip with a relative path; bytes that are not valid UTF-8 are escaped."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def grouped(clips: Clips, pattern: str, part_level: int | None = None) -> tuple[Clips, int]:
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
    number = 1 if expression.groups else 0
    found = (expression.search(_without(clip_id, part_level)) for clip_id in clips.each_id())
    # A group in parentheses that takes no part in a match is None, as if nothing matched.
    groups = Codes.of(match and match.group(number) for match in found)
    n_alone = groups.counts().get(None, 0)
    if n_alone == len(clips) and not any(expression.search(_without(each, part_level)) for each in clips.each_id()):
        raise DataError(f"group_by={pattern!r} matches none of {len(clips)} clip ids, for example {clips[0].id!r}")
    return replace(clips, groups=groups), n_alone


def _without(clip_id: str, level: int | None) -> str:
    """Return an id without its folder of a level; unchanged if the level is None."""
    if level is None:
        return clip_id
    return "/".join(name for number, name in enumerate(clip_id.split("/")) if number != level)
