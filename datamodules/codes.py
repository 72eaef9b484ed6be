"""Column of few different values, such as labels: a number for each clip instead of an object."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 8192  # values that are objects at the same time


@dataclass(frozen=True, eq=False)
class Codes:
    """Column of values that occur often.

    Args:
        codes: Number of the value of each item, `(n_items,)`, int32.
        values: Different values; some may not occur.

    Example:
        >>> column = Codes.of(["low", "high", "low"])
        >>> column.codes.tolist(), column.values, column[2]
        ([0, 1, 0], ('low', 'high'), 'low')
    """

    codes: NDArray[np.int32]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, items: Iterable[Hashable]) -> "Codes":
        """Return the column of some items, with the values in the order in which they occur.

        Raises:
            TypeError: An item is not hashable.
        """
        numbers: dict[Hashable, int] = {}
        codes = np.fromiter((numbers.setdefault(item, len(numbers)) for item in items), np.int32)
        return cls(codes, tuple(numbers))

    @classmethod
    def same(cls, value: Any, n_items: int) -> "Codes":
        """Return a column with one value for all items."""
        return cls(np.zeros(n_items, np.int32), (value,))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, position: int) -> Any:
        return self.values[self.codes[position]]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), _CHUNK):
            yield from map(self.values.__getitem__, self.codes[start : start + _CHUNK].tolist())

    def take(self, positions: NDArray[np.int64]) -> "Codes":
        """Return the items at some positions."""
        return Codes(self.codes[positions], self.values)

    def mapped(self, function: Callable[[Any], Hashable]) -> "Codes":
        """Return the column with a function applied to each value that occurs; equal results become one value.

        Values that do not occur are left out.
        """
        occurs = np.bincount(self.codes, minlength=len(self.values)) > 0
        numbers: dict[Hashable, int] = {}
        new = [
            numbers.setdefault(function(value), len(numbers)) if occur else 0
            for value, occur in zip(self.values, occurs.tolist(), strict=True)
        ]
        return Codes(np.array(new, np.int32)[self.codes] if new else self.codes, tuple(numbers))

    def counts(self) -> dict[Any, int]:
        """Return the number of items with each value that occurs."""
        found = np.bincount(self.codes, minlength=len(self.values)).tolist()
        return {value: n for value, n in zip(self.values, found, strict=True) if n}

    def where(self, test: Callable[[Any], object]) -> NDArray[np.bool_]:
        """Return for each item whether its value passes a test, which is carried out once for each value."""
        return np.array([bool(test(value)) for value in self.values], bool)[self.codes]

    def ranks(self) -> tuple[NDArray[np.int32], Sequence[Any]]:
        """Return the rank of each item among the sorted values that occur, and these values."""
        ordered = sorted(self.counts())
        rank_of: Mapping[Any, int] = {value: rank for rank, value in enumerate(ordered)}
        return np.array([rank_of.get(value, 0) for value in self.values], np.int32)[self.codes], ordered
