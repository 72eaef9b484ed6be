"""Servers, object stores and archives, through fsspec: connections, time-outs, retries and reasons of failures."""

import asyncio
import contextlib
import os
import random
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from ..errors import UsageError
from ..terminal import say
from .remote import ARCHIVES, RemotePath, without_secrets

T = TypeVar("T")
TIMEOUT_SECONDS = 30.0
"""Time that a server may take to connect, or to send the next bytes, in s."""
PAUSES_SECONDS = (1.0, 4.0, 15.0)
"""Pauses before the second and each further try of a request, in s."""
GONE = "there is no such file"
_OF_EXTRA = frozenset({"s3", "s3a", "gs", "gcs", "hf", "http", "https"})
_CREDENTIALS = "check the credentials of this process, and that they may read it"
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})  # states of HTTP after which a request may succeed
_QUIET_SECONDS = 5.0  # a process shows one message about retries in this time


class Unreachable(Exception):  # noqa: N818  # it becomes an AudioError or a DataError
    """Failure to read from a place.

    Args:
        reason: Reason, as a full clause.
        remedy: What the user can do about it.
        gave_up: Whether the place did not answer after several tries.
    """

    def __init__(self, reason: str, remedy: str, *, gave_up: bool = False) -> None:
        super().__init__(reason, remedy)
        self.reason, self.remedy, self.gave_up = reason, remedy, gave_up


Failure = Callable[[], Unreachable | None]
"""Function that returns why the file of an archive could not be read, once; None if it could."""
OpenOuter = Callable[[RemotePath], tuple[BinaryIO, Failure]]
"""Function that opens the file of an archive that is elsewhere."""


class Place(NamedTuple):
    """A server, bucket or archive.

    Args:
        fs: File system of fsspec.
        lock: Lock that a thread must hold, because an archive is one file with one position.
        failure: Reason why the file of the archive could not be read.
    """

    fs: Any
    lock: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    failure: Failure = lambda: None

    def inside(self, url: str) -> str:
        """Return the path of a URL in this place."""
        return str(self.fs._strip_protocol(url.partition("::")[0]))


_places: dict[tuple[int, str], Place] = {}
_making = threading.RLock()
_last_said = float("-inf")


def require_supported(path: RemotePath) -> None:
    """Raise an error if no installed package reads a URL.

    Raises:
        UsageError: A scheme is unknown, or its package is not installed.
    """
    import fsspec

    for number, link in enumerate(path.links):
        scheme, mark, _ = link.partition("://")
        if not mark and number:
            continue  # a local archive
        if (number < len(path.links) - 1) != (scheme in ARCHIVES):
            example = "zip://low/a.wav::s3://bucket/data.zip"
            raise UsageError(f"{path}: only members of archives have URLs of several parts, such as {example}")
        try:
            fsspec.get_filesystem_class(scheme)
        except ValueError as error:
            expected = "a local path, or a URL that begins with s3://, gs://, hf://, https://, zip:// or tar://"
            raise UsageError(f"{path}: unknown scheme {scheme!r}; expected {expected}") from error
        except ImportError as error:
            install = "install it with: pip install 'untrained[remote]'" if scheme in _OF_EXTRA else str(error)
            raise UsageError(f"{path}: the package for {scheme}:// is not installed; {install}") from error


def place_of(path: RemotePath, open_outer: OpenOuter) -> Place:
    """Return the place of a path; each process makes its own, because connections do not survive a fork.

    Args:
        path: Path of a file or folder.
        open_outer: Function that opens the file of an archive that is elsewhere.

    Raises:
        Unreachable: The archive cannot be read.
        UsageError: The URL is not supported.
    """
    first, mark, outer = path.url.partition("::")
    key = os.getpid(), _version(outer) if mark else "/".join(first.split("/", 3)[:3])
    with _making:
        if key not in _places:
            require_supported(path)
            _places[key] = _archive(first.partition(":")[0], outer, open_outer) if mark else _server(first)
        return _places[key]


def _version(archive: str) -> str:
    """Return the name of an archive with its size and time if it is local, because it may be replaced."""
    try:
        status = os.stat(archive.removeprefix("file://"))
    except (OSError, ValueError):
        return archive
    return f"{archive} {status.st_size} {status.st_mtime_ns}"


def tried(place: Place, name: str, call: Callable[[], T]) -> T:
    """Return the result of a request, which is tried again after temporary failures, with a message.

    Args:
        place: Place of the file.
        name: Name of the file for the message, without credentials.
        call: Function that sends the request.

    Raises:
        Unreachable: The request failed, for good or after several tries.
    """
    for pause in (*PAUSES_SECONDS, None):
        try:
            with place.lock:
                return call()
        except Unreachable:
            raise
        except Exception as error:  # each file system raises exceptions of its own
            failure = place.failure() or _failure(error)
            if failure is not None:
                raise failure from error
            problem = _problem(error)
            if pause is None:
                n = len(PAUSES_SECONDS) + 1
                raise Unreachable(
                    f"{problem} (tried {n} times)",
                    "check the network and the server, then run the same command again: what is computed is kept",
                    gave_up=True,
                ) from error
            _say_retry(f"{name}: {problem}; trying again in {pause:g} s")
            time.sleep(pause * random.uniform(0.75, 1.25))  # so that workers do not return at the same moment
    raise AssertionError


def _server(url: str) -> Place:
    import fsspec

    scheme = url.partition("://")[0]
    options: dict[str, Any] = {}
    if scheme in ("http", "https"):
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_SECONDS, sock_read=TIMEOUT_SECONDS)
        options = {"client_kwargs": {"timeout": timeout}}
    elif scheme in ("s3", "s3a"):
        once = {"retries": {"total_max_attempts": 1}}  # `tried` repeats requests, with a message
        options = {"config_kwargs": {"connect_timeout": TIMEOUT_SECONDS, "read_timeout": TIMEOUT_SECONDS, **once}}
    try:
        found, _ = fsspec.core.url_to_fs(url, skip_instance_cache=True, **options)
    except Exception as error:  # each file system raises exceptions of its own
        raise _failure(error) or Unreachable(f"no connection can be made ({_text(error)})", "check the URL") from error
    if scheme in ("s3", "s3a"):
        found.retries = 1
    return Place(found)


def _archive(kind: str, outer: str, open_outer: OpenOuter) -> Place:
    from fsspec.implementations.tar import TarFileSystem
    from fsspec.implementations.zip import ZipFileSystem

    failure: Failure = lambda: None  # noqa: E731
    local = outer.removeprefix("file://")
    try:
        if "://" in local:
            file, failure = open_outer(RemotePath(outer))
        else:
            file = Path(local).open("rb")  # noqa: SIM115  # it stays open as long as the place is used
        found = ZipFileSystem(fo=file) if kind == "zip" else TarFileSystem(fo=file, compression=_compression(outer))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        if known := failure():
            raise known from error
        if isinstance(error, FileNotFoundError):
            raise Unreachable(f"there is no archive {without_secrets(outer)}", "correct its name") from error
        if isinstance(error, PermissionError | IsADirectoryError):
            raise Unreachable(f"the archive cannot be read ({error.strerror})", "correct its path") from error
        what = f"{without_secrets(outer)} is not a complete {kind} archive ({error})"
        raise Unreachable(what, "copy or download it again") from error
    return Place(found, threading.RLock(), failure)


def _compression(name: str) -> str | None:
    of_suffix = {"gz": "gzip", "tgz": "gzip", "bz2": "bz2", "xz": "xz"}
    return of_suffix.get(name.partition("?")[0].rpartition(".")[2].lower())


def _failure(error: BaseException) -> Unreachable | None:
    """Return the failure for an exception after which another try is useless; None if another may succeed."""
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return _failure(error.__cause__)  # fsspec raises this for any failure to ask for the size of a web page
    state = _state(error) or _state(error.__cause__)
    if isinstance(error, FileNotFoundError | KeyError) or state in (404, 410):
        return Unreachable(GONE, "check the URL, or skip such files with --data.on_error skip")
    if isinstance(error, PermissionError) or state in (401, 403) or "Credentials" in type(error).__name__:
        return Unreachable(f"access is refused ({_text(error)})", _CREDENTIALS)
    if isinstance(error, zipfile.BadZipFile | tarfile.TarError | NotImplementedError | EOFError | zlib.error):
        return Unreachable(f"it cannot be read from its archive ({_text(error)})", "copy or download the archive again")
    if (state or 500) not in _TEMPORARY or isinstance(error, ImportError | RuntimeError | TypeError | ValueError):
        return Unreachable(f"the request failed ({_text(error)})", "check the URL")
    return None


def _state(error: BaseException | None) -> int | None:
    """Return the state of HTTP that an exception reports; None if it reports none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    found = getattr(error, "status", None) or getattr(response, "status_code", response)
    return found if isinstance(found, int) else None


def _problem(error: BaseException) -> str:
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, asyncio.TimeoutError) or "Timeout" in type(error).__name__:
        return f"the server did not answer within {TIMEOUT_SECONDS:g} s"
    if "Payload" in type(error).__name__ or "Incomplete" in type(error).__name__:
        return "the answer of the server broke off"
    return f"the server failed ({_text(error)})"


def _text(error: BaseException) -> str:
    state, message = _state(error), getattr(error, "message", "")
    text = f"{state} {message}" if state and isinstance(message, str) and message else str(error)
    return without_secrets(" ".join(text.split())[:300]) or type(error).__name__


def _say_retry(text: str) -> None:
    global _last_said
    if time.monotonic() - _last_said >= _QUIET_SECONDS:
        _last_said = time.monotonic()
        say(f"untrained: {text}", sys.stderr)
