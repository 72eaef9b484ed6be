"""Files that are written whole or not at all, folders with one writer at a time, and the plain values in them."""

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

# Text that every reader of YAML takes for text; versions differ in what they take for numbers, dates and booleans.
_PLAIN_TEXT = re.compile(r"[A-Za-z/](?:[\w./=+-]|:(?=\S))*", re.ASCII)
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
UNFINISHED = ".part"  # suffix of files that are being written
MAX_JSON = 2**24
"""Most bytes of a JSON file; a study of 10,000 runs lists them in 2 MB."""
MAX_YAML = 2**20
"""Most characters of a configuration, and most values in it."""
MAX_DEPTH = 50
"""Most levels of collections within each other."""
# The decoders of a killed process notice its end a little later and hold its lock until then.
LOCK_TIMEOUT_SECONDS = 30


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to another name, forced to disk, then renamed.

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
    """Read a file that somebody else may have written.

    Args:
        path: File to read.
        most: Most bytes that it may have.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is larger, or is no regular file.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise ValueError("it is no regular file")
    if size > most:
        raise ValueError(f"it has {size:,} bytes, expected at most {most:,}")
    return path.read_bytes()


def read_json(path: Path, most: int = MAX_JSON) -> Any:
    """Read plain values from a JSON file that somebody else may have written.

    Args:
        path: File to read.
        most: Most bytes that it may have.

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
    """Raise if YAML is larger than any configuration, is nested too deeply, or repeats parts without end by aliases.

    Args:
        text: YAML, which may have other faults.

    Raises:
        ValueError: It is one of these.
    """
    import yaml  # which commands that read no YAML do not wait for

    if len(text) > MAX_YAML:
        raise ValueError(f"it has {len(text):,} characters, expected at most {MAX_YAML:,}")
    counts, names = [0], [""]  # of values in each open collection, with what its aliases stand for
    known: dict[str, int] = {}
    with contextlib.suppress(yaml.YAMLError):  # whoever reads it reports it
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
                raise ValueError(f"its aliases stand for more than {MAX_YAML:,} values")


@contextlib.contextmanager
def locked(folder: Path, remedy: str) -> Iterator[None]:
    """Keep other processes from writing to a folder; a killed process no longer holds its lock.

    Args:
        folder: Folder to lock; it is made if it does not exist.
        remedy: What a user can do instead of waiting, for the message.

    Raises:
        StoreError: Another process holds the lock, or the folder cannot be written.
    """
    lock, holder = filelock.FileLock(folder / ".lock"), folder / ".holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=LOCK_TIMEOUT_SECONDS if _has_died(holder) else 0)
    except filelock.Timeout as error:
        who = holder.read_text("utf-8") if holder.is_file() else "another process"
        raise StoreError(f"{folder} is in use by {who}; wait until that has ended, or {remedy}") from error
    except OSError as error:
        raise _cannot_be_written(folder, error) from error
    try:
        write_atomically(holder, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def machine_memory() -> int:
    """Return the memory of this machine in bytes; where the system does not say, 64 GiB."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**36


def as_path(name: str) -> Path:
    r"""Return the path that a user names, with `~` for a home folder.

    Configurations are UTF-8. A byte of a name that is not is written as an escape, such as `\udcff` for 0xFF.

    Args:
        name: Name of a file or folder.

    Raises:
        UsageError: The name begins with the home of a user who does not exist.
    """
    try:
        path = Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{name!r} begins with ~, but there is no such user; write ./ or the whole path") from error
    escaped = re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), str(path))
    return Path(escaped) if escaped != str(path) and os.path.exists(escaped) and not os.path.exists(path) else path


def plain(value: Any) -> Any:
    """Return a value as plain Python that JSON can hold; other values become text."""
    return json.loads(json.dumps(value, default=str))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types
    """Dumper that quotes all text that some reader of YAML takes for something else, such as `1e3`."""


def _quoted_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_safe = _PLAIN_TEXT.fullmatch(text) and text.lower() not in _WORDS
    style = None if is_safe else "|" if "\n" in text and text.isprintable() else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted_text)


def as_yaml(content: Any, *, literal: bool = False) -> str:
    r"""Return plain values as YAML that is read back unchanged, by version 1.1 and 1.2 alike.

    Args:
        content: Plain values.
        literal: Whether `${...}` is text, which a parser of configurations must not resolve.

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
    """Return what `as_yaml` was given, if its `${...}` was literal."""
    return with_texts(
        value, lambda text: re.sub(r"(\\+)\$\{", lambda found: found[1][: len(found[1]) // 2] + "${", text)
    )


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a plain value with each text in it, keys included, as `change` returns it."""
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
    """Return the first half of a message about a file in another format; the remedy follows.

    Args:
        found: Format of the file.
        known: Format that this version reads and writes.

    Example:
        >>> other_format(3, 2)
        'has format 3, which a later version wrote (this one reads 2): update untrained, or'
        >>> other_format(1, 2)
        'has format 1, which an earlier version wrote (this one reads 2):'
    """
    if isinstance(found, int) and found > known:
        return (
            f"has format {str(found)[:20]}, which a later version wrote (this one reads {known}): update untrained, or"
        )
    return f"has format {repr(found)[:20]}, which an earlier version wrote (this one reads {known}):"


def _has_died(holder: Path) -> bool:
    """Return whether the process that holds a lock ran on this machine and no longer exists."""
    try:
        _, pid, _, host = holder.read_text("utf-8").split(" ", 3)
        if host != socket.gethostname():
            return False
        os.kill(int(pid), 0)  # tests whether the process exists, and kills nothing
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _cannot_be_written(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be written: {error.strerror}; free space or change permissions, then run again")
