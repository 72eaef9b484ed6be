"""Content of a folder: the names of its audio files and of its other files, by sub-folder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, cast

import pyarrow as pa

from .stamps import Stamps
from .suffixes import DECODED, SOUNDS

Names: TypeAlias = "pa.Array | list[str]"
"""Names of the files in one folder, sorted: Arrow text, or a list if the bytes of a name are not valid UTF-8."""


@dataclass(frozen=True)
class Found:
    """Content of a folder, with paths relative to it.

    The names of files are columns, because there may be millions. `files` and `others` create an object for each file.

    Args:
        names: Names of the files with the suffix of an audio format, including formats that are not decoded, by folder.
            The folder is text with `/`, empty for the root.
        other_names: Names of the other files, by folder.
        folders: Folders at any depth, including those that could not be searched; sorted.
        problems: Reason why each folder could not be searched, by path.
        same: Symbolic links to a folder already found under another path; maps each link to that path.
        loops: Symbolic links to a folder that contains the link.
        hidden: Hidden folders with audio files, at the levels of class folders.
        links: Files that are symbolic links, as text with `/`.
        stamps: Stamps of the files by their paths, if they are known without asking for each of them.
    """

    names: dict[str, Names] = field(default_factory=dict)
    other_names: dict[str, Names] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    problems: dict[Path, str] = field(default_factory=dict)
    same: dict[Path, Path] = field(default_factory=dict)
    loops: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    stamps: Stamps | None = None

    def add(self, folder: str, names: Iterable[str]) -> None:
        """Add the files of one folder, which must not be hidden.

        A file in a format that is not decoded counts as another file if a decoded file of the same name is in the same
        folder.

        Args:
            folder: Folder, as text with `/`; empty for the root.
            names: Names of all its files.
        """
        decoded, undecoded, others = set(), [], []
        sounds = []
        for name in names:
            suffix = suffix_of(name).lower()
            if suffix in DECODED:
                sounds.append(name)
                decoded.add(name[: -len(suffix)])
            elif suffix in SOUNDS:
                undecoded.append(name)
            else:
                others.append(name)
        for name in undecoded:
            (others if name[: -len(suffix_of(name))] in decoded else sounds).append(name)
        if sounds:
            self.names[folder] = _column(sounds)
        if others:
            self.other_names[folder] = _column(others)

    @property
    def n_files(self) -> int:
        """Number of audio files."""
        return sum(map(len, self.names.values()))

    @property
    def n_others(self) -> int:
        """Number of other files."""
        return sum(map(len, self.other_names.values()))

    @cached_property
    def files(self) -> list[Path]:
        """Audio files, sorted."""
        return paths_of(self.names)

    @cached_property
    def others(self) -> list[Path]:
        """Other files, sorted."""
        return paths_of(self.other_names)

    @cached_property
    def examples(self) -> list[Path]:
        """One audio file of each folder that holds any, sorted; sufficient to infer the layout."""
        return sorted(Path(folder, texts(names[:1])[0]) for folder, names in self.names.items())

    @property
    def notes(self) -> list[str]:
        """Notes on folders that were left out."""
        what = {
            "hidden folders with audio files": self.hidden,
            "symbolic links to a folder that contains them": self.loops,
        }
        return [f"{text} are left out: {quoted(paths)}" for text, paths in what.items() if paths]


MAX_SHOWN = 10  # maximum number of paths in a message


def quoted(paths: Sequence[Path | str]) -> str:
    """Return paths or names in quotes, at most ten of them."""
    more = f" and {len(paths) - MAX_SHOWN} more" if len(paths) > MAX_SHOWN else ""
    return ", ".join(repr(str(path)) for path in paths[:MAX_SHOWN]) + more


def paths_of(names: Mapping[str, Names]) -> list[Path]:
    """Return the paths of files, sorted.

    Args:
        names: Names of the files by folder.
    """
    return sorted(Path(folder, name) for folder, inside in names.items() for name in texts(inside))


def texts(names: Names) -> list[str]:
    """Return names as a list."""
    return names if isinstance(names, list) else names.to_pylist()


def suffix_of(name: str) -> str:
    """Return the suffix of a file name, as `Path.suffix` does."""
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def _column(names: list[str]) -> Names:
    names.sort()
    try:
        return cast(Names, pa.array(names, pa.large_string()))
    except UnicodeEncodeError:
        return names
