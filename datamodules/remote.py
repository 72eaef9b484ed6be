"""Listing of data sets that are elsewhere: on web servers, in object stores, and in zip and tar archives."""

import contextlib
import email.utils
import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from ..audio.fetching import asked, fetched
from ..audio.places import GONE, Unreachable, require_supported
from ..audio.remote import RemotePath, has_secret, is_remote, remote_root, without_secrets
from ..errors import AudioError, DataError, UsageError
from ..files import as_path
from ..terminal import progress
from .clip import Clip, Stamp
from .search import SYSTEM, Found, _refuse_unused, is_excluded
from .suffixes import DECODED, SOUNDS

N_AT_ONCE = 32
"""Number of requests that are waited for at the same time, where a server must be asked about each file."""
S = TypeVar("S")
T = TypeVar("T")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "Last-Modified", "modified")
_MARKS = ("CRC", "ETag", "etag", "md5Hash", "content_hash", "blob_id", "Content-MD5", "Digest")
_LOCAL = ("file", "local")


def as_place(name: str, option: str = "--data.root") -> Path | RemotePath:
    """Return the folder for a name that a user has given: a local path, a URL, or an archive.

    Args:
        name: Name of a folder or file.
        option: Option that gives the name, for messages.

    Raises:
        UsageError: The URL holds credentials, its scheme is unknown, or the package for its scheme is not installed.
    """
    found = remote_root(name)
    if found is None or (is_remote(name) and name.partition("://")[0] in _LOCAL):
        return as_path(name.removeprefix("file://").removeprefix("local://"))
    if has_secret(name):
        raise UsageError(
            f"{option} {found}: the URL holds credentials, which would be saved with the results; leave them out, and "
            "give them to fsspec in its configuration"
        )
    require_supported(found)
    return found


class Entry(NamedTuple):
    """File of a data set.

    Args:
        path: Path relative to the root, with `/`.
        size: Size in bytes; 0 if it is unknown.
        mtime_ns: Modification time in ns, or another number that changes with the file; 0 if it is unknown.
    """

    path: str
    size: int
    mtime_ns: int


def entries(root: RemotePath) -> list[Entry]:
    """Return the files below a folder or in an archive, sorted, with one request for each page of the listing.

    Web servers list names only. They are asked for size and time of each audio file, several at once.

    Args:
        root: Folder or archive.

    Raises:
        DataError: The folder does not exist, holds no file, or cannot be listed.
    """
    try:
        inside, found = asked(root, lambda fs, inside: (inside, fs.find(inside, detail=True, **_strictly(fs))))
    except Unreachable as error:
        reason = f"no folder at root={str(root)!r}" if error.reason == GONE else f"root={str(root)!r}: {error.reason}"
        raise DataError(f"{reason}; {error.remedy}") from error
    is_web = inside.startswith(("http://", "https://"))
    start = inside.rstrip("/") + "/" if inside else ""
    listed: dict[str, dict[str, Any]] = {}
    for name, info in sorted(found.items()):
        path = str(name).removeprefix(start)
        if is_web and ("?" in path or "#" in path or path.startswith(("http://", "https://"))):
            continue  # a link that sorts the page
        listed[unquote(path) if is_web else path] = info
    if not listed:
        raise DataError(
            f"no files at root={str(root)!r}; set --data.root to a folder with one sub-folder per class"
            + ("; a web server must list them, or give their URLs in a table with --data manifest" if is_web else "")
        )
    if is_web:
        sounds = [path for path in listed if PurePosixPath(path).suffix.lower() in SOUNDS]
        stamped = with_stamps([root / path for path in sounds])
        return [Entry(path, *_stamp(at)) for path, at in zip(sounds, stamped, strict=True)] + [
            Entry(path, 0, 0) for path in listed.keys() - set(sounds)
        ]
    return [Entry(path, int(info.get("size") or 0), _changed(info)) for path, info in listed.items()]


class Listing:
    """Content of a remote folder or an archive; `listing / path` is the path of a file with its size and time.

    Args:
        root: Folder or archive.

    Raises:
        DataError: The folder does not exist, holds no file, or cannot be listed.
    """

    def __init__(self, root: RemotePath) -> None:
        self.root = root
        self._entries = {entry.path: entry for entry in entries(root)}

    def __str__(self) -> str:
        return str(self.root)

    def __truediv__(self, path: PurePath | str) -> RemotePath:
        entry = self._entries.get(PurePosixPath(path).as_posix())
        found = self.root / path
        return found if entry is None else replace(found, size=entry.size or None, mtime_ns=entry.mtime_ns)

    def found(self, exclude: Sequence[str] | None = None) -> Found:
        """Return the files as `search` returns those of a local folder.

        Args:
            exclude: Folders to leave out, see `is_excluded`.

        Raises:
            DataError: An entry of `exclude` matches no folder.
        """
        found, left_out = Found(), set[Path]()
        paths = [Path(name) for name in self._entries]
        decoded = {path.with_suffix("") for path in paths if path.suffix.lower() in DECODED}
        folders: set[Path] = set()
        for path in paths:
            above = list(path.parents)[-2::-1]  # from the root down, without the root
            if any(part[0] == "." or part in SYSTEM for part in path.parts):
                continue
            if outer := next((folder for folder in above if is_excluded(folder, exclude or [])), None):
                left_out.add(outer)
                continue
            folders.update(above)
            suffix = path.suffix.lower()
            is_sound = suffix in DECODED or (suffix in SOUNDS and path.with_suffix("") not in decoded)
            (found.files if is_sound else found.others).append(path)
        found.folders.extend(folders)
        for listed in (found.files, found.others, found.folders):
            listed.sort()
        _refuse_unused(Path(str(self.root)), exclude or [], sorted(left_out), found)
        return found


def with_stamps(paths: Sequence[RemotePath]) -> list[RemotePath]:
    """Return paths with the size and time of each file, for which the server is asked, several files at once.

    A path whose file does not exist or cannot be read is returned unchanged, so that reading it reports the error.

    Args:
        paths: Paths of files.
    """
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        return list(progress(pool.map(_with_stamp, paths), len(paths), "asking for sizes"))


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


def stamped(clips: Sequence[Clip]) -> list[Clip]:
    """Return clips with the size and time of each remote file, see `with_stamps`."""
    remote = [clip.path for clip in clips if isinstance(clip.path, RemotePath)]
    if not remote:
        return list(clips)
    known = iter(with_stamps(remote))
    return [replace(clip, path=next(known)) if isinstance(clip.path, RemotePath) else clip for clip in clips]


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


def located(
    written: str, root: Path | RemotePath, table: Path | RemotePath, location: str
) -> tuple[str, Path | RemotePath] | None:
    """Return the id and path of a clip for the path in a table; None if it is a local path below a local root.

    A table that is elsewhere may come from somebody else, so it must not name files of this machine.

    Args:
        written: Path in the table.
        root: Folder that relative paths are relative to.
        table: The table.
        location: File and line, for messages.

    Raises:
        DataError: The path is outside the root, its URL is not supported, or a remote table names a local file.
    """
    written = written.strip() if is_remote(written.strip()) else written
    is_url = is_remote(written)
    last = written.rpartition("::")[2]
    is_local = last.startswith(("file:", "local:")) if "://" in last else is_url or os.path.isabs(written)
    if is_local and isinstance(table, RemotePath):
        raise DataError(f"{location}: path={written!r} names a file of this machine, which a remote table must not do")
    if is_url:
        if is_local and not os.path.isabs(last) and "://" not in last and isinstance(root, Path):
            path = RemotePath(f"{written.removesuffix(last)}{root.absolute() / last}")
        else:
            path = RemotePath(written)
        try:
            require_supported(path)
        except UsageError as error:
            raise DataError(f"{location}: {error}") from error
        inside = path.below(root) if isinstance(root, RemotePath) else ""
        return inside or without_secrets(written), path
    if isinstance(root, Path) or is_local:
        return (written, Path(written)) if isinstance(root, RemotePath) else None
    relative = posixpath.normpath(written.strip())
    if relative.startswith("../"):
        raise DataError(
            f"{location}: path={written!r} is outside root={str(root)!r}; set --data.root to the folder above, or "
            "write the URL"
        )
    return relative, root / relative


def _with_stamp(path: RemotePath) -> RemotePath:
    try:
        info = asked(path, lambda fs, inside: fs.info(inside))
    except Unreachable:
        return path
    return replace(path, size=info.get("size"), mtime_ns=_changed(info))


def _stamp(path: RemotePath) -> Stamp:
    return Stamp(*path.stat())


def _strictly(fs: Any) -> dict[str, Any]:
    """Return the option with which `find` raises an error instead of leaving out folders that it cannot list."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    if isinstance(fs, AsyncFileSystem):
        walks = type(fs)._find is AsyncFileSystem._find
    else:
        walks = type(fs).find is AbstractFileSystem.find
    return {"on_error": "raise"} if walks else {}


def _changed(info: Mapping[str, Any]) -> int:
    """Return the time at which a file changed in ns, or else a number that its checksum determines; 0 without both."""
    for name in _TIMES:
        found = _in_ns(info.get(name))
        if found:
            return found
    mark = next((str(info[name]) for name in _MARKS if info.get(name)), "")
    return int.from_bytes(hashlib.sha256(mark.encode()).digest()[:7]) if mark else 0


def _in_ns(time: object) -> int:
    if isinstance(time, str):
        for parse in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
            with contextlib.suppress(ValueError):
                return _in_ns(parse(time))
    if isinstance(time, datetime):
        since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return int(time * 10**9) if isinstance(time, int | float) and not isinstance(time, bool) else 0
