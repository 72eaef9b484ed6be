"""List of the shards of a store, `shards.jsonl`: one rename of it commits what a store holds."""

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..files import UNFINISHED, read_bounded, write_atomically
from .checked import Content, DamagedError

FILE = "shards.jsonl"
FOLDER = "shards"
_MAX_BYTES = 2**26  # of the list, which has about 200 bytes for each shard
_MAX_LINE = 2**16  # characters; a line holds two ids
_NAME = re.compile(r"\d{1,9}-(\d{20})-\d{1,12}\.arrow")  # rank, time in ns, process


@dataclass(frozen=True)
class Shard:
    """Entry of a shard in the list.

    Args:
        name: Name of the file.
        n_rows: Number of its rows.
        n_bytes: Size of the file.
        first: Its first id; ids are sorted.
        last: Its last id.
    """

    name: str
    n_rows: int
    n_bytes: int
    first: str
    last: str

    @classmethod
    def of(cls, path: Path, content: Content) -> "Shard":
        """Return the entry of a shard with at least one row."""
        ids = content.ids
        return cls(path.name, len(ids), path.stat().st_size, ids[0].as_py(), ids[-1].as_py())


def new_name(rank: int = 0) -> str:
    """Return a name for a shard that no other shard has.

    Args:
        rank: Rank of the process that writes it.
    """
    return f"{rank}-{time.time_ns():020d}-{os.getpid()}.arrow"


def name_like(shards: Sequence[Shard]) -> str:
    """Return a new name for a shard with rows of some shards, which are as old as the last of these.

    Args:
        shards: Shards whose rows the new one holds.
    """
    last = max(match[1] for shard in shards if (match := _NAME.fullmatch(shard.name)))
    return f"{secrets.randbelow(10**9)}-{last}-{os.getpid()}.arrow"


def read_list(folder: Path) -> tuple[list[Shard], set[str]]:
    """Return the shards of a store, and the names of files that they have replaced, which need not exist.

    Args:
        folder: Folder of the store.

    Raises:
        DamagedError: The list is not such a list.
        OSError: The list cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return [], set()
    try:
        head, *lines = read_bounded(path, _MAX_BYTES).decode().split("\n")
        if max(map(len, lines), default=0) > _MAX_LINE:
            raise DamagedError("a line is too long")
        replaced = set(map(_checked_name, json.loads(head)["replaced"]))
        shards = [_entry(json.loads(line)) for line in lines]
    except DamagedError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    if len({shard.name for shard in shards}) != len(shards):
        raise DamagedError("it names a shard twice")
    return shards, replaced


def write_list(folder: Path, shards: Iterable[Shard], replaced: Iterable[str]) -> None:
    """Commit the shards of a store.

    Args:
        folder: Folder of the store.
        shards: Shards that hold its rows; no id occurs in two of them.
        replaced: Names of files whose rows are in other shards now, or are no longer wanted.

    Raises:
        StoreError: The list cannot be written, or is longer than `read_list` reads.
    """
    lines = [json.dumps(astuple(shard), ensure_ascii=False) for shard in sorted(shards, key=lambda shard: shard.first)]
    text = "\n".join([json.dumps({"replaced": sorted(replaced)}), *lines]).encode()
    if len(text) > _MAX_BYTES or max(map(len, lines), default=0) > _MAX_LINE:
        raise StoreError(f"{folder} has more shards, or longer ids, than {FILE} can list; divide the data set")
    write_atomically(folder / FILE, text)


def pending(folder: Path, shards: Sequence[Shard], replaced: set[str]) -> list[Path]:
    """Return the files of shards that no list names yet, in the order in which they were written.

    Args:
        folder: Folder of the store.
        shards: Shards of the list.
        replaced: Names of replaced files of the list.
    """
    known = {shard.name for shard in shards} | replaced
    return [path for path in files_of(folder) if path.name not in known]


def files_of(folder: Path) -> list[Path]:
    """Return all files of shards, in the order in which their rows were written.

    Args:
        folder: Folder of the store.
    """
    found = {path: match[1] for path in (folder / FOLDER).glob("*.arrow") if (match := _NAME.fullmatch(path.name))}
    return sorted((path for path in found if path.is_file()), key=found.__getitem__)


def remove_leftovers(folder: Path, replaced: set[str]) -> None:
    """Remove replaced files, and the temporary files of interrupted writes.

    Args:
        folder: Folder of the store.
        replaced: Names of replaced files.
    """
    below = folder / FOLDER
    left = [*folder.glob(f".*{UNFINISHED}"), *below.glob(f".*{UNFINISHED}"), *(below / name for name in replaced)]
    for path in left:
        path.unlink(missing_ok=True)


def overlapping(shards: Sequence[Shard]) -> Iterator[tuple[int, int]]:
    """Yield the positions of pairs of shards that may hold the same id, the earlier position first.

    Args:
        shards: Shards in any order.
    """
    active: list[int] = []
    for number in sorted(range(len(shards)), key=lambda index: shards[index].first):
        active = [other for other in active if shards[other].last >= shards[number].first]
        yield from ((min(other, number), max(other, number)) for other in active)
        active.append(number)


def _entry(values: Any) -> Shard:
    """Return the shard that an entry of a list describes."""
    name, n_rows, n_bytes, first, last = values
    numbers_fit = all(type(n) is int and 0 < n < 2**48 for n in (n_rows, n_bytes))
    if not numbers_fit or not isinstance(first, str) or not isinstance(last, str) or first > last:
        raise DamagedError(f"an entry is malformed: {str(values)[:80]}")
    return Shard(_checked_name(name), n_rows, n_bytes, first, last)


def _checked_name(name: object) -> str:
    """Return the name of a shard, which cannot lead out of the folder."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DamagedError(f"{str(name)[:80]!r} is not the name of a shard")
    return name
