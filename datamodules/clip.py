"""A labelled sound, and what tells whether its audio has changed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the splits, in lower case."""


@dataclass(frozen=True)
class Clip:
    """One labelled sound.

    Args:
        id: Unique and stable; the path relative to the root, with `/`, where there is a file.
        label: Name of its class.
        path: The audio file, None where the datamodule makes the sound.
        split: Of a fixed partition, None where there is none.
        fold: Of a cross-validation, None where there is none.
        group: What it is an excerpt of, as one recording, where several clips are; no split or fold tears it apart.
        metadata: Anything else that is known.
    """

    id: str
    label: str
    path: Path | None = None
    split: Split | None = None
    fold: int | None = None
    group: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class Stamp(NamedTuple):
    """Tells whether a clip's audio has changed: file size in bytes and time of modification in ns (0, 0 if made)."""

    size: int
    mtime_ns: int
