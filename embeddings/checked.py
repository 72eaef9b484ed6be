"""Reading of the files of a store, with checks of their content."""

import csv
import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

CHECKSUM = "crc32"
"""Name of the checksum in the metadata of a file; files of earlier versions have no checksum."""


class DamagedError(ValueError):
    """Error for a file of a store with damaged or unexpected content; its message is the reason."""


def read_shard(path: Path, embedding_size: int) -> tuple[list[list[str]], NDArray[Any], dict[str, str]]:
    """Read a matrix of embeddings with its table of clips.

    safetensors itself rejects tensors that overlap or exceed the file.

    Args:
        path: File of a store.
        embedding_size: Number of features that an embedding must have.

    Returns:
        Lines of the table without its header, each starting with a unique id; the matrix
        `(len(lines), embedding_size)`, float32, memory-mapped to the file; and the metadata.

    Raises:
        DamagedError: The file does not hold such a matrix, or has changed since it was written.
    """
    try:
        with safe_open(path, framework="pt") as file:  # PyTorch maps tensors to the file, NumPy would copy them
            metadata: dict[str, str] = file.metadata() or {}
            described = file.get_slice("embeddings")
            shape, dtype = tuple(described.get_shape()), described.get_dtype()
            if dtype != "F32" or len(shape) != 2 or shape[1] != embedding_size:
                raise DamagedError(f"its matrix is {dtype} of shape {shape}, expected F32 of (clips, {embedding_size})")
            matrix = file.get_tensor("embeddings").numpy()
        lines = list(csv.reader(io.StringIO(metadata["clips"], newline="")))[1:]
        failed = json.loads(metadata.get("failed", "{}"))
    except DamagedError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    if len(lines) != len(matrix):
        raise DamagedError(f"it lists {len(lines)} clips for {len(matrix)} rows")
    if len({line[0] for line in lines if line}) != len(lines):
        raise DamagedError("it lists a clip twice")
    if not isinstance(failed, dict) or not all(isinstance(reason, str) for reason in failed.values()):
        raise DamagedError("its table of failed clips is malformed (expected a reason for each clip id)")
    if CHECKSUM in metadata:
        if metadata[CHECKSUM] != checksum(matrix, metadata):
            raise DamagedError("it has changed since it was written")
    elif not np.isfinite(matrix).all():
        raise DamagedError("it holds numbers that are not finite")
    return lines, matrix, metadata


def checksum(matrix: NDArray[Any], metadata: Mapping[str, str]) -> str:
    """Return a checksum of a matrix and its metadata, which detects damage but not a deliberate change.

    Args:
        matrix: Embeddings, float32.
        metadata: Texts by name; the text of the checksum itself is ignored.
    """
    texts = json.dumps({name: text for name, text in metadata.items() if name != CHECKSUM}, sort_keys=True)
    return f"{zlib.crc32(np.ascontiguousarray(matrix).view(np.uint8).data, zlib.crc32(texts.encode())):08x}"


def read_failed(path: Path) -> dict[str, str]:
    """Read the table of clips that could not be read, as reasons by id.

    Raises:
        DamagedError: The file is not such a table.
    """
    try:
        text = path.read_bytes().decode()  # line endings stay unchanged, because names of clips may contain them
        return dict(list(csv.reader(io.StringIO(text, newline="")))[1:])
    except (ValueError, csv.Error) as error:
        raise DamagedError(str(error)) from error
