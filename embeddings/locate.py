"""Where the embeddings of a data set by a frontend are stored."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..datamodules.base import AudioDataModule
from ..files import digest
from ..frontends import Frontend
from . import FORMAT
from .provenance import embedding_fields
from .store import EmbeddingStore


def store_folder(root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str) -> Path:
    """Return the folder of a store, which need not exist.

    Args:
        root: Folder that holds all stores.
        frontend: Frontend of the embeddings.
        datamodule: Data set of the clips.
        precision: Precision of the trainer.
    """
    return _folder(root, embedding_fields(frontend, datamodule, precision), datamodule)


def open_store(
    root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str, *, damaged: bool = False
) -> EmbeddingStore:
    """Open the store for the embeddings of a data set by a frontend; it is made if it does not exist.

    Args:
        root: Folder that holds all stores.
        frontend: Frontend of the embeddings.
        datamodule: Data set of the clips.
        precision: Precision of the trainer.
        damaged: Whether to open a damaged store as an empty one.
    """
    fields = embedding_fields(frontend, datamodule, precision)
    folder = _folder(root, fields, datamodule)
    return EmbeddingStore(folder, fields, frontend.embedding_size, damaged=damaged)


def is_of_other_version(folder: Path) -> bool:
    """Return whether a folder holds a store that another version wrote."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") != FORMAT


def _folder(root: Path, fields: Mapping[str, Any], datamodule: AudioDataModule) -> Path:
    return root / f"{datamodule.dataset_name}-{fields['frontend']}-{digest(fields)[:12]}"
