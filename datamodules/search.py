"""Search of folders for audio files, which records every folder and why it was left out."""

import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

from ..errors import DataError, UsageError
from .suffixes import DECODED, SOUNDS

SYSTEM = frozenset({"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"})
"""Folders that operating systems and archivers add to data; they are ignored."""
MAX_SHOWN = 10  # maximum number of paths in a message
_CLASS_LEVELS = 2  # class folders are at the root or one level below it
_OF_VERSIONS = frozenset({".git", ".hg", ".svn"})  # version control, which may hold copies of the audio files


@dataclass(frozen=True)
class Found:
    """Content of a folder, with paths relative to it.

    Args:
        files: Files with the suffix of an audio format, including formats that are not decoded; sorted.
        others: Other files; sorted.
        folders: Folders at any depth, including those that could not be searched; sorted.
        problems: Reason why each folder could not be searched, by path.
        same: Symbolic links to a folder already found under another path; maps each link to that path.
        loops: Symbolic links to a folder that contains the link.
        hidden: Hidden folders with audio files, at the levels of class folders.
    """

    files: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    problems: dict[Path, str] = field(default_factory=dict)
    same: dict[Path, Path] = field(default_factory=dict)
    loops: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """Notes on folders that were left out."""
        texts = {
            "hidden folders with audio files": self.hidden,
            "symbolic links to a folder that contains them": self.loops,
        }
        return [f"{what} are left out: {quoted(paths)}" for what, paths in texts.items() if paths]


def search(root: Path, exclude: Sequence[str] | None = None) -> Found:
    """Search a folder for audio files.

    Symbolic links are followed. Each folder is searched once, so cyclic symbolic links are safe. Hidden files and
    folders are ignored. A file in a format that is not decoded counts as another file if a decoded file of the same
    name is in the same folder.

    Args:
        root: Folder to search.
        exclude: Folders to leave out, see `is_excluded`.

    Raises:
        DataError: An entry of `exclude` matches no folder.
    """
    found, exclude = Found(), exclude or []
    first_of: dict[str, Path] = {}
    left_out: list[Path] = []

    def keeps(path: Path) -> bool:
        if is_excluded(path, exclude):
            left_out.append(path)
        return not is_excluded(path, exclude)

    def note_error(error: OSError) -> None:
        found.problems[Path(os.path.relpath(error.filename, root))] = f"cannot be searched ({error.strerror})"

    for folder, subfolders, names in os.walk(root, onerror=note_error, followlinks=True):
        here, real = Path(folder).relative_to(root), os.path.realpath(folder)
        first = first_of.setdefault(real, here)
        if first != here or _lies_in(os.path.realpath(root), real, here):
            is_loop = here.parts[: len(first.parts)] == first.parts
            found.loops.append(here) if is_loop else found.same.update({here: first})
            subfolders.clear()
            continue
        if len(here.parts) < _CLASS_LEVELS:
            found.hidden.extend(here / name for name in sorted(subfolders) if _hides_sounds(os.path.join(folder, name)))
        subfolders[:] = [n for n in sorted(subfolders) if n[0] != "." and n not in SYSTEM and keeps(here / n)]
        found.folders.extend(here / name for name in subfolders)
        decoded = {Path(name).stem for name in names if Path(name).suffix.lower() in DECODED}
        for path in (here / name for name in names if name[0] != "."):
            suffix = path.suffix.lower()
            if suffix in DECODED or (suffix in SOUNDS and path.stem not in decoded):
                found.files.append(path)
            elif not _is_lost_folder(root / path):
                found.others.append(path)
            elif keeps(path):
                found.folders.append(path)
                found.problems[path] = f"is a symbolic link to {os.readlink(root / path)!r}, which does not exist"
    for paths in (found.files, found.others, found.folders):
        paths.sort()
    _refuse_unused(root, exclude, left_out, found)
    return found


def is_excluded(path: Path, patterns: Iterable[str]) -> bool:
    """Return whether a pattern matches a folder.

    Args:
        path: Folder, relative to the root.
        patterns: Names or glob patterns. A pattern without a slash matches a folder name at any depth, a pattern with a
            slash (`./name`, `*/name`) the whole path from the root.

    Example:
        >>> is_excluded(Path("train/_noise_"), ["_*_"]), is_excluded(Path("train/low"), ["test/low"])
        (True, False)
    """
    plain = [pattern.rstrip("/") for pattern in patterns]
    return any(
        fnmatchcase(path.as_posix(), pattern.removeprefix("./")) if "/" in pattern else fnmatchcase(path.name, pattern)
        for pattern in plain
    )


def patterns(exclude: Sequence[str] | str | None) -> list[str] | None:
    """Return the argument `exclude` of a datamodule as a list; None if it is empty.

    Raises:
        UsageError: An entry is empty.
    """
    found = [exclude] if isinstance(exclude, str) else list(exclude or ())
    if not all(pattern.strip("./") for pattern in found):
        raise UsageError(f"exclude={found!r}; expected names or patterns of folders below the root")
    return found or None


def exclude_option(paths: Iterable[Path | str]) -> str:
    """Return the command-line option that leaves out folders, quoted for a shell.

    Example:
        >>> print(exclude_option([Path("low"), Path("test/[mid]")]))
        --data.exclude '["low", "test/[[]mid]"]'
    """
    return f"--data.exclude {shlex.quote(json.dumps([escape(str(path)) for path in paths], ensure_ascii=False))}"


def quoted(paths: Sequence[Path | str]) -> str:
    """Return paths or names in quotes, at most ten of them."""
    more = f" and {len(paths) - MAX_SHOWN} more" if len(paths) > MAX_SHOWN else ""
    return ", ".join(repr(str(path)) for path in paths[:MAX_SHOWN]) + more


def may_exist(path: Path) -> bool:
    """Return whether a file exists, or is in a folder that cannot be searched."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _lies_in(root: str, real: str, here: Path) -> bool:
    """Return whether a symbolic link below the root leads to the root or to a folder that contains it."""
    return bool(here.parts) and os.path.join(root, "").startswith(os.path.join(real, ""))


def _hides_sounds(folder: str) -> bool:
    name = os.path.basename(folder)
    if name[0] != "." or name in _OF_VERSIONS:
        return False
    return any(Path(name).suffix.lower() in SOUNDS for _, _, names in os.walk(folder) for name in names)


def _is_lost_folder(path: Path) -> bool:
    """Return whether a path is a dangling symbolic link whose name may be that of a folder."""
    return not re.fullmatch(r"\.[A-Za-z]\w{0,4}", path.suffix) and path.is_symlink() and not os.path.exists(path)


def _refuse_unused(root: object, exclude: Sequence[str], left_out: Sequence[Path], found: Found) -> None:
    """Raise an error if a pattern matches no folder, which is probably a typing error."""
    unused = [pattern for pattern in exclude if not any(is_excluded(path, [pattern]) for path in left_out)]
    if unused:
        there = sorted({path for path in [*found.folders, *left_out] if len(path.parts) == 1})
        raise DataError(
            f"exclude={unused!r} matches no folder below {str(root)!r}; it holds {quoted(there) or 'no folders'}"
        )
