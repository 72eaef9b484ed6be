"""Labelled clips, and stamps that detect changes of their audio."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..audio.remote import RemotePath

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
    """Labelled clip.

    Args:
        id: Unique id that is the same on any machine; for a file, its path relative to the root, with `/`.
        label: Name of the class; empty if it is unknown, which only `predict` accepts.
        path: Audio file, local or remote, whose size and modification time show whether it has changed; None if `read`
            of the datamodule generates the audio.
        split: `train`, `validation` or `test`; None if the clip has a fold.
        fold: Number of the fold for cross-validation; None if the clip has a split.
        group: Name of the recording, or other source, of which several clips are excerpts. All clips of a group are
            assigned to the same split or fold.
        metadata: Other properties, for use by the datamodule; runs ignore them.
    """

    id: str
    label: str
    path: Path | RemotePath | None = None
    split: Split | None = None
    fold: int | None = None
    group: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """Name of the clip's split or fold, for messages."""
        return self.split or ("no split" if self.fold is None else f"fold {self.fold}")


class Stamp(NamedTuple):
    """File size in bytes and modification time in ns, to detect changes of a file; (0, 0) for generated audio."""

    size: int
    mtime_ns: int
