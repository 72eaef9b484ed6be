"""Layout of a folder of audio files: which level of sub-folders names the classes, and which the splits or folds."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import DataError
from .clip import SPLIT_NAMES, Split
from .found import quoted
from .search import exclude_option

Folders = Literal["auto", "classes", "folds"]
"""Meaning of the folders at the root of a data set: inferred from their names, classes, or folds."""

_FOLD = re.compile(r"(?:(?:k|cv)[-_ ]?)?folds?[-_ ]*(\d+)|(?:cv|k|split)[-_ ]*(\d+)", re.IGNORECASE)
_LIKE_A_SPLIT = re.compile(r"(?<![a-z])(train|test|val|dev|eval)(?:ing|id|idation|elopment|uation)?(?![a-z])", re.I)
_CLASSES = "if the folders at the root are classes, give --data.layout classes"


@dataclass(frozen=True)
class Layout:
    """Levels of a folder of audio files.

    Args:
        label_level: Level of the class folders; 0 is the root.
        part_level: Level of the folders of splits or folds; None if there are none.
        splits: Split of each folder at `part_level`, by name.
        folds: Fold of each folder at `part_level`, by name.
        note: Note on how the names were read and how to override it; may be empty.
    """

    label_level: int = 0
    part_level: int | None = None
    splits: Mapping[str, Split] = field(default_factory=dict)
    folds: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def n_levels(self) -> int:
        """Number of levels of folders above the audio files of a class."""
        return 1 if self.part_level is None else 2


def layout_of(root: Path, files: Sequence[Path], folders: Folders = "auto") -> Layout:
    """Infer the layout of a data set from the names of its folders.

    If no folders are named like splits or folds, but those at the root share sub-folders of the same names, either
    level may be the classes, and an error is raised.

    Args:
        root: Folder of the data set, for messages.
        files: Audio files, relative to the root; one of each folder is sufficient.
        folders: Meaning of the folders at the root.

    Raises:
        DataError: The names do not determine the level of the classes, or the train or the test folder is missing.
    """
    if folders == "classes":
        return Layout()
    inner_of: dict[str, set[str]] = {}
    for file in files:
        if len(file.parts) > 1:
            inner_of.setdefault(file.parts[0], set()).update(file.parts[1:-1][:1])
    tops = sorted(inner_of)
    inner = sorted(set().union(*inner_of.values()))
    if folders == "folds":
        _refuse_parts_without_classes(root, inner_of)
        return Layout(1, 0, folds=_numbers(tops))
    if splits := _splits(root, tops):
        _refuse_parts_without_classes(root, inner_of)
        return Layout(1, 0, splits)
    if folds := _folds(root, tops):
        _refuse_parts_without_classes(root, inner_of)
        what = f"{quoted(tops)} are read as folds of the classes below them, {quoted(inner)}"
        return Layout(1, 0, folds=folds, note=f"{what}; {_CLASSES}")
    if all(inner_of.values()) and not any(len(file.parts) == 2 for file in files):
        note = f"{quoted(inner)} are read as {{}} inside each class; if they are not, give --data.layout classes"
        if splits := _splits(root, inner):
            return Layout(0, 1, splits, note=note.format("splits"))
        if folds := _folds(root, inner):
            return Layout(0, 1, folds=folds, note=note.format("folds"))
    repeated = [name for name in inner if sum(name in below for below in inner_of.values()) > len(tops) / 2]
    if len(tops) > 1 and len(repeated) > 1:
        raise DataError(
            f"root={str(root)!r}: the folders {quoted(tops)} hold the same sub-folders, {quoted(repeated)}, so that "
            "either level may be the classes; give --data.layout classes if the folders at the root are classes, "
            "--data.layout folds if they are folds, or rename them to train, val and test if they are splits"
        )
    return Layout()


def _splits(root: Path, names: Sequence[str]) -> dict[str, Split]:
    """Return the split of each folder by name; empty if the names are not those of splits.

    Raises:
        DataError: Several folders are named like splits, but other folders are not, or train or test is missing.
    """
    split_of = {name: SPLIT_NAMES[name.lower()] for name in names if name.lower() in SPLIT_NAMES}
    like = [name for name in names if _LIKE_A_SPLIT.search(name)]
    kinds = {match[1].lower() for name in like if (match := _LIKE_A_SPLIT.search(name))}
    if len(kinds) < 2:
        return {}
    if len(split_of) == len(names) and {"train", "test"} <= set(split_of.values()):
        return split_of
    others = [name for name in names if name not in like]
    odd = [name for name in like if name not in split_of]
    if others:
        found, remedy = f"but also {quoted(others)}", f"leave out the other folders with {exclude_option(others)}"
    elif odd:
        found, remedy = "which are not all train, val or test", f"rename {quoted(odd)}"
    else:
        lacking = "test" if "test" not in split_of.values() else "train"
        found = f"but no {lacking}/"
        remedy = f"add {lacking}/, or set --data.root to one of these folders to split it at random"
    raise DataError(
        f"root={str(root)!r} holds folders named like splits, {quoted(like)}, {found}; {remedy}; {_CLASSES}"
    )


def _folds(root: Path, names: Sequence[str]) -> dict[str, int]:
    """Return the fold of each folder by name; empty if the names are not those of folds.

    Raises:
        DataError: Several folders are named like folds, but other folders are not.
    """
    named = [name for name in names if _FOLD.fullmatch(name)]
    if len(named) < 2:
        return {}
    if others := [name for name in names if name not in named]:
        raise DataError(
            f"root={str(root)!r} holds folders named like folds, {quoted(named)}, but also {quoted(others)}; "
            f"leave out the other folders with {exclude_option(others)}; {_CLASSES}"
        )
    return _numbers(names)


def _numbers(names: Sequence[str]) -> dict[str, int]:
    """Return the number in each name, or the index of each name if the numbers are missing or not unique."""
    found = [match and int(match[1] or match[2]) for match in map(_FOLD.fullmatch, names)]
    is_clear = None not in found and len(set(found)) == len(found)
    return dict(zip(names, found if is_clear else range(len(names)), strict=True))  # type: ignore[arg-type]


def _refuse_parts_without_classes(root: Path, inner_of: Mapping[str, set[str]]) -> None:
    """Raise an error if the audio files of a split or fold are not in class folders."""
    flat = sorted(top for top, inner in inner_of.items() if not inner)
    if not flat:
        return
    labelled = [top for top, inner in inner_of.items() if inner]
    remedies = []
    if len(labelled) == 1:
        remedies += [f"give --data.root {shlex.quote(str(root / labelled[0]))} to split only the labelled files"]
    elif labelled:
        remedies += [f"leave them out with {exclude_option(flat)}"]
    remedies += ["give --data manifest to read labels from a table"]
    remedies += ["give --data urbansound8k for UrbanSound8K"] if _FOLD.fullmatch(flat[0]) else []
    raise DataError(
        f"root={str(root)!r}: the audio files in {quoted(flat)} are not in class folders; {', or '.join(remedies)}; "
        f"{_CLASSES}"
    )
