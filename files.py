"""Files that are whole or not there, and folders that one process writes to at a time, whatever interrupts."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import filelock

from .errors import StoreError

UNFINISHED = ".part"  # ends the names of files that are being written
# Seconds to wait for the decoders of a process that was killed, which notice it a little later.
_DECODERS_END = 30


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whatever interrupts: under another name, forced to disk, then renamed."""
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


@contextlib.contextmanager
def held(folder: Path, remedy: str) -> Iterator[None]:
    """Keep other processes from writing to a folder; the lock of a process that was killed is no lock.

    Args:
        folder: Made if need be.
        remedy: What else may be done than to wait.

    Raises:
        StoreError: Another process writes there, or the folder cannot be written.
    """
    lock, holder = filelock.FileLock(folder / ".lock"), folder / ".holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_DECODERS_END if _has_died(holder) else 0)
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


def _has_died(holder: Path) -> bool:
    """Whether the process that holds a lock was one of this machine, and is no more."""
    try:
        _, pid, _, host = holder.read_text("utf-8").split(" ", 3)
        if host != socket.gethostname():
            return False
        os.kill(int(pid), 0)  # asks, and kills nothing
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _cannot_be_written(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be written: {error.strerror}; free space or change permissions, then run again")
