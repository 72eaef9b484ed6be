"""Explanation of missing files: how listed paths differ from those of the files that were probably meant."""

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .labels import seen

MAX_FILES = 200_000  # files that are compared with the missing ones by name
MAX_ABOVE = 3  # folders above the root that are tried as the root
_BACKSLASH, _FOLDERS, _CASE = "backslashes", "leading folders", "upper and lower case"
_FORM, _SUFFIX, _ROOT = "Unicode normal form or invisible characters", "suffixes", "the root"


class _Found(NamedTuple):
    """Difference between a listed path and the file that was probably meant."""

    difference: str
    written: str
    meant: str
    root: str = ""


def explain_absent(absent: Sequence[Path], root: Path | None, n_all: int) -> str:
    """Return the probable reason why files are missing, and the remedy, in one line.

    Args:
        absent: Paths of files that do not exist.
        root: Folder that the paths are relative to; None if the data set has none.
        n_all: Number of files of the data set, including the missing ones.
    """
    written = [_written(path, root) for path in absent]
    found = list(_explained(written, root)) if root is not None else []
    if len(absent) == n_all:
        text = f"none of the {n_all} files exists; the first missing one is {_shown(str(absent[0]))}"
        text += f"; the nearest folder that exists is {_shown(str(_nearest(absent[0])))}"
    else:
        text = f"{len(absent)} of {n_all} files do not exist, for example {_shown(str(absent[0]))}"
    if not found:
        remedy = "correct the paths" if root is None else "set --data.root to the folder that the paths are relative to"
        return f"{text}; {remedy}" if len(absent) == n_all else text
    (difference, n), *_ = Counter(each.difference for each in found).most_common()
    example = next(each for each in found if each.difference == difference)
    if difference == _ROOT:
        return f"{text}; {n} of them exist under another root; give --data.root={shlex.quote(example.root)}"
    return (
        f"{text}; {n} of them exist, but their paths differ in {difference}; write {_shown(example.meant)} instead of "
        f"{_shown(example.written)}, and correct the other paths likewise"
    )


def _shown(path: str) -> str:
    """Return a path in quotes; if it is not plain ASCII, escape all characters that are not."""
    return f"'{path}'" if path.isascii() and path.isprintable() else ascii(path)


def _written(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root is not None and path.is_relative_to(root) else str(path)


def _nearest(path: Path) -> Path:
    return next((folder for folder in path.absolute().parents if os.path.exists(folder)), Path(path.anchor or "."))


def _explained(written: Sequence[str], root: Path) -> Iterator[_Found]:
    """Yield the difference for each path whose file is found."""
    above = [root.absolute().parents[n] for n in range(min(MAX_ABOVE, len(root.absolute().parents)))]
    for path in written:
        other = next((folder for folder in above if os.path.exists(folder / path)), None)
        if other is not None and not Path(path).is_absolute():
            yield _Found(_ROOT, path, path, os.path.relpath(other) if not root.is_absolute() else str(other))
    files = _files_by_name(root)
    for path in written:
        parts = [part for part in path.replace("\\", "/").split("/") if part and not part.endswith(":")]
        stem = parts[-1].rpartition(".")[0] if parts else ""
        candidates = files.get(_key(parts[-1]), []) or files.get(_key(stem), []) if parts else []
        if candidates:
            common = [_common(parts, file) for file in candidates]
            file = candidates[common.index(max(common))]
            if common.count(max(common)) == 1:
                yield _compared(path, parts, file, root)


def _compared(path: str, parts: Sequence[str], file: Sequence[str], root: Path) -> _Found:
    """Return the difference between a listed path and a file of the same name."""
    meant = "/".join(file)
    is_relative = not (path.startswith(("/", "\\")) or path[1:2] == ":")
    if is_relative and "\\" not in path and list(file[-len(parts) :]) == list(parts):
        return _Found(_ROOT, path, path, str(root.joinpath(*file[: -len(parts)])))
    pairs = list(zip(reversed(parts), reversed(file), strict=False))
    unequal = [(one, other) for one, other in pairs if one != other]
    if len(parts) != len(file) or not is_relative or any(_key(one) != _key(other) for one, other in pairs[1:]):
        return _Found(_FOLDERS, path, meant)
    if _key(parts[-1]) != _key(file[-1]):
        return _Found(_SUFFIX, path, meant)
    if any(seen(one) == seen(other) for one, other in unequal):
        return _Found(_FORM, path, meant)
    return _Found(_CASE if unequal else _BACKSLASH, path, meant)


def _files_by_name(root: Path) -> dict[str, list[tuple[str, ...]]]:
    """Return the files below a folder, relative to it, by name and by name without suffix."""
    found: dict[str, list[tuple[str, ...]]] = {}
    n_files = 0
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        inside = Path(folder).relative_to(root).parts
        for name in names:
            if not os.path.exists(os.path.join(folder, name)):  # a dangling symbolic link
                continue
            for key in {_key(name), _key(name.rpartition(".")[0])}:
                found.setdefault(key, []).append((*inside, name))
        n_files += len(names)
        if n_files > MAX_FILES:
            break
    return found


def _common(parts: Sequence[str], file: Sequence[str]) -> int:
    """Return the number of parent folders, from the innermost, that a path and a file have in common."""
    pairs = zip(reversed(parts[:-1]), reversed(file[:-1]), strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if _key(one) != _key(other)), len(file))


def _key(name: str) -> str:
    return seen(name).casefold()
