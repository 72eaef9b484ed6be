"""Checks that every folder of a data set holds clips, with a note or an error for each folder that does not."""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import DataError
from .found import MAX_SHOWN, Found, paths_of, quoted, suffix_of, texts
from .layout import Layout
from .search import exclude_option

_LIST = re.compile(r"train|test|val|split|fold|list|label|meta|annotation", re.IGNORECASE)
_TABLES = frozenset({".txt", ".csv", ".tsv", ".json", ".jsonl", ".lst", ".xlsx"})


def account(root: Path, found: Found, n_levels: int, *, skip: bool) -> list[str]:
    """Return notes on the folders that hold no clip.

    Args:
        root: Folder of the data set, for messages.
        found: Content of the folder of the data set.
        n_levels: Number of levels of folders above the audio files of a class.
        skip: Whether to skip folders that are empty or cannot be searched, instead of raising an error.

    Raises:
        DataError: A folder cannot be searched, is empty, or is found under two paths.
    """
    twice = {link: first for link, first in found.same.items() if link.parts[:n_levels] != first.parts[:n_levels]}
    if twice:
        link, first = min(twice.items())
        raise DataError(
            f"root={str(root)!r}: {str(link)!r} and {str(first)!r} are the same folder; expected each clip in one "
            f"folder only: remove one of them, or leave it out with {exclude_option([link])}"
        )
    known = {*found.problems, *found.same, *found.loops}
    parents = {folder.parent for folder in found.folders}
    holding = {Path(*folder.parts[:n]) for folder in map(Path, found.names) for n in range(1, n_levels + 1)}
    of_others: dict[Path, Counter[str]] = {}
    for name, names in found.other_names.items():
        inside = Counter(map(suffix_of, texts(names)))
        for n in range(1, min(n_levels, len(Path(name).parts)) + 1):
            of_others.setdefault(Path(*Path(name).parts[:n]), Counter()).update(inside)
    lacking = [
        folder
        for folder in found.folders
        if folder not in holding and folder not in known
        if len(folder.parts) == n_levels or (len(folder.parts) < n_levels and folder not in parents)
    ]
    reasons = {path: "holds no file" for path in lacking if path not in of_others}
    notes = refuse_problems(root, replace(found, problems={**found.problems, **reasons}), skip=skip)
    silent = [f"{str(path)!r} ({count_by_suffix(of_others[path])})" for path in lacking if path in of_others]
    return notes + ([f"folders without audio files were not counted as classes: {', '.join(silent)}"] if silent else [])


def refuse_problems(root: Path, found: Found, names: Collection[str] = (), *, skip: bool) -> list[str]:
    """Return notes on folders that cannot be searched.

    Args:
        root: Folder of the data set, for messages.
        found: Content of the folder of the data set.
        names: Names of the folders at the root to check; by default all.
        skip: Whether to skip folders that cannot be searched, instead of raising an error.

    Raises:
        DataError: The root cannot be searched, or another folder cannot and `skip` is off.
    """
    if Path() in found.problems:
        raise DataError(f"root={str(root)!r} {found.problems[Path()]}; change its permissions")
    reasons = {path: why for path, why in found.problems.items() if not names or path.parts[0] in names}
    if not reasons:
        return []
    shown = [f"{str(path)!r} {why}" for path, why in sorted(reasons.items())[:MAX_SHOWN]]
    listed = ", ".join([*shown, f"and {len(reasons) - MAX_SHOWN} more"] if len(reasons) > MAX_SHOWN else shown)
    if skip:
        return [f"left out: {listed}"]
    raise DataError(
        f"root={str(root)!r}: {listed}; repair or remove these folders, leave them out with "
        f"{exclude_option(sorted(reasons))}, or skip them with --data.on_error skip"
    )


def remarks(found: Found, layout: Layout) -> list[str]:
    """Return notes on files and folders that may have been misinterpreted.

    Args:
        found: Content of the folder of the data set.
        layout: Layout of the folder.
    """
    notes = []
    flat = {folder: names for folder, names in found.names.items() if len(Path(folder).parts) < layout.n_levels}
    if flat:
        n_flat = sum(map(len, flat.values()))
        notes.append(f"{n_flat} audio files are in no class folder and are left out: {quoted(paths_of(flat))}")
    lists = [Path(name) for name in texts(found.other_names.get("", [])) if _is_list(Path(name))]
    if lists:
        notes.append(f"ignored: {quoted(lists)}; to read splits, folds or labels from a table, use --data manifest")
    labels = sorted({file.parts[layout.label_level] for file in found.examples if len(file.parts) > layout.n_levels})
    odd = [label for label in labels if label.startswith("_")]
    if odd:
        notes.append(
            f"read as classes: {quoted(odd)}; if these are not classes, leave them out with {exclude_option(odd)}"
        )
    return notes


def _is_list(file: Path) -> bool:
    return file.suffix.lower() in _TABLES and bool(_LIST.search(file.stem))


def refuse_one_folder(root: Path, files: Sequence[Path], layout: Layout) -> None:
    """Raise an error if a data set appears to have a single class because its classes are one level deeper.

    Raises:
        DataError: The folder of the only class holds several folders with audio files.
    """
    level = layout.n_levels
    outer = {Path(*file.parts[:level]) for file in files if len(file.parts) > level}
    inner = sorted({file.parts[level] for file in files if len(file.parts) > level + 1})
    if len(inner) > 1 and len(outer) == 1:
        deeper = root / outer.pop()
        raise DataError(
            f"root={str(root)!r} holds one folder with audio files, which holds the folders {quoted(inner)}; if these "
            f"are the classes, give --data.root {shlex.quote(str(deeper))}; if not, give --data.layout classes"
        )


def count_by_suffix(suffixes: Mapping[str, int]) -> str:
    """Return the number of files with each suffix, most frequent first.

    Example:
        >>> count_by_suffix({".csv": 1, ".m4a": 6, "": 1})
        '6 .m4a files, 1 .csv file, 1 file without suffix'
    """
    counted = sorted(suffixes.items(), key=lambda item: (-item[1], item[0] == "", item[0]))
    texts = ((suffix, f"{n} {suffix} file" if suffix else f"{n} file", "s" if n > 1 else "") for suffix, n in counted)
    return ", ".join(f"{text}{s}{'' if suffix else ' without suffix'}" for suffix, text, s in texts)
