"""Listing of data sets that are elsewhere: on web servers, in object stores, and in zip and tar archives."""

import os
import posixpath
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote

from ..audio.fetching import asked
from ..audio.places import GONE, Unreachable, require_supported
from ..audio.remote import RemotePath, has_secret, is_remote, remote_root, without_secrets
from ..errors import DataError, UsageError
from ..files import as_path
from .clip import Stamp
from .found import Found
from .remote_files import changed, with_stamps
from .search import SYSTEM, Entry, found_in
from .suffixes import SOUNDS

_LOCAL = ("file", "local")
_WEB = ("http://", "https://")


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
            "give them to fsspec in ~/.config/fsspec/conf.json"
        )
    require_supported(found)
    return found


def entries(root: RemotePath) -> list[Entry]:
    """Return the files below a folder or in an archive, sorted, with one request for each page of the listing.

    Web servers list names only. They are asked for size and time of each audio file, several at once.

    Args:
        root: Folder or archive.

    Raises:
        DataError: The folder does not exist, holds no file, or cannot be listed.
    """
    try:
        inside, found = asked(root, lambda fs, inside: (inside, _files(fs, inside)))
    except Unreachable as error:
        if error.reason == GONE:
            raise DataError(f"no folder at root={str(root)!r}; correct --data.root") from error
        raise DataError(f"root={str(root)!r}: {error.reason}; {error.remedy}") from error
    is_web = inside.startswith(_WEB)
    start = inside.rstrip("/") + "/" if inside else ""
    listed: dict[str, dict[str, Any]] = {}
    for name, info in sorted(found.items()):
        path = str(name).removeprefix(start)
        listed[unquote(path) if is_web else path] = info
    if not listed:
        raise DataError(
            f"no files at root={str(root)!r}; set --data.root to a folder with one sub-folder per class"
            + ("; a web server must list them, or give their URLs in a table with --data manifest" if is_web else "")
        )
    if is_web:
        sounds = [path for path in listed if PurePosixPath(path).suffix.lower() in SOUNDS and not _is_hidden(path)]
        stamped = with_stamps([root / path for path in sounds])
        return [Entry(path, *_stamp(at)) for path, at in zip(sounds, stamped, strict=True)] + [
            Entry(path, 0, 0) for path in listed.keys() - set(sounds)
        ]
    return [Entry(path, int(info.get("size") or 0), changed(info)) for path, info in listed.items()]


class Listing:
    """Content of a remote folder or an archive; `listing / path` is the path of a file with its size and time.

    Args:
        root: Folder or archive.

    Raises:
        DataError: The folder does not exist, holds no file, or cannot be listed.
    """

    def __init__(self, root: RemotePath) -> None:
        self.root = root
        self._entries = {PurePosixPath(entry.path.lstrip("/")).as_posix(): entry for entry in entries(root)}

    def __str__(self) -> str:
        return str(self.root)

    def __truediv__(self, path: PurePath | str) -> RemotePath:
        entry = self._entries.get(PurePosixPath(path).as_posix())
        if entry is None:
            return self.root / path
        return replace(self.root / entry.path, size=entry.size or None, mtime_ns=entry.mtime_ns)  # such as ./a.wav

    def found(self, exclude: Sequence[str] | None = None) -> Found:
        """Return the files as `search` returns those of a local folder.

        Args:
            exclude: Folders to leave out, see `is_excluded`.

        Raises:
            DataError: An entry of `exclude` matches no folder.
        """
        listed = (entry._replace(path=path) for path, entry in self._entries.items())
        return found_in(listed, str(self.root), exclude)


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
    if "::" not in written and written.startswith(("file://", "local://")):
        written = written.partition("://")[2]
    is_url = is_remote(written)
    last = written.rpartition("::")[2]
    is_local = last.startswith(("file:", "local:")) if "://" in last else is_url or os.path.isabs(written.strip())
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
    if relative == ".." or relative.startswith("../"):
        raise DataError(
            f"{location}: path={written!r} is outside root={str(root)!r}; set --data.root to the folder above, or "
            "write the URL"
        )
    return relative, root / relative


def _is_hidden(path: str) -> bool:
    return any(part[0] == "." or part in SYSTEM for part in PurePosixPath(path).parts)


def _stamp(path: RemotePath) -> Stamp:
    return Stamp(*path.stat())


def _files(fs: Any, inside: str) -> dict[str, dict[str, Any]]:
    """Return all files of a folder with what is known of each, by path."""
    if not inside.startswith(_WEB):
        found: dict[str, dict[str, Any]] = fs.find(inside, detail=True, **_strictly(fs))
        return found
    start = inside.rstrip("/") + "/"
    files, waiting, seen = {}, [start], {start}
    while waiting:  # pages may link to each other, to sorted copies of themselves, and elsewhere
        for info in fs.ls(waiting.pop(), detail=True):
            name = _normal(str(info["name"]))
            if not name.startswith(start) or "?" in name or "#" in name:
                continue
            if not name.endswith("/"):
                files[name] = info
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
    return files


def _normal(url: str) -> str:
    """Return the URL of a web page without `.` and `..` among its folders."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    end = "/" if path.endswith("/") else ""
    return f"{scheme}://{host}{posixpath.normpath('/' + path).rstrip('/')}{end}"


def _strictly(fs: Any) -> dict[str, Any]:
    """Return the option with which `find` raises an error instead of leaving out folders that it cannot list."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    if isinstance(fs, AsyncFileSystem):
        walks = type(fs)._find is AsyncFileSystem._find
    else:
        walks = type(fs).find is AbstractFileSystem.find
    return {"on_error": "raise"} if walks else {}
