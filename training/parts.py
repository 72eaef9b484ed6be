"""Partition of a data set into training, validation and scored clips."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..datamodules import Clip
from ..datamodules.splits import groups_of
from ..errors import DataError

HELD_OUT = 5  # with folds, one in this many clips of a class is held out for validation
FINAL = "all"
"""Name of the part whose model is saved, if the data has folds."""


@dataclass(frozen=True)
class Part:
    """Clips of one training run.

    Args:
        name: Name of the part: `holdout`, `fold3`, or `all`.
        train: Clips that the network is trained on.
        validation: Clips on which the checkpoint and the learning rate are chosen.
        scored: Clips of the fold that is scored; none for `holdout` and `all`.
    """

    name: str
    train: list[Clip]
    validation: list[Clip]
    scored: list[Clip]

    @property
    def clips(self) -> list[Clip]:
        """Clips that it is trained and validated on."""
        return [*self.train, *self.validation]


def parts_of(clips: Sequence[Clip], seed: int) -> list[Part]:
    """Return the parts of a data set; the model of the last one is saved.

    Data with a test split has one part. Data with folds has one for each fold, which is trained on the other folds, and
    one for all folds. A fifth of the clips outside the scored fold is held out at random to choose a checkpoint; groups
    are kept together.

    Args:
        clips: Clips that could be read.
        seed: Seed of the held-out clips.

    Raises:
        DataError: The clips lack splits or folds, or there are too few of them.
    """
    if any(clip.split is not None for clip in clips):
        train, validation = ([clip for clip in clips if clip.split == name] for name in ("train", "validation"))
        if not validation and train:
            raise DataError(
                "train needs a validation split to select the checkpoint, but the data has none; add the split "
                "'validation', or use folds, for example with --data.folds 5"
            )
        return [_checked(Part("holdout", train, validation, []), "train split", "validation split")]
    folds = sorted({clip.fold for clip in clips if clip.fold is not None})
    if len(folds) < 2 or any(clip.fold is None for clip in clips):
        raise DataError(
            "train needs clips with train, validation and test splits, or every clip in one of at least two folds; "
            "add them to the data, or use --data.folds"
        )
    found = []
    for fold in [*folds, None]:
        rest = [clip for clip in clips if clip.fold != fold]
        held_out = _held_out(rest, seed)
        train, validation = ([clip for clip in rest if (clip.id in held_out) is is_held] for is_held in (False, True))
        name = FINAL if fold is None else f"fold{fold}"
        part = Part(name, train, validation, [clip for clip in clips if clip.fold == fold])
        where = "all folds" if fold is None else f"the folds other than {fold}"
        found.append(_checked(part, f"training part of {where}", f"part of {where} that is held out for validation"))
    return found


def _held_out(clips: Sequence[Clip], seed: int) -> set[str]:
    """Return the ids of a fifth of each class, in whole groups; none of a class with a single clip or group."""
    groups = groups_of(clips) or [clip.id for clip in clips]
    label_of: dict[str, str] = {}
    for clip, group in zip(clips, groups, strict=True):
        label_of[group] = min(label_of.get(group, clip.label), clip.label)
    drawn: set[str] = set()
    for label in sorted(set(label_of.values())):
        names = sorted(group for group, first in label_of.items() if first == label)
        np.random.default_rng([seed, zlib.crc32(label.encode())]).shuffle(names)
        drawn.update(names[: max(1, round(len(names) / HELD_OUT))] if len(names) > 1 else [])
    return {clip.id for clip, group in zip(clips, groups, strict=True) if group in drawn}


def _checked(part: Part, train: str, validation: str) -> Part:
    """Return a part.

    Raises:
        DataError: The training or validation clips have fewer than two classes.
    """
    for clips, where in ((part.train, train), (part.validation, validation)):
        labels = sorted({clip.label for clip in clips})
        if len(labels) < 2:
            only = f"all {len(clips)} clips are {labels[0]!r}" if labels else "it contains no readable clip"
            raise DataError(
                f"the {where} needs clips of at least two classes: {only}; add clips, or use another "
                "--data.seed or --data.folds"
            )
    return part
