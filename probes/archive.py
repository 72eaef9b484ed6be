"""Reading of the archives in a checkpoint, which may have been crafted to exhaust memory or time.

A checkpoint is a zip file that `torch.save` writes, and the backend in it is a zip file that skops writes. Neither
compresses its entries, so everything is checked against the size of the file before it is read: compressed entries,
tensors that are larger than their data, and operations that checkpoints do not need are rejected.
"""

import io
import math
import pickletools
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_SCHEMA = 2**24
"""Maximum size in bytes of the description of a backend; the description of a fitted MLP has about ten thousand."""
_MAX_SEARCHED = 2**24  # maximum number of bytes of a description that are searched for the name of its writer
_SHARED = 8  # maximum ratio of content size to file size; shared tensors count once per reference
# Operations of a pickle that `torch.save` writes for tensors and plain values.
_OPERATIONS = (
    "PROTO MARK STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE EMPTY_DICT "
    "SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 BINPUT LONG_BINPUT "
    "BINGET LONG_BINGET GLOBAL REDUCE BINPERSID "
)
# Names in such a pickle. `torch.load` accepts more names, but some of them allocate memory of any requested size.
_NAMES = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_tensor_v2|torch (?!Unt|Typ)[A-Z][A-Za-z0-9]+Storage"
)


class ArchiveError(ValueError):
    """Error for an archive that is not a checkpoint; its message is a clause about the archive."""


def load(path: Path) -> Any:
    """Read tensors and plain values from a zip file written by `torch.save`.

    Memory and time are bounded by the size of the file, and no code that the file names is called.

    Args:
        path: File to read.

    Returns:
        Saved tensors and plain values, in their containers.

    Raises:
        ArchiveError: The file holds other content, or was crafted to exhaust memory.
        Exception: The file is damaged, or is not a zip file.
    """
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        refuse_packed(archive, size)
        root = archive.namelist()[0].partition("/")[0]
        _refuse_operations(archive.read(f"{root}/data.pkl"))
    # Memory-mapped tensors cannot exceed the file, whatever size they claim.
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    _refuse_more_than(content, _SHARED * size)
    return content


def named_kind(path: Path) -> str:
    """Return a description of a file that `train` writes next to `probe.ckpt`; empty for any other file.

    Args:
        path: File, of which nothing is loaded.
    """
    with path.open("rb") as file:
        begins = file.read(10)
    if begins[8:] == b'{"' and path.suffix == ".safetensors":
        return "a weights file, to be passed with --model.weights"
    try:
        with zipfile.ZipFile(path) as archive:
            described = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(described) as file:
                is_of_lightning = b"pytorch-lightning_version" in file.read(_MAX_SEARCHED)
    except (OSError, ValueError, StopIteration, NotImplementedError, RuntimeError, zipfile.BadZipFile):
        return ""
    return "Lightning's checkpoint, from which train resumes" if is_of_lightning else ""


def refuse_packed(archive: zipfile.ZipFile, size: int) -> None:
    """Raise if the entries of an archive are compressed, repeated or larger than the archive.

    Args:
        archive: Archive; only its directory is read.
        size: Size of the archive, in bytes.

    Raises:
        ArchiveError: The archive differs from those that `torch.save` and skops write.
    """
    entries = archive.infolist()
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise ArchiveError(f"its entry {entry.filename!r} is compressed, unlike those of checkpoints")
    if sum(entry.file_size for entry in entries) > size:
        raise ArchiveError("its entries are larger than the file")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ArchiveError("it has several entries with the same name")
    if not entries:
        raise ArchiveError("it is empty")


def refuse_absurd_backend(stored: bytes) -> None:
    """Raise if the skops archive of a backend was crafted to exhaust memory.

    Args:
        stored: Bytes of the archive.

    Raises:
        ArchiveError: An entry is compressed or larger than the archive, the description is too large, or an array is
            larger than its data.
    """
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        refuse_packed(archive, len(stored))
        for entry in archive.infolist():
            if entry.filename == "schema.json" and entry.file_size > MAX_SCHEMA:
                raise ArchiveError(f"its description has {entry.file_size:,} bytes, expected at most {MAX_SCHEMA:,}")
            if entry.filename != "schema.json":  # the description may name any entry as an array
                with archive.open(entry) as file:
                    _refuse_larger_array(file, entry)


def _refuse_larger_array(file: Any, entry: zipfile.ZipInfo) -> None:
    """Raise if an npy file states a larger shape than its data."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if math.prod(shape) * max(1, dtype.itemsize) > entry.file_size:
        raise ArchiveError(f"its array {entry.filename!r} of shape {shape} is larger than its data")


def _refuse_operations(described: bytes) -> None:
    """Raise if a pickle has operations or names that tensors and plain values do not need, without loading it.

    Raises:
        ArchiveError: The pickle has such a name or operation.
    """
    unknown: set[str] = set()
    allowed = frozenset(_OPERATIONS.split())
    for operation, argument, _ in pickletools.genops(described):
        if operation.name == "GLOBAL":
            if not _NAMES.fullmatch(str(argument)):
                unknown.add(str(argument).replace("__builtin__", "builtins").replace(" ", "."))
        elif operation.name not in allowed:
            raise ArchiveError(f"it holds the operation {operation.name}, which checkpoints do not need")
        elif operation.name == "LONG_BINPUT" and int(argument or 0) > len(described):
            raise ArchiveError(f"it stores a value under the index {argument:,}, but has fewer values")
    if unknown:
        raise ArchiveError(f"it names {', '.join(sorted(unknown))}, which could run code")


def _refuse_more_than(content: Any, limit: int) -> None:
    """Raise if repeated values add up to far more than the size of the file.

    Args:
        content: Tensors and plain values in containers.
        limit: Maximum size in bytes, where each value counts as often as it occurs.
    """
    waiting, n_bytes = [content], 0
    while waiting:
        value = waiting.pop()
        n_bytes += 1
        if isinstance(value, Tensor):
            n_bytes += value.nbytes
        elif isinstance(value, str):
            n_bytes += len(value)
        elif isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value
        elif not isinstance(value, int | float | None):
            raise ArchiveError(f"it holds a {type(value).__name__}, which checkpoints do not")
        if n_bytes + len(waiting) > limit:
            raise ArchiveError("its repeated values add up to far more than the size of the file")
