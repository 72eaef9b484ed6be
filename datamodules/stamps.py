"""Stamps of the files of all clips of a data set, as columns rather than as objects."""

import os
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import terminal
from .clip import Clip, Stamp
from .digests import stamp_at, stamp_of
from .listing import Clips
from .sorted_ids import lower_bound

_CHUNK = 8192  # ids that are objects at the same time
_STEP = 1000  # number of files after which progress is shown


class Stamps(Mapping[str, Stamp]):
    """Stamps of files by the ids of clips, in 16 bytes a clip besides the ids.

    Args:
        ids: Unique ids, sorted, as an Arrow array of type `large_string`.
        sizes: Sizes of the files in bytes, `(n_clips,)`, int64.
        mtimes_ns: Modification times of the files in ns, `(n_clips,)`, int64.

    Example:
        >>> Stamps.of([("b.wav", Stamp(5, 7)), ("a.wav", Stamp(1, 2))])["b.wav"]
        Stamp(size=5, mtime_ns=7)
    """

    def __init__(self, ids: pa.Array, sizes: NDArray[np.int64], mtimes_ns: NDArray[np.int64]) -> None:
        self.ids, self.sizes, self.mtimes_ns = ids, sizes, mtimes_ns

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Stamp]]) -> "Stamps":
        """Return the stamps of clips that are given one by one, in any order.

        Args:
            pairs: Id and stamp of each clip.
        """
        ordered = sorted(pairs)
        ids = pa.array([clip_id for clip_id, _ in ordered], pa.large_string())
        values = np.array([stamp for _, stamp in ordered], np.int64).reshape(-1, 2)
        return cls(ids, values[:, 0].copy(), values[:, 1].copy())

    def __getitem__(self, clip_id: str) -> Stamp:
        number = self.position(clip_id)
        return Stamp(int(self.sizes[number]), int(self.mtimes_ns[number]))

    def position(self, clip_id: str) -> int:
        """Return the position of an id among the sorted ids.

        Raises:
            KeyError: There is no such id.
        """
        number = lower_bound(self.ids, clip_id)
        if number == len(self.ids) or self.ids[number].as_py() != clip_id:
            raise KeyError(clip_id)
        return number

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self.ids), _CHUNK):
            yield from self.ids.slice(start, _CHUNK).to_pylist()

    def items(self) -> "ItemsView[str, Stamp]":
        """Return a view of the ids with their stamps, which looks up no id."""
        return _Items(self)

    def __len__(self) -> int:
        return len(self.ids)


class _Items(ItemsView[str, Stamp]):
    """Items of stamps, in the order of the columns."""

    _mapping: Stamps

    def __iter__(self) -> Iterator[tuple[str, Stamp]]:
        stamps = self._mapping
        for start in range(0, len(stamps), _CHUNK):
            part = slice(start, start + _CHUNK)
            columns = stamps.ids[part].to_pylist(), stamps.sizes[part].tolist(), stamps.mtimes_ns[part].tolist()
            for clip_id, size, mtime_ns in zip(*columns, strict=True):
                yield clip_id, Stamp(size, mtime_ns)


def stamps_of(clips: Clips, stamp: Callable[[Clip], Stamp] | None = None) -> Stamps:
    """Return the stamps of clips, which are sorted by id.

    Args:
        clips: Clips to ask for.
        stamp: Function that returns the stamp of a clip; None for `digests.stamp_of`.
    """
    sizes, mtimes = np.zeros(len(clips), np.int64), np.zeros(len(clips), np.int64)
    is_plain = stamp is None and type(clips.root) is type(Path()) and not clips.paths
    root = str(clips.root)
    found = (
        (stamp_at(os.path.join(root, clip_id)) for clip_id in clips.each_id())  # without an object for each clip
        if is_plain
        else map(stamp or stamp_of, clips)
    )
    with terminal.bar("reading the sizes of files", len(clips)) as advance:
        for position, (size, mtime_ns) in enumerate(found):
            sizes[position], mtimes[position] = size, mtime_ns
            if position % _STEP == _STEP - 1:
                advance(_STEP)
    return Stamps(clips.ids, sizes, mtimes)
