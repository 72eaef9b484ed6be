"""Location of the store for a data set and a frontend."""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..datamodules.base import AudioDataModule
from ..files import digest, read_json
from ..frontends import Frontend
from . import FORMAT
from .changes import changes, is_of_code
from .provenance import embedding_fields
from .store import EmbeddingStore


def store_folder(root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str) -> Path:
    """Return the folder of a store, which need not exist.

    Args:
        root: Folder that holds all stores.
        frontend: Frontend of the embeddings.
        datamodule: Data set of the clips.
        precision: Precision field, see `provenance.precision_field`.
    """
    return _folder(root, embedding_fields(frontend, datamodule, precision), datamodule)


def open_store(
    root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str, *, damaged: bool = False
) -> EmbeddingStore:
    """Open the store of a data set for embeddings computed with a frontend, and create it if it does not exist.

    Args:
        root: Folder that holds all stores.
        frontend: Frontend of the embeddings.
        datamodule: Data set of the clips.
        precision: Precision field, see `provenance.precision_field`.
        damaged: Whether to open the store without shards whose rows are damaged instead of raising.
    """
    fields = embedding_fields(frontend, datamodule, precision)
    folder = _folder(root, fields, datamodule)
    return EmbeddingStore(folder, fields, frontend.embedding_size, damaged=damaged)


def store_at(folder: Path, manifest: Mapping[str, Any], *, damaged: bool = False) -> EmbeddingStore:
    """Open a store by its folder alone.

    Args:
        folder: Folder of the store.
        manifest: Content of its `manifest.json`.
        damaged: Whether to open the store without its damaged shards instead of raising.
    """
    fields = {name: value for name, value in manifest.items() if name not in ("format", "embedding_size")}
    return EmbeddingStore(folder, fields, manifest["embedding_size"], damaged=damaged)


def why_new(store: EmbeddingStore) -> str:
    """Return why a store is new although another store exists for the same data set and frontend.

    Returns:
        Changes of the code or the format since the latest store with the same settings; empty if there is no such
        store, because new settings need no explanation.
    """
    prefix = store.folder.name.rpartition("-")[0]
    others = store.folder.parent.glob(f"{glob.escape(prefix)}-*/manifest.json")
    for path in sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        try:
            found = read_json(path)
            if path.parent == store.folder or not isinstance(found, dict):
                continue
        except (OSError, ValueError):
            continue
        if found.get("format") != FORMAT:
            formats = f"{found.get('format')} -> {FORMAT}"
            return f"the store format has changed ({formats}); the old store {path.parent} can be deleted"
        differing = changes(found, store.manifest)
        if all(map(is_of_code, differing)):
            return "; ".join(differing.values())
    return ""


def _folder(root: Path, fields: Mapping[str, Any], datamodule: AudioDataModule) -> Path:
    return root / f"{datamodule.dataset_name}-{fields['frontend']}-{digest(fields)[:12]}"
