"""Normalisation of labels and groups that look the same but are encoded differently."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .clip import Clip
from .listing import Clips

MAX_SHOWN = 5  # maximum number of labels in a note
_JOINERS = "\u200c\u200d"  # invisible characters that shape letters in some scripts, and are kept inside a label


def seen(text: str) -> str:
    r"""Normalise a text to NFC, without invisible characters and surrounding white space.

    Texts that look the same become equal. Differences in case remain.

    Example:
        >>> seen("low\u200b "), seen("cafe\u0301") == seen("caf\u00e9")
        ('low', True)
    """
    return _visible(text, "")


def united(clips: Sequence[Clip]) -> tuple[Clips, list[str]]:
    """Normalise labels and groups of clips that look the same.

    Args:
        clips: Clips as listed by a datamodule.

    Returns:
        The changed clips, and notes on labels that were normalised or that differ only in case.
    """
    columns = Clips.of(clips)
    name_of = _names(columns.labels.counts())
    group_of = _names(group for group in columns.groups.counts() if group is not None)
    labels = columns.labels.mapped(name_of.__getitem__)
    changed = replace(columns, labels=labels, groups=columns.groups.mapped(group_of.get))
    spellings: dict[str, set[str]] = {}
    for label, name in name_of.items():
        spellings.setdefault(name, set()).add(label)
    notes = [
        f"label {name!r} is written in {len(written)} ways that look the same ({_shown(sorted(map(ascii, written)))}); "
        "they count as one class"
        for name, written in sorted(spellings.items())
        if len(written) > 1
    ]
    counts = labels.counts()
    same: dict[str, list[str]] = {}
    for label in sorted(counts):
        same.setdefault(label.casefold(), []).append(label)
    notes += [
        f"labels differ only in case: {_shown([f'{label!r} ({counts[label]} clips)' for label in written])}; they "
        "count as separate classes: if they are one class, give them the same spelling"
        for written in same.values()
        if len(written) > 1
    ]
    return changed, notes


def _names(texts: Iterable[str]) -> dict[str, str]:
    """Return the common spelling of each text: its visible characters, see `seen`."""
    key_of = {text: seen(text) for text in texts}
    name_of: dict[str, str] = {}
    for text, key in key_of.items():
        # Joiners are kept unless texts that look the same differ in them.
        name = key if key == text else _visible(text, _JOINERS).strip(_JOINERS)
        name_of[key] = name if name_of.get(key, name) == name else key
    return {text: name_of[key] for text, key in key_of.items()}


def _visible(text: str, kept: str) -> str:
    """Return a text in NFC with single spaces inside, and without invisible characters other than `kept`."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    inside = "".join(
        " " if character.isspace() else character
        for character in text
        if character in kept or not (unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f")
    )
    return unicodedata.normalize("NFC", " ".join(inside.split()))


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(texts[:MAX_SHOWN]) + (", ..." if len(texts) > MAX_SHOWN else "")
