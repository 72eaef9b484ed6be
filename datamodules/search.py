"""Search of folders for audio files, which records every folder and why it was left out."""

import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import NamedTuple

from .. import terminal
from ..errors import DataError, UsageError
from .clip import Stamp
from .found import Found, quoted, suffix_of
from .stamps import Stamps
from .suffixes import SOUNDS

SYSTEM = frozenset({"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"})
"""Folders that operating systems and archivers add to data; they are ignored."""
_CLASS_LEVELS = 2  # class folders are at the root or one level below it
_OF_VERSIONS = frozenset({".git", ".hg", ".svn"})  # version control, which may hold copies of the audio files
_STEP = 1000  # number of files after which progress is shown


class Entry(NamedTuple):
    """File in a listing of a whole data set, such as that of a file system on another machine.

    Args:
        path: Path relative to the root, with `/`.
        size: Size in bytes.
        mtime_ns: Modification time in ns.
    """

    path: str
    size: int
    mtime_ns: int


def found_in(entries: Iterable[Entry], root: str, exclude: Sequence[str] | None = None) -> Found:
    """Return the content of a data set whose files are listed elsewhere, by the rules of `search`.

    Args:
        entries: Files, in any order. Folders follow from their paths.
        root: Name of the root, for messages.
        exclude: Folders to leave out, see `is_excluded`.

    Returns:
        The content, with the stamps of all files in folders that are not left out.

    Raises:
        DataError: An entry of `exclude` matches no folder.
    """
    of_folder: dict[str, list[Entry]] = {}
    for entry in entries:
        of_folder.setdefault(entry.path.rpartition("/")[0], []).append(entry)
    found, exclude, left_out = Found(), exclude or [], set[Path]()
    folders, hidden = set[Path](), set[Path]()
    stamps: list[tuple[str, Stamp]] = []
    for folder, inside in sorted(of_folder.items()):
        visible = [entry for entry in inside if entry.path[len(folder) :].lstrip("/")[:1] not in ("", ".")]
        here = Path(folder)
        above = [path for path in reversed([here, *here.parents]) if path.parts]
        odd = next((path for path in above if path.name[0] == "." or path.name in SYSTEM), None)
        out = next((path for path in above if is_excluded(path, exclude)), None)
        if out is not None and (odd is None or out in odd.parents):
            left_out.add(out)
        elif odd is not None:
            if len(odd.parts) <= _CLASS_LEVELS and odd.name[0] == "." and odd.name not in _OF_VERSIONS:
                hidden.update([odd] if any(suffix_of(each.path).lower() in SOUNDS for each in visible) else [])
        else:
            folders.update(above)
            found.add(folder, (entry.path.rpartition("/")[2] for entry in visible))
            names = (entry.path.encode("utf-8", "backslashreplace").decode() for entry in visible)
            stamps += [(name, Stamp(each.size, each.mtime_ns)) for name, each in zip(names, visible, strict=True)]
    found.folders.extend(sorted(folders))
    found.hidden.extend(sorted(hidden))
    _refuse_unused(root, exclude, sorted(left_out), found)
    return replace(found, stamps=Stamps.of(stamps))


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
    exclude = exclude or []
    scan = _Scan(str(root), exclude)
    with terminal.bar(f"listing {root}", None) as advance:
        scan.run(advance)
    scan.found.folders.sort()
    _refuse_unused(root, exclude, scan.left_out, scan.found)
    return scan.found


class _Scan:
    """One pass through all folders below a root.

    Args:
        root: Folder to search.
        exclude: Folders to leave out, see `is_excluded`.
    """

    def __init__(self, root: str, exclude: Sequence[str]) -> None:
        self.root, self._real_root, self._exclude = root, os.path.realpath(root), exclude
        self.found = Found()
        self.left_out: list[Path] = []
        self._first_of: dict[str, str] = {}  # path relative to the root of each folder that was searched

    def run(self, advance: terminal.Advance) -> None:
        """Search all folders, parents first, in the order of their names.

        Args:
            advance: Function that is called with the number of files found since the last call.
        """
        waiting = [("", self._real_root)]
        while waiting:
            here, real = waiting.pop()
            waiting += reversed(self._search(here, real, advance))

    def _search(self, here: str, real: str, advance: terminal.Advance) -> list[tuple[str, str]]:
        """Search one folder, and return its sub-folders with their real paths."""
        folder = os.path.join(self.root, here) if here else self.root
        try:
            with os.scandir(folder) as entries:
                folders, files = _sorted_out(entries, advance)
        except OSError as error:
            self.found.problems[Path(here)] = f"cannot be searched ({error.strerror})"
            return []
        first = self._first_of.setdefault(real, here)
        if first != here or (here and _contains(real, self._real_root)):
            if Path(first) in (Path(here), *Path(here).parents):
                self.found.loops.append(Path(here))
            else:
                self.found.same[Path(here)] = Path(first)
            return []
        level = here.count("/") + 1 if here else 0
        found = []
        for entry in sorted(folders, key=lambda entry: entry.name):
            path = f"{here}/{entry.name}" if here else entry.name
            if entry.name[0] == ".":
                if level < _CLASS_LEVELS and _hides_sounds(os.path.join(folder, entry.name)):
                    self.found.hidden.append(Path(path))
            elif entry.name not in SYSTEM and self._keeps(path):
                self.found.folders.append(Path(path))
                inside = os.path.join(folder, entry.name)
                found.append((path, os.path.realpath(inside) if entry.is_symlink() else f"{real}{os.sep}{entry.name}"))
        self._add(here, folder, files)
        return found

    def _add(self, here: str, folder: str, files: dict[str, bool]) -> None:
        """Add the files of a folder, given by their names with whether they are symbolic links."""
        lost = [name for name, is_link in files.items() if is_link and _is_lost_folder(folder, name)]
        for name in lost:
            del files[name]
            path = f"{here}/{name}" if here else name
            if self._keeps(path):
                self.found.folders.append(Path(path))
                target = os.readlink(os.path.join(folder, name))
                self.found.problems[Path(path)] = f"is a symbolic link to {target!r}, which does not exist"
        self.found.add(here, files)
        self.found.links.extend(f"{here}/{name}" if here else name for name, is_link in files.items() if is_link)

    def _keeps(self, path: str) -> bool:
        if not self._exclude or not is_excluded(Path(path), self._exclude):
            return True
        self.left_out.append(Path(path))
        return False


def _sorted_out(
    entries: Iterable["os.DirEntry[str]"], advance: terminal.Advance
) -> tuple[list["os.DirEntry[str]"], dict[str, bool]]:
    """Return the sub-folders, and the names of the files that are not hidden with whether they are symbolic links."""
    folders, files, n = [], {}, 0
    for entry in entries:
        if _is_folder(entry):
            folders.append(entry)
        elif entry.name[0] != ".":
            files[entry.name] = entry.is_symlink()
            n += 1
            if n % _STEP == 0:
                advance(_STEP)
    advance(n % _STEP)
    return folders, files


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


def may_exist(path: Path) -> bool:
    """Return whether a file exists, or is in a folder that cannot be searched."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example, a symbolic link to itself
        return False


def _contains(folder: str, other: str) -> bool:
    """Return whether a folder is another one or contains it, by their real paths."""
    return os.path.join(other, "").startswith(os.path.join(folder, ""))


def _hides_sounds(folder: str) -> bool:
    name = os.path.basename(folder)
    if name[0] != "." or name in _OF_VERSIONS:
        return False
    return any(suffix_of(name).lower() in SOUNDS for _, _, names in os.walk(folder) for name in names)


def _is_lost_folder(folder: str, name: str) -> bool:
    """Return whether a symbolic link is dangling, and its name may be that of a folder."""
    is_file = suffix_of(name).lower() in SOUNDS or re.fullmatch(r"\.[A-Za-z]\w{0,4}", suffix_of(name))
    return not is_file and not os.path.exists(os.path.join(folder, name))


def _refuse_unused(root: Path | str, exclude: Sequence[str], left_out: Sequence[Path], found: Found) -> None:
    """Raise an error if a pattern matches no folder, which is probably a typing error."""
    unused = [pattern for pattern in exclude if not any(is_excluded(path, [pattern]) for path in left_out)]
    if unused:
        there = sorted({path for path in [*found.folders, *left_out] if len(path.parts) == 1})
        raise DataError(
            f"exclude={unused!r} matches no folder below {str(root)!r}; it holds {quoted(there) or 'no folders'}"
        )
