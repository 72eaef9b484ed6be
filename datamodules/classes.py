"""Notes and errors on classes that cannot be learned or scored because clips are missing."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from ..errors import DataError
from .clip import SPLITS, Clip
from .content import count_by_suffix
from .found import quoted
from .listing import Clips, column


def notes_on_classes(clips: Sequence[Clip], unusable: Collection[str] = ()) -> list[str]:
    """Return notes on classes without usable clips, in the whole data set or in a split or fold.

    Args:
        clips: Clips of a data set.
        unusable: Ids of the clips that cannot be read.
    """
    columns = Clips.of(clips)
    usable = columns if not unusable else columns.where(~columns.among([*unusable]))
    labels, splits, folds = usable.labels, usable.splits, usable.folds
    shape = len(labels.values), len(splits.values), len(folds.values)
    kinds, numbers = np.unique(
        np.ravel_multi_index((labels.codes, splits.codes, folds.codes), shape) if len(usable) else np.zeros(0, int),
        return_counts=True,
    )
    parts_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, n in zip(kinds.tolist(), numbers.tolist(), strict=True):
        label, split, fold = np.unravel_index(kind, shape)
        part = Clip("", "", split=splits.values[split], fold=folds.values[fold]).part
        parts_of[labels.values[label]][part] += n
    notes = [_lost(label, columns) for label in sorted(columns.labels.counts().keys() - parts_of.keys())]
    parts = {part for counts in parts_of.values() for part in counts}
    if folds_used := sorted(fold for fold in columns.folds.counts() if fold is not None):
        return notes + _in_folds(parts_of, [f"fold {fold}" for fold in folds_used])
    for split in SPLITS:
        absent = sorted(label for label, counts in parts_of.items() if not counts[split])
        if absent and split in parts:
            n = sum(parts_of[label]["test"] for label in absent)
            notes.append(f"no {split} clip of {quoted(absent)}: {_CONSEQUENCES[split].format(n=n)}")
    return notes


def classes_learned(clips: Sequence[Clip]) -> list[str]:
    """Return the sorted names of the classes that have clips in the train split or in a fold."""
    learned = column(clips, "split").where(lambda split: split in (None, "train"))
    labels = column(clips, "label")
    return sorted(labels.take(np.flatnonzero(learned)).counts())


_CONSEQUENCES = {
    "train": "a probe cannot learn these classes, and all of their {n} test clips count as wrong",
    "validation": "candidates are selected without these classes",
    "test": "the test score does not cover these classes",
}


def _in_folds(parts_of: dict[str, Counter[str]], folds: Sequence[str]) -> list[str]:
    alone = sorted(label for label, counts in parts_of.items() if len(counts) == 1 and len(folds) > 1)
    notes = []
    if alone:
        where = ", ".join(f"{label!r} ({next(iter(parts_of[label]))})" for label in alone[:10])
        notes.append(
            f"classes with clips in one fold only: {where}; when that fold is scored, they are missing from the "
            "training clips, and all of their clips count as wrong"
        )
    absent = {label: [fold for fold in folds if not parts_of[label][fold]] for label in sorted(parts_of)}
    some = [f"{label!r} ({', '.join(absent[label])})" for label in absent if absent[label] and label not in alone]
    if some:
        more = f" and {len(some) - 10} more" if len(some) > 10 else ""
        notes.append(f"classes without a clip in some folds: {', '.join(some[:10])}{more}")
    return notes


def _lost(label: str, clips: Clips) -> str:
    """Return a note on a class without a readable clip."""
    of_class = clips.where(clips.labels.where(label.__eq__))
    files = Counter(clip.path.suffix for clip in of_class if clip.path is not None)
    what = count_by_suffix(files) if files else f"{len(of_class)} clips"
    return f"no clip of {label!r} can be used ({what}): the class is left out"


def refuse_few_classes(clips: Sequence[Clip], dataset: str, labelled_by: str) -> None:
    """Raise an error if no backend can be fitted to the labels of clips.

    Args:
        clips: Clips of a data set.
        dataset: Name of the data set, for messages.
        labelled_by: Source of the labels, for messages.

    Raises:
        DataError: There are fewer than two classes, or clips without a label.
    """
    names = sorted(column(clips, "label").counts())
    if len(names) < 2:
        found = f"all of class {names[0]!r}" if names[0] else "none of which has a label"
        raise DataError(
            f"{dataset}: found {len(clips)} clips, {found}; fit and test need at least two classes ({labelled_by}); "
            "predict needs none"
        )
    if not names[0]:
        lacking = next(clip.id for clip in clips if not clip.label)
        raise DataError(f"{dataset}: clip {lacking!r} has no label, but others have one; label all clips or none")
