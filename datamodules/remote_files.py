"""Remote files of clips: their sizes and times, their content, and reading several of them at once."""

import contextlib
import email.utils
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from ..audio.fetching import asked, fetched
from ..audio.places import Unreachable
from ..audio.remote import RemotePath
from ..errors import AudioError, DataError
from ..terminal import progress
from .clip import Clip

N_AT_ONCE = 32
"""Number of requests that are waited for at the same time, where a server must be asked about each file."""
S = TypeVar("S")
T = TypeVar("T")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "Last-Modified", "modified")
_MARKS = ("CRC", "ETag", "etag", "md5Hash", "content_hash", "blob_id", "Content-MD5", "Digest")


def changed(info: Mapping[str, Any]) -> int:
    """Return the time at which a file changed in ns, or else a number that its checksum determines; 0 without both."""
    for name in _TIMES:
        found = _in_ns(info.get(name))
        if found:
            return found
    mark = next((str(info[name]) for name in _MARKS if info.get(name)), "")
    return int.from_bytes(hashlib.sha256(mark.encode()).digest()[:7]) if mark else 0


def with_stamps(paths: Sequence[RemotePath]) -> list[RemotePath]:
    """Return paths with the size and time of each file, for which the server is asked, several files at once.

    A path whose file does not exist or cannot be read is returned unchanged, so that reading it reports the error.

    Args:
        paths: Paths of files.

    Raises:
        DataError: None of the first files can be asked for, although each was tried several times.
    """
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        first = list(pool.map(_with_stamp, paths[:N_AT_ONCE]))
        silent = [path for path, error in first if error is not None and error.gave_up]
        if silent and len(silent) == len(first):  # each further one would take as long
            error = next(error for _, error in first if error is not None)
            raise DataError(f"{silent[0]}: {error.reason}; {error.remedy}")
        others = progress(pool.map(_with_stamp, paths[N_AT_ONCE:]), len(paths[N_AT_ONCE:]), "asking for sizes")
        return [path for path, _ in (*first, *others)]


def at_once(read: Callable[[S], T], items: Sequence[S], clips: Sequence[Clip]) -> list[T]:
    """Return the result of a function for each item; remote clips are read at the same time, because servers are slow.

    Args:
        read: Function that reads the clip of an item.
        items: Items, such as the requests of a batch.
        clips: Clip of each item.
    """
    if not any(isinstance(clip.path, RemotePath) for clip in clips):
        return [read(item) for item in items]
    with ThreadPoolExecutor(min(N_AT_ONCE, len(items))) as pool:
        return list(pool.map(read, items))


def read_bytes(path: RemotePath) -> bytes:
    """Return the content of a remote file.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        with fetched(path) as file, file.open() as reader:
            return reader.read()
    except AudioError as error:
        raise DataError(f"{path}: {error.reason}; {error.remedy}") from error


def _with_stamp(path: RemotePath) -> tuple[RemotePath, Unreachable | None]:
    try:
        info = asked(path, lambda fs, inside: fs.info(inside))
    except Unreachable as error:
        return path, error
    return replace(path, size=info.get("size"), mtime_ns=changed(info)), None


def _in_ns(time: object) -> int:
    if isinstance(time, str):
        for parse in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
            with contextlib.suppress(ValueError):
                return _in_ns(parse(time))
    if isinstance(time, datetime):
        since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return int(time * 10**9) if isinstance(time, int | float) and not isinstance(time, bool) else 0
