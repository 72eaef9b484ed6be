"""List of clips as columns: a sequence that creates a clip only when it is asked for one."""

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .clip import Clip
from .codes import Codes

_CHUNK = 8192  # clips whose ids are objects at the same time


@dataclass(frozen=True, eq=False, repr=False)
class Clips(Sequence[Clip]):
    """Immutable sequence of clips, held as columns in about 20 bytes a clip besides the ids.

    Args:
        ids: Ids, as an Arrow array of type `large_string`.
        labels: Label of each clip.
        splits: Split of each clip, or None.
        folds: Fold of each clip, or None.
        groups: Group of each clip, or None.
        root: Folder that the id of a clip is the path in, for all clips but those in `paths`; None if those have no
            path. Anything that `root / id` gives a path for.
        paths: Path of each clip whose path is not `root / id`, by its position.
        columns: Columns of metadata that all clips have, as Arrow arrays of type `large_string`, by name.
        metadata: Metadata of single clips, by position.

    Example:
        >>> clips = Clips.of([Clip("a.wav", "low"), Clip("b.wav", "high"), Clip("c.wav", "low")])
        >>> [clip.id for clip in clips.where(clips.labels.where(lambda label: label == "low"))]
        ['a.wav', 'c.wav']
    """

    ids: pa.Array
    labels: Codes
    splits: Codes
    folds: Codes
    groups: Codes
    root: Any = None
    paths: Mapping[int, Any] = field(default_factory=dict)
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    metadata: Mapping[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, clips: Iterable[Clip]) -> "Clips":
        """Return clips, in the same order, as columns.

        Raises:
            TypeError: A split, fold or group is not hashable.
            UnicodeEncodeError: An id is not valid Unicode text.
        """
        if isinstance(clips, Clips):
            return clips
        given = list(clips)
        root = _root_of(given)
        return cls(
            pa.array([clip.id for clip in given], pa.large_string()),
            labels=Codes.of(clip.label for clip in given),
            splits=Codes.of(clip.split for clip in given),
            folds=Codes.of(clip.fold for clip in given),
            groups=Codes.of(clip.group for clip in given),
            root=root,
            paths={
                position: clip.path
                for position, clip in enumerate(given)
                if (clip.path is not None if root is None else not _lies_below(root, clip))
            },
            metadata={position: clip.metadata for position, clip in enumerate(given) if clip.metadata},
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Clip: ...
    @overload
    def __getitem__(self, index: slice) -> "Clips": ...
    def __getitem__(self, index: int | slice) -> "Clip | Clips":
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        position = range(len(self))[index]
        return next(self._from(position, position + 1))

    def __iter__(self) -> Iterator[Clip]:
        for start in range(0, len(self), _CHUNK):
            yield from self._from(start, min(start + _CHUNK, len(self)))

    def _from(self, start: int, stop: int) -> Iterator[Clip]:
        rows = [column.codes[start:stop].tolist() for column in (self.labels, self.splits, self.folds, self.groups)]
        labels, splits, folds, groups = (each.values for each in (self.labels, self.splits, self.folds, self.groups))
        more = {name: column[start:stop].to_pylist() for name, column in self.columns.items()}
        ids, root, paths = self.ids[start:stop].to_pylist(), self.root, self.paths
        for n, (clip_id, label, split, fold, group) in enumerate(zip(ids, *rows, strict=True)):
            path = None if root is None else root / clip_id
            if paths:
                path = paths.get(start + n, path)
            about = {name: cells[n] for name, cells in more.items()}
            if self.metadata:
                about = self.metadata.get(start + n, about)
            yield Clip(clip_id, labels[label], path, splits[split], folds[fold], groups[group], about)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} clips>" if len(self) > 10 else repr(list(self))

    def take(self, positions: NDArray[Any]) -> "Clips":
        """Return the clips at some positions.

        Args:
            positions: Positions, `(n,)`, in any order.
        """
        positions = np.asarray(positions, np.int64)
        return replace(
            self,
            ids=self.ids.take(pa.array(positions)),
            **{name: getattr(self, name).take(positions) for name in ("labels", "splits", "folds", "groups")},
            paths=_taken(self.paths, positions),
            columns={name: column.take(pa.array(positions)) for name, column in self.columns.items()},
            metadata=_taken(self.metadata, positions),
        )

    def where(self, mask: NDArray[np.bool_]) -> "Clips":
        """Return the clips for which a mask `(n_clips,)` is true."""
        return self.take(np.flatnonzero(mask))

    def among(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Return for each clip whether its id is one of those given."""
        wanted = pa.array(ids if isinstance(ids, Sequence) else list(ids), pa.large_string())
        found: NDArray[np.bool_] = pc.is_in(self.ids, value_set=wanted).to_numpy(zero_copy_only=False)
        return found

    def selected(self, chosen: Iterable[str] | NDArray[Any]) -> "Clips":
        """Return some clips, in their order here.

        Args:
            chosen: Ids, or an array of positions. An id that is not in the list is ignored.
        """
        if isinstance(chosen, np.ndarray):
            return self.take(np.unique(chosen))
        return self.where(self.among(chosen))

    def ordered(self) -> "Clips":
        """Return the clips sorted by id; equal ids stay in their order."""
        return self if _is_sorted(self.ids) else self.take(order_of(self.ids))

    @property
    def has_repeated_ids(self) -> bool:
        """Whether an id occurs twice."""
        ids = self.ids if _is_sorted(self.ids) else self.ids.take(pa.array(order_of(self.ids)))
        return bool(pc.any(pc.equal(ids[:-1], ids[1:])).as_py())

    @property
    def all_have_paths(self) -> bool:
        """Whether every clip has a path, so that none is generated."""
        return (self.root is not None or len(self.paths) == len(self)) and None not in self.paths.values()

    def each_id(self) -> Iterator[str]:
        """Yield all ids, without creating clips."""
        for start in range(0, len(self), _CHUNK):
            yield from self.ids[start : start + _CHUNK].to_pylist()


def text_column(texts: Iterable[str]) -> pa.Array:
    """Return texts as an Arrow array of type `large_string`, without an object for each of them at the same time."""
    remaining, chunks = iter(texts), [pa.array([], pa.large_string())]
    while some := list(itertools.islice(remaining, _CHUNK)):
        chunks.append(pa.array(some, pa.large_string()))
    found = pa.concat_arrays(chunks)
    del chunks
    release_memory()
    return found


def release_memory() -> None:
    """Give memory that Arrow keeps for later back to the system, after large columns have been replaced."""
    pa.default_memory_pool().release_unused()


def order_of(ids: pa.Array) -> NDArray[np.int64]:
    """Return the positions of ids in sorted order; equal ids stay in their order."""
    if _is_sorted(ids):
        return np.arange(len(ids))
    # Arrow compares the bytes of UTF-8, whose order is that of the characters. The sort is stable.
    positions: NDArray[np.int64] = pc.array_sort_indices(ids).to_numpy().astype(np.int64)
    return positions


def _is_sorted(ids: pa.Array) -> bool:
    return len(ids) < 2 or bool(pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py())


def column(clips: Iterable[Clip], name: str) -> Codes:
    """Return a column of clips.

    Args:
        clips: Clips, as columns or as objects.
        name: `label`, `split`, `fold` or `group`.
    """
    if isinstance(clips, Clips):
        found: Codes = getattr(clips, f"{name}s")
        return found
    return Codes.of(getattr(clip, name) for clip in clips)


def _root_of(clips: Sequence[Clip]) -> Path | None:
    """Return the folder that the id of the first clip with a path is the path in; None if there is none."""
    first = next((clip for clip in clips if clip.path is not None), None)
    if first is None or type(first.path) is not type(Path()):
        return None
    text, tail = str(first.path), first.id.replace("/", os.sep)
    if not tail or not text.endswith(os.sep + tail):
        return None
    return Path(text[: -len(tail)])


def _lies_below(root: Path, clip: Clip) -> bool:
    """Return whether the path of a clip is `root / id`."""
    return type(clip.path) is type(root) and clip.path == root / clip.id


def _taken(of_position: Mapping[int, Any], positions: NDArray[np.int64]) -> Mapping[int, Any]:
    if not of_position:
        return of_position
    return {new: of_position[old] for new, old in enumerate(positions.tolist()) if old in of_position}
