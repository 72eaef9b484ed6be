"""Search in sorted columns of ids, which hold millions of ids without a Python object for each of them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def lower_bound(ids: pa.Array, text: str) -> int:
    """Return the number of ids that come before a text.

    Args:
        ids: Sorted ids, as an Arrow array of strings.
        text: Any text.

    Example:
        >>> lower_bound(pa.array(["a", "c"]), "b")
        1
    """
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if ids[middle].as_py() < text:
            low = middle + 1
        else:
            high = middle
    return low


def span(ids: pa.Array, first: str, last: str) -> range:
    """Return the positions of the ids from a first to a last one, both included.

    Args:
        ids: Sorted ids, as an Arrow array of strings.
        first: Smallest id.
        last: Largest id.

    Example:
        >>> span(pa.array(["a", "b", "b", "c"]), "b", "bb")
        range(1, 3)
    """
    return range(
        lower_bound(ids, first), lower_bound(ids, last + "\0")
    )  # no text lies between `last` and `last + "\0"`


def matched(ids: pa.Array, others: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the ids that occur in both of two columns, which may be in any order.

    Args:
        ids: Ids.
        others: Unique ids, of which a hash table is made.

    Returns:
        Positions in `ids`, in ascending order, and positions of the same ids in `others`.

    Example:
        >>> matched(pa.array(["a", "b", "c"]), pa.array(["d", "c", "b"]))
        (array([1, 2]), array([2, 1]))
    """
    found: pa.Array = pc.index_in(ids, value_set=others.cast(ids.type))
    known: NDArray[Any] = found.is_valid().to_numpy(zero_copy_only=False)
    return np.flatnonzero(known), found.drop_null().to_numpy().astype(np.int64)
