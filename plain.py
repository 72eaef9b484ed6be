"""Values as plain Python, which files hold and digests are of."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A value as plain Python that JSON can hold; what it cannot, by its text."""
    return json.loads(json.dumps(value, default=str))


def is_plain(value: Any) -> bool:
    """Whether a value holds nothing but text, numbers, booleans, None, lists and dictionaries with text keys.

    A tuple counts as a list, which JSON makes of it; not-a-number counts as none, as it equals not even itself.

    Example:
        >>> is_plain({"sizes": [1, 2.5]}), is_plain({1: "one"}), is_plain(b"bytes")
        (True, False, False)
    """
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return isinstance(value, str | int | float | bool | None) and value == value


def digest(fields: Mapping[str, Any]) -> str:
    """Hexadecimal digest of plain values."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()
