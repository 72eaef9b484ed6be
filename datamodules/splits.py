"""Random splits and folds for data sets that define none; they depend only on the sorted ids and the seed."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ..errors import DataError
from .clip import Clip, Split


def split_by_class(clips: Sequence[Clip], seed: int) -> list[Clip]:
    """Assign three fifths of each class to train, one fifth to validation and one fifth to test.

    The split of a class depends only on its sorted ids and the seed. If clips have groups, whole groups are assigned,
    and the fractions refer to the number of groups.

    Raises:
        DataError: A class has fewer than three clips (or groups), or is left without training clips.
    """
    _refuse_small_classes(clips, 3, "for a split into train, validation and test")
    groups = groups_of(clips) or [clip.id for clip in clips]
    labels_of: dict[str, set[str]] = {}
    for clip, group in zip(clips, groups, strict=True):
        labels_of.setdefault(group, set()).add(clip.label)
    split_of: dict[str, Split] = {}
    # A group with several classes is assigned together with its first class.
    for label in sorted({clip.label for clip in clips}):
        names = sorted(group for group, labels in labels_of.items() if min(labels) == label)
        np.random.default_rng([seed, zlib.crc32(label.encode())]).shuffle(names)
        n = max(1, round(len(names) / 5))
        for position, name in enumerate(names):
            split_of[name] = "test" if position < n else "validation" if position < 2 * n else "train"
    found = [replace(clip, split=split_of[group]) for clip, group in zip(clips, groups, strict=True)]
    lacking = sorted({clip.label for clip in clips} - {clip.label for clip in found if clip.split == "train"})
    if lacking:
        raise DataError(
            f"the random split puts no clip of {'class' if len(lacking) == 1 else 'classes'} "
            f"{', '.join(map(repr, lacking))} in train, because some groups contain several classes; choose another "
            "--data.seed, or use --data.folds"
        )
    return found


def fold_by_class(clips: Sequence[Clip], n_folds: int, seed: int) -> list[Clip]:
    """Assign clips to stratified folds at random, reproducibly for a seed; groups are kept together.

    The folds depend only on the sorted ids and the seed.

    Raises:
        DataError: There are fewer than two folds, or a class has fewer clips (or groups) than folds.
    """
    if n_folds < 2:
        raise DataError(f"folds={n_folds}; expected 2 or more")
    _refuse_small_classes(clips, n_folds, f"for {n_folds} folds", ", or give a smaller --data.folds")
    clips = sorted(clips, key=lambda clip: clip.id)
    labels = [clip.label for clip in clips]
    folds = stratified(n_folds, seed, labels, groups_of(clips))
    fold_of = {clips[index].id: fold for fold, (_, test) in enumerate(folds) for index in test}
    return [replace(clip, fold=fold_of[clip.id]) for clip in clips]


def stratified(
    n_folds: int, seed: int, labels: Sequence[object], groups: Sequence[str] | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return train and test indices of stratified folds that keep groups together."""
    if groups is None:
        return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels))
    return list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels, groups))


def groups_of(clips: Sequence[Clip]) -> list[str] | None:
    """Return the group of each clip; None if no clip has one. Each clip without a group forms a separate group."""
    if all(clip.group is None for clip in clips):
        return None
    return [f"clip {clip.id}" if clip.group is None else f"group {clip.group}" for clip in clips]


def refuse_torn_groups(clips: Sequence[Clip], dataset: str) -> None:
    """Raise an error if a group is in more than one split or fold, which would leak a recording into the test data.

    Raises:
        DataError: A group is in several splits or folds.
    """
    place_of: dict[str, Clip] = {}
    for clip in clips:
        if clip.group is not None:
            first = place_of.setdefault(clip.group, clip)
            if first.part != clip.part:
                parts = [f"split {each.split}" if each.split else each.part for each in (first, clip)]
                raise DataError(
                    f"{dataset}: group {clip.group!r} is divided: {first.id!r} is in {parts[0]}, {clip.id!r} in "
                    f"{parts[1]}; correct the splits or folds, or leave out the groups"
                )


def class_sizes(clips: Sequence[Clip]) -> Counter[str]:
    """Return the number of clips of each class, counting each group once."""
    groups = groups_of(clips) or [clip.id for clip in clips]
    return Counter(label for label, _ in {(clip.label, group) for clip, group in zip(clips, groups, strict=True)})


def _refuse_small_classes(clips: Sequence[Clip], least: int, purpose: str, remedy: str = "") -> None:
    small = {label: n for label, n in class_sizes(clips).items() if n < least}
    if small:
        found = ", ".join(f"{label!r} has {n}" for label, n in sorted(small.items()))
        plural = "classes" if len(small) > 1 else "class"
        what = "clips" if groups_of(clips) is None else "groups of clips"
        raise DataError(
            f"{plural} with too few {what} {purpose} (at least {least} are needed): {found}; add clips or remove the "
            f"{plural}{remedy}"
        )
