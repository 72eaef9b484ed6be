"""Random splits and folds for data sets that define none; they depend only on the sorted ids and the seed."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ..errors import DataError
from .clip import SPLITS, Clip
from .codes import Codes
from .listing import Clips, order_of


def split_by_class(clips: Sequence[Clip], seed: int) -> Clips:
    """Assign three fifths of each class to train, one fifth to validation and one fifth to test.

    The split of a class depends only on its sorted ids and the seed. If clips have groups, whole groups are assigned,
    and the fractions refer to the number of groups.

    Raises:
        DataError: A class has fewer than three clips (or groups), or is left without training clips.
    """
    columns = Clips.of(clips)
    _refuse_small_classes(columns, 3, "for a split into train, validation and test")
    units = _units(columns)
    labels, names = columns.labels.ranks()
    # A group with several classes is assigned together with its first class.
    class_of_unit = np.full(units.max() + 1, len(names), np.int32)
    np.minimum.at(class_of_unit, units, labels)
    by_class = np.argsort(class_of_unit, kind="stable")
    starts = np.searchsorted(class_of_unit[by_class], np.arange(len(names) + 1))
    split_of_unit = np.zeros(len(class_of_unit), np.int32)
    for number, name in enumerate(names):
        order = list(range(starts[number + 1] - starts[number]))
        np.random.default_rng([seed, zlib.crc32(name.encode())]).shuffle(order)
        n = max(1, round(len(order) / 5))
        shuffled = by_class[starts[number] : starts[number + 1]][order]
        split_of_unit[shuffled[:n]] = SPLITS.index("test")
        split_of_unit[shuffled[n : 2 * n]] = SPLITS.index("validation")
    found = replace(columns, splits=Codes(split_of_unit[units], SPLITS))
    learned = columns.labels.take(np.flatnonzero(found.splits.where("train".__eq__)))
    lacking = sorted(columns.labels.counts().keys() - learned.counts().keys())
    if lacking:
        raise DataError(
            f"the random split puts no clip of {'class' if len(lacking) == 1 else 'classes'} "
            f"{', '.join(map(repr, lacking))} in train, because some groups contain several classes; choose another "
            "--data.seed, or use --data.folds"
        )
    return found


def fold_by_class(clips: Sequence[Clip], n_folds: int, seed: int) -> Clips:
    """Assign clips to stratified folds at random, reproducibly for a seed; groups are kept together.

    The folds depend only on the sorted ids and the seed.

    Raises:
        DataError: There are fewer than two folds, or a class has fewer clips (or groups) than folds.
    """
    if n_folds < 2:
        raise DataError(f"folds={n_folds}; expected 2 or more")
    columns = Clips.of(clips)
    _refuse_small_classes(columns, n_folds, f"for {n_folds} folds", ", or give a smaller --data.folds")
    columns = columns.ordered()
    # Numbers in the order of the names: scikit-learn gives the same folds as for the names.
    groups = None if _has_no_groups(columns) else _units(columns)
    fold_of = np.zeros(len(columns), np.int32)
    for fold, (_, test) in enumerate(stratified(n_folds, seed, columns.labels.ranks()[0], groups)):
        fold_of[test] = fold
    return replace(columns, folds=Codes(fold_of, tuple(range(n_folds))))


def stratified(
    n_folds: int, seed: int, labels: Sequence[object] | NDArray[Any], groups: Sequence[str] | NDArray[Any] | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return train and test indices of stratified folds that keep groups together."""
    if groups is None:
        return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels))
    return list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels, groups))


def groups_of(clips: Sequence[Clip]) -> list[str] | None:
    """Return the group of each clip; None if no clip has one. Each clip without a group forms a separate group."""
    if isinstance(clips, Clips):
        if _has_no_groups(clips):
            return None
        pairs = zip(clips.each_id(), clips.groups, strict=True)
        return [f"clip {clip_id}" if group is None else f"group {group}" for clip_id, group in pairs]
    if all(clip.group is None for clip in clips):
        return None
    return [f"clip {clip.id}" if clip.group is None else f"group {clip.group}" for clip in clips]


def refuse_torn_groups(clips: Clips, dataset: str) -> None:
    """Raise an error if a group is in more than one split or fold, which would leak a recording into the test data.

    Args:
        clips: Clips of a data set.
        dataset: Name of the data set, for messages.

    Raises:
        DataError: A group is in several splits or folds.
    """
    grouped = np.flatnonzero(clips.groups.where(lambda group: group is not None))
    groups = clips.groups.codes[grouped]
    # Clips are in the same part if they have the same split, or no split and the same fold.
    no_split = ~clips.splits.where(bool)[grouped]
    parts = np.where(no_split, -1 - clips.folds.codes[grouped], clips.splits.codes[grouped])
    _, firsts, numbers = np.unique(groups, return_index=True, return_inverse=True)
    torn = np.flatnonzero(parts != parts[firsts][numbers])
    if len(torn):
        pair = [clips[int(grouped[position])] for position in (firsts[numbers[torn[0]]], torn[0])]
        parts_of = [f"split {each.split}" if each.split else each.part for each in pair]
        raise DataError(
            f"{dataset}: group {pair[0].group!r} is divided: {pair[0].id!r} is in {parts_of[0]}, {pair[1].id!r} in "
            f"{parts_of[1]}; correct the splits or folds, or leave out the groups"
        )


def class_sizes(clips: Sequence[Clip]) -> Counter[str]:
    """Return the number of clips of each class, counting each group once."""
    columns = Clips.of(clips)
    if _has_no_groups(columns):
        return Counter(columns.labels.counts())
    labels, names = columns.labels.ranks()
    units = _units(columns)
    pairs = np.unique(units.astype(np.int64) * len(names) + labels)  # of a group and a class
    numbers = np.bincount(pairs % max(1, len(names)), minlength=len(names)).tolist()
    return Counter(dict(zip(names, numbers, strict=True)))


def _has_no_groups(clips: Clips) -> bool:
    return not clips.groups.counts().keys() - {None}


def _units(clips: Clips) -> NDArray[np.int32]:
    """Return the number of the group of each clip; a clip without a group is one of its own.

    The numbers are in the order of `clip ID` and `group NAME`.
    """
    alone = np.flatnonzero(clips.groups.where(lambda group: group is None))
    found = clips.groups.mapped(lambda group: "" if group is None else str(group)).ranks()[0] + np.int32(len(alone))
    order = order_of(clips.ids if len(alone) == len(clips) else clips.ids.take(pa.array(alone)))
    found[alone[order]] = np.arange(len(alone), dtype=np.int32)
    return found


def _refuse_small_classes(clips: Clips, least: int, purpose: str, remedy: str = "") -> None:
    small = {label: n for label, n in class_sizes(clips).items() if n < least}
    if small:
        found = ", ".join(f"{label!r} has {n}" for label, n in sorted(small.items()))
        plural = "classes" if len(small) > 1 else "class"
        what = "clips" if _has_no_groups(clips) else "groups of clips"
        raise DataError(
            f"{plural} with too few {what} {purpose} (at least {least} are needed): {found}; add clips or remove the "
            f"{plural}{remedy}"
        )
