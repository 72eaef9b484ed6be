"""Atomic writes, locks of folders, and plain values in JSON and YAML files."""

import contextlib
import hashlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import yaml

from .errors import StoreError, UsageError

# Strings that all YAML parsers load as strings without quotes. YAML 1.1 and 1.2 differ in which strings are numbers,
# dates and booleans.
_PLAIN_TEXT = re.compile(r"[A-Za-z/](?:[\w./=+-]|:(?=\S))*", re.ASCII)
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
UNFINISHED = ".part"  # suffix of files that are being written
MAX_JSON = 2**24
"""Maximum size of a JSON file, in bytes. The list of runs of a study with 10,000 runs takes 2 MB."""
MAX_YAML = 2**20
"""Maximum number of characters of a configuration, and maximum number of values in it."""
MAX_DEPTH = 50
"""Maximum depth of nested collections."""
LOCK_TIMEOUT_SECONDS = 30  # the workers of a killed process keep its lock until they exit, shortly afterwards


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file atomically: under a temporary name, flushed to disk, then renamed.

    Raises:
        StoreError: The file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise _cannot_be_written(path, error) from error


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of unknown origin, up to a maximum size.

    Args:
        path: File to read.
        most: Maximum size of the file, in bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is larger, or is not a regular file.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise ValueError("it is not a regular file")
    if size > most:
        raise ValueError(f"it has {size:,} bytes, expected at most {most:,}")
    return path.read_bytes()


def read_json(path: Path, most: int = MAX_JSON) -> Any:
    """Read plain values from a JSON file of unknown origin, up to a maximum size and depth.

    Args:
        path: File to read.
        most: Maximum size of the file, in bytes.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not JSON, is larger, or is nested too deeply.
    """
    too_deep = f"it is nested deeper than {MAX_DEPTH} levels"
    try:
        found = json.loads(read_bounded(path, most).decode())
    except RecursionError as error:
        raise ValueError(too_deep) from error
    level = [found]
    for _ in range(MAX_DEPTH):
        inner = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        ]
        level = [value for values in inner for value in values]
    if level:
        raise ValueError(too_deep)
    return found


def refuse_absurd_yaml(text: str) -> None:
    """Raise if YAML is too large, is nested too deeply, or expands to too many values through aliases.

    Args:
        text: YAML text. Syntax errors in it are ignored.

    Raises:
        ValueError: The YAML exceeds one of these limits.
    """
    if len(text) > MAX_YAML:
        raise ValueError(f"it has {len(text):,} characters, expected at most {MAX_YAML:,}")
    counts, names = [0], [""]  # number of values in each open collection, with aliases expanded
    known: dict[str, int] = {}
    with contextlib.suppress(yaml.YAMLError):  # the caller that parses the text reports it
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.CollectionStartEvent):
                counts.append(0)
                names.append(event.anchor or "")
            elif isinstance(event, yaml.CollectionEndEvent):
                n_values, name = counts.pop() + 1, names.pop()
                known[name] = n_values
                counts[-1] += n_values
            elif isinstance(event, yaml.NodeEvent):
                counts[-1] += known.get(event.anchor, 1) if isinstance(event, yaml.AliasEvent) else 1
            if len(counts) > MAX_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
            if counts[-1] > MAX_YAML:
                raise ValueError(f"its aliases expand to more than {MAX_YAML:,} values")


@contextlib.contextmanager
def locked(folder: Path, remedy: str) -> Iterator[None]:
    """Lock a folder, so that no other process writes to it. The lock of a killed process is released.

    Args:
        folder: Folder to lock; it is created if it does not exist.
        remedy: What the user can do instead of waiting, as the end of the error message.

    Raises:
        StoreError: Another process holds the lock, or the folder cannot be written.
    """
    lock, holder = filelock.FileLock(folder / ".lock"), folder / ".holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=LOCK_TIMEOUT_SECONDS if _has_died(holder) else 0)
    except filelock.Timeout as error:
        who = holder.read_text("utf-8") if holder.is_file() else "another process"
        raise StoreError(f"{folder} is in use by {who}; wait until it has ended, or {remedy}") from error
    except OSError as error:
        raise _cannot_be_written(folder, error) from error
    try:
        write_atomically(holder, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def machine_memory() -> int:
    """Return the memory of this machine or container in bytes, or 64 GiB if the system does not report it."""
    found = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups, version 2 and 1
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path("/sys/fs/cgroup", limit).read_text()))
    return min(found, default=2**36)


def as_path(name: str) -> Path:
    r"""Return the path for a name that a user has given, with `~` expanded to the home folder.

    Configurations are UTF-8. A byte of a name that is not valid UTF-8 is written there as an escape, such as `\udcff`
    for 0xFF.

    Args:
        name: Name of a file or folder.

    Raises:
        UsageError: The name begins with the home of a user who does not exist, or is a URL.
    """
    if "://" in name and not os.path.exists(name):
        raise UsageError(f"{name}: expected a local path; only --data folder and --data manifest read URLs")
    try:
        path = Path(name).expanduser()
    except RuntimeError as error:
        problem = f"{name!r} begins with ~, but there is no such user; put ./ in front of it, or give the full path"
        raise UsageError(problem) from error
    escaped = re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), str(path))
    return Path(escaped) if escaped != str(path) and os.path.exists(escaped) and not os.path.exists(path) else path


def plain(value: Any) -> Any:
    """Return a value as plain Python values that JSON can hold; any other value becomes text."""
    return json.loads(json.dumps(value, default=str))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types
    """YAML dumper that quotes strings that some YAML parsers do not load as strings, such as `1e3`."""


def _quoted_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_safe = _PLAIN_TEXT.fullmatch(text) and text.lower() not in _WORDS
    style = None if is_safe else "|" if "\n" in text and text.isprintable() else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted_text)


def as_yaml(content: Any, *, literal: bool = False) -> str:
    r"""Return plain values as YAML that parsers of both YAML 1.1 and YAML 1.2 load unchanged.

    Args:
        content: Plain values.
        literal: Whether to escape `${...}`, so that the parser of a configuration does not resolve it.

    Example:
        >>> print(as_yaml({"root": "1e3", "name": "sounds"}), end="")
        root: '1e3'
        name: sounds
        >>> print(as_yaml({"root": "${x}"}, literal=True), end="")
        root: '\${x}'
    """
    content = _escaped(content) if literal else content
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False))


def _escaped(value: Any) -> Any:
    return with_texts(value, lambda text: re.sub(r"(\\*)\$\{", lambda found: rf"{found[1]}{found[1]}\${{", text))


def unescaped(value: Any) -> Any:
    """Undo the escaping of `${...}` by `as_yaml` with `literal=True`."""
    return with_texts(
        value, lambda text: re.sub(r"(\\+)\$\{", lambda found: found[1][: len(found[1]) // 2] + "${", text)
    )


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a plain value with `change` applied to each text in it, including keys."""
    if isinstance(value, dict):
        return {with_texts(key, change): with_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


def is_plain(value: Any) -> bool:
    """Return whether a value holds only text, numbers, booleans, None, lists, and dictionaries with text keys.

    A tuple counts as a list, because JSON turns it into one. NaN counts as not plain, because it does not equal itself.

    Example:
        >>> is_plain({"sizes": [1, 2.5]}), is_plain({1: "one"}), is_plain(b"bytes")
        (True, False, False)
    """
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return isinstance(value, str | int | float | bool | None) and value == value


def digest(fields: Mapping[str, Any]) -> str:
    """Return the hexadecimal SHA-256 digest of plain values."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()


def other_format(found: object, known: int) -> str:
    """Return the start of a message about a file in another format; the caller appends the remedy.

    Args:
        found: Format of the file.
        known: Format that this version reads and writes.

    Example:
        >>> other_format(3, 2)
        'has format 3 of a later version of untrained (this version reads format 2); update untrained, or'
        >>> other_format(1, 2)
        'has format 1 of an earlier version of untrained (this version reads format 2);'
    """
    is_later = isinstance(found, int) and found > known
    version = f"{'a later' if is_later else 'an earlier'} version of untrained (this version reads format {known})"
    return f"has format {repr(found)[:20]} of {version};{' update untrained, or' if is_later else ''}"


def _has_died(holder: Path) -> bool:
    """Return whether the process that holds a lock ran on this machine and no longer exists."""
    try:
        _, pid, _, host = holder.read_text("utf-8").split(" ", 3)
        if host != socket.gethostname():
            return False
        os.kill(int(pid), 0)  # signal 0 only tests whether the process exists
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _cannot_be_written(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be written: {error.strerror}; free space or change permissions, then run again")
