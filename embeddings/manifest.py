"""Manifest of a store: everything that decides its embeddings, which never changes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..files import other_format, read_json, write_atomically
from . import FORMAT

_MAX_BYTES = 2**20  # manifests have a few thousand


def agree_on_manifest(folder: Path, wanted: Mapping[str, Any]) -> None:
    """Write the manifest of a new store, or compare that of a store that exists.

    Args:
        folder: Folder of the store.
        wanted: Format, size and fields of the store.

    Raises:
        OSError: The manifest cannot be read.
        StoreError: The store has other fields or another format, or its manifest is damaged.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        write_atomically(path, json.dumps(wanted, indent=1).encode())
        return
    try:
        found = read_json(path, _MAX_BYTES)
        if not isinstance(found, dict):
            raise ValueError(f"it holds a {type(found).__name__}")
    except ValueError as error:
        raise StoreError(f"{path} cannot be read ({error}); delete the folder to compute it again") from error
    if found.get("format") != FORMAT:
        raise StoreError(
            f"{folder} {other_format(found.get('format'), FORMAT)} delete the folder to compute it again, or "
            "use another --embeddings folder"
        )
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if differing:
        name = differing[0]
        raise StoreError(
            f"{folder} was created with a different configuration ({name}: found {found.get(name)!r}, "
            f"expected {wanted.get(name)!r}); use another --embeddings folder, or delete this one"
        )
