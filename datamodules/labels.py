"""Labels that look alike: they are compared by what people see of them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .clip import Clip

MAX_SHOWN = 5  # labels in a note
_JOINERS = "\u200c\u200d"  # which shape letters of some scripts, so that they stay inside a label


def seen(text: str) -> str:
    r"""Return what is seen of a text: in the normal form NFC, without invisible characters and blanks at its ends.

    Two texts that look alike become equal. Differences of case remain.

    Example:
        >>> seen("low\u200b "), seen("cafe\u0301") == seen("caf\u00e9")
        ('low', True)
    """
    return _visible(text, "")


def united(clips: Sequence[Clip]) -> tuple[list[Clip], list[str]]:
    """Return clips of which labels and groups that look alike are equal, and notes for the user.

    Args:
        clips: Clips as a datamodule lists them.

    Returns:
        The clips, and notes on labels that were united, or that differ by case alone.
    """
    name_of = _names(clip.label for clip in clips)
    groups = _names(clip.group for clip in clips if clip.group is not None)
    changed = [
        replace(clip, label=name_of[clip.label], group=None if clip.group is None else groups[clip.group])
        for clip in clips
    ]
    spellings: dict[str, set[str]] = {}
    for label, name in name_of.items():
        spellings.setdefault(name, set()).add(label)
    notes = [
        f"label {name!r} is written in {len(written)} ways that look alike ({_shown(sorted(map(ascii, written)))}); "
        "they count as one class"
        for name, written in sorted(spellings.items())
        if len(written) > 1
    ]
    counts = Counter(clip.label for clip in changed)
    same: dict[str, list[str]] = {}
    for label in sorted(counts):
        same.setdefault(label.casefold(), []).append(label)
    notes += [
        f"labels differ by case alone: {_shown([f'{label!r} ({counts[label]} clips)' for label in labels])}; they are "
        "separate classes: write them alike if they are one"
        for labels in same.values()
        if len(labels) > 1
    ]
    return changed, notes


def _names(texts: Iterable[str]) -> dict[str, str]:
    """Return the name that stands for each text: what is seen of it."""
    written: dict[str, set[str]] = {}
    for text in set(texts):
        written.setdefault(seen(text), set()).add(text)
    # Joiners are kept where nothing hangs on them.
    kept = {key: {_visible(text, _JOINERS).strip(_JOINERS) for text in spelled} for key, spelled in written.items()}
    return {text: next(iter(kept[key])) if len(kept[key]) == 1 else key for key in written for text in written[key]}


def _visible(text: str, kept: str) -> str:
    """Return a text in NFC without invisible characters, except some, and with single blanks inside alone."""
    inside = "".join(
        " " if character.isspace() else character
        for character in text
        if character in kept or not (unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f")
    )
    return unicodedata.normalize("NFC", " ".join(inside.split()))


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(texts[:MAX_SHOWN]) + (", ..." if len(texts) > MAX_SHOWN else "")
