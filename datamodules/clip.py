"""A labelled sound, and the stamp that shows whether its audio has changed."""

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
"""Common names of the splits, in lower case."""


@dataclass(frozen=True)
class Clip:
    """One labelled sound.

    Args:
        id: Unique id that is the same on any machine; for a file, its path relative to the root, with `/`.
        label: Name of the class; empty if it is unknown, which only `predict` accepts.
        path: Audio file, whose size and modification time show whether it has changed; None if the datamodule makes the
            sound in `read`.
        split: `train`, `validation` or `test`, for a fixed partition; None if the clip has a fold.
        fold: Number of the fold, for a cross-validation; None if the clip has a split.
        group: Name of what several clips are excerpts of, such as a recording; splits and folds keep a group together.
        metadata: Other properties, for the datamodule's own use; no run reads them.
    """

    id: str
    label: str
    path: Path | None = None
    split: Split | None = None
    fold: int | None = None
    group: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """Split or fold that the clip belongs to, for people."""
        return self.split or ("no split" if self.fold is None else f"fold {self.fold}")


class Stamp(NamedTuple):
    """Stamp that shows whether audio has changed: file size in bytes and modification time in ns (0, 0 if made)."""

    size: int
    mtime_ns: int
