"""Paths of files that are elsewhere: URLs of servers, of object stores, and of members of zip and tar archives."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote, unquote

ARCHIVES = frozenset({"zip", "tar"})
"""Schemes of URLs of members of an archive, such as `zip://low/a.wav::s3://bucket/data.zip`."""
_KIND_OF = {".zip": "zip", ".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar"}
_ALL = re.compile(r"(?<!/)/[*]+$|[*]+$")  # the pattern that stands for all members of an archive
_WEB = ("http://", "https://")
_USER = re.compile(r"\b([A-Za-z][\w+.-]*)://([^/\s?#]*)@")
_WITH_USERS = frozenset({"http", "https", "ftp", "sftp", "ssh", "smb"})  # other schemes may have @ in names
_QUERY = re.compile(r"(https?://[^\s?'\"]*)\?[^\s'\"]*?(?=::|\)?[.,;]?(?:[\s'\"]|$))")
_SECRET = re.compile(r"sig|token|key|secret|passw|credential|auth", re.IGNORECASE)


class Status(NamedTuple):
    """Size in bytes and modification time in ns of a file, with the names that `os.stat_result` gives them."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, slots=True, repr=False)
class RemotePath:
    """Path of a remote file, which has the attributes of a `Path` that datamodules use, and opens nothing itself.

    Text and messages show the URL without user, password and query, which may hold credentials.

    Args:
        url: URL that fsspec understands, with credentials if it has any.
        size: Size of the file in bytes, as its folder lists it; None if it is unknown.
        mtime_ns: Modification time in ns, or another number that changes with the file; 0 if it is unknown.

    Example:
        >>> RemotePath("s3://bucket/sounds") / "low/a.wav"
        RemotePath('s3://bucket/sounds/low/a.wav')
        >>> (RemotePath("zip://::https://host/data.zip") / "low/a.wav").url
        'zip://low/a.wav::https://host/data.zip'
        >>> print(RemotePath("https://me:secret@host/a.wav?Signature=1234"))
        https://host/a.wav
    """

    url: str
    size: int | None = field(default=None, compare=False)
    mtime_ns: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return without_secrets(self.url)

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    def __truediv__(self, relative: str | PurePath) -> "RemotePath":
        """Return the path of a file below this folder; its name is quoted if the URL is one of the web."""
        name = relative.as_posix() if isinstance(relative, PurePath) else relative
        head, query, tail = _split(self.url)
        name = quote(name) if head.startswith(_WEB) else name
        return RemotePath(f"{head if head.endswith('/') else head + '/'}{name}{query}{tail}")

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the folders and of the file, without server, bucket and archive."""
        head = _split(self.url)[0]
        inner = head.partition("://")[2]
        inner = unquote(inner).partition("/")[2] if head.startswith(_WEB) else inner
        return PurePosixPath(inner).parts

    @property
    def name(self) -> str:
        """Name of the file or folder; of the archive or the server if the path is its root."""
        if self.parts:
            return self.parts[-1]
        head, _, tail = _split(self.url)
        if not tail:
            return head.partition("://")[2].rstrip("/")
        archive = PurePosixPath(_split(tail[2:])[0]).name
        return archive[: -len(_suffix_of_archive(archive)) or None]

    @property
    def stem(self) -> str:
        """Name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Suffix of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "RemotePath":
        """Folder of the file."""
        head, query, tail = _split(self.url)
        scheme, _, inner = head.partition("://")
        return RemotePath(f"{scheme}://{inner.rstrip('/').rpartition('/')[0]}{query}{tail}")

    @property
    def links(self) -> list[str]:
        """The URL of the file in its archive, then that of the archive; only the URL if it is in no archive."""
        return self.url.split("::")

    def resolve(self) -> "RemotePath":
        """Return the path itself, because a URL is absolute."""
        return self

    def is_symlink(self) -> bool:
        """Return False, because symbolic links of a server cannot be distinguished from files."""
        return False

    def stat(self) -> Status:
        """Return size and modification time as the folder listed them; zeros if they are unknown."""
        return Status(self.size or 0, self.mtime_ns)

    def below(self, root: "RemotePath") -> str:
        """Return the path relative to a folder, unquoted; empty if it is not below the folder."""
        head, _, tail = _split(self.url)
        start, _, other = _split(root.url)
        start = start if start.endswith("/") else f"{start}/"
        if tail != other or not head.startswith(start):
            return ""
        inner = unquote(head[len(start) :]) if head.startswith(_WEB) else head[len(start) :]
        return "" if ".." in inner.split("/") else inner


def is_remote(name: str) -> bool:
    """Return whether a name is a URL rather than a local path.

    Example:
        >>> is_remote("s3://bucket/a.wav"), is_remote("zip://*::/data/a.zip"), is_remote("data/a.wav")
        (True, True, False)
    """
    return re.match(r"(?:[A-Za-z][\w+.-]*::)*[A-Za-z][\w+.-]*://", name) is not None


def remote_root(name: str) -> RemotePath | None:
    """Return the root of a data set that is elsewhere or in an archive; None if it is a local folder.

    Args:
        name: URL of a folder or an archive, or the local path of an archive.

    Example:
        >>> remote_root("zip://*::data.zip").url == remote_root("zip://::data.zip").url
        True
        >>> remote_root("https://host/data.tar").url
        'tar://::https://host/data.tar'
    """
    local = Path(os.path.expanduser(name))
    url = name if is_remote(name) else str(local.absolute())
    if not is_remote(name) and not (_suffix_of_archive(url) and local.is_file()):
        return None
    head, query, tail = _split(url)
    if suffix := _suffix_of_archive(head):
        return RemotePath(f"{_KIND_OF[suffix]}://::{url}")
    outer = tail.rpartition("::")[2]
    if tail and "://" not in outer:
        tail = tail.removesuffix(outer) + os.path.abspath(os.path.expanduser(outer))
    return RemotePath(f"{_ALL.sub('', head) if tail else head}{query}{tail}")


def has_secret(url: str) -> bool:
    """Return whether a URL holds a user, a password, or a query with a signature, a token or a key.

    Example:
        >>> has_secret("https://me:secret@host/"), has_secret("https://host/a?sig=1"), has_secret("https://host/a?v=1")
        (True, True, False)
    """
    return _USER.sub(_without_user, url) != url or any(_SECRET.search(found[0]) for found in _QUERY.finditer(url))


def without_secrets(text: str) -> str:
    """Return text with the users, passwords and queries of the URLs in it left out.

    Example:
        >>> without_secrets("403, url='https://me:pw@host/a.zip?sig=1'")
        "403, url='https://host/a.zip'"
    """
    return _QUERY.sub(r"\1", _USER.sub(_without_user, text))


def _without_user(found: re.Match[str]) -> str:
    """Return the start of a URL without user and password; unchanged if its scheme has none."""
    scheme, user = found[1], found[2]
    is_user = scheme.lower() in _WITH_USERS or (":" in user and scheme not in ARCHIVES)
    return f"{scheme}://" if is_user else found[0]


def _suffix_of_archive(name: str) -> str:
    return next((suffix for suffix in _KIND_OF if name.lower().endswith(suffix)), "")


def _split(url: str) -> tuple[str, str, str]:
    """Return a URL of a folder or file, its query with `?`, and the archives that it is in with `::`."""
    head, mark, tail = url.partition("::")
    start, _, query = head.partition("?") if head.startswith(_WEB) else (head, "", "")
    return start, f"?{query}" if query else "", f"{mark}{tail}"
