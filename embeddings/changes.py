"""Changes between the fields of two keys, as sentences for the user."""

from collections.abc import Mapping
from typing import Any

_TEXTS = {
    "clips": "clips, labels, splits, folds or groups have changed",
    "files": "sizes or modification times of audio files have changed",
    "weights": "weights have changed",
    "source": "source code of a plug-in has changed",
}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Return the differences between the fields of two keys, as one sentence for each field.

    Args:
        before: Fields of an earlier key.
        now: Fields of the current key.

    Returns:
        Sentences by the dotted names of the fields, such as `code.frontend vgg`.

    Example:
        >>> changes({"code": {"z-scoring": 1}, "seed": 0}, {"code": {"z-scoring": 2}, "seed": 0})
        {'code.z-scoring': 'z-scoring has changed (version 1 -> 2)'}
    """
    flat_before, flat_now = _flat(before), _flat(now)
    names = sorted(name for name in flat_before.keys() | flat_now.keys() if flat_before.get(name) != flat_now.get(name))
    return {name: _sentence(name, flat_before.get(name), flat_now.get(name)) for name in names}


def settings_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a key that a user sets, by dotted name, without the fields on code and files."""
    return {name: value for name, value in _flat(fields).items() if not is_of_code(name) and name != "files"}


def is_of_code(name: str) -> bool:
    """Return whether the field with a dotted name depends on code rather than on settings of the user."""
    return bool({"code", "reading", "weights"}.intersection(name.split(".")))


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _sentence(name: str, before: Any, now: Any) -> str:
    last = name.rpartition(".")[2]
    if last in _TEXTS and (last != "source" or is_of_code(name)):
        return _TEXTS[last]
    if is_of_code(name):
        return f"{last} has changed (version {before or 'none'} -> {now or 'none'})"
    return f"{last} has changed ({before!r} -> {now!r})"
