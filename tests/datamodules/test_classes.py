from pathlib import Path

from untrained.datamodules import Clip
from untrained.datamodules.classes import classes_learned, notes_on_classes


def clips(**parts):
    """Return clips of each class, one per character: t, v and e are splits (e is test), digits are folds."""
    splits = {"t": "train", "v": "validation", "e": "test"}
    return [
        Clip(f"{label}{n}", label, Path(f"{n}.m4a"), splits.get(part), int(part) if part.isdigit() else None)
        for label, letters in parts.items()
        for n, part in enumerate(letters)
    ]


def test_no_notes_if_all_classes_are_in_all_splits_or_folds():
    assert notes_on_classes(clips(a="ttve", b="tve")) == []
    assert notes_on_classes(clips(a="ttee", b="te")) == []
    assert notes_on_classes(clips(a="0123", b="0123")) == []


def test_a_class_without_a_readable_clip_is_noted():
    assert notes_on_classes(clips(a="te", b="te", c="tte"), {"c0", "c1", "c2", "a9"}) == [
        "no clip of 'c' can be used (3 .m4a files): the class is left out"
    ]
    made = [Clip(f"{label}{n}", label, fold=n) for label in "ab" for n in range(2)]
    assert notes_on_classes(made, {"b0", "b1"}) == ["no clip of 'b' can be used (2 clips): the class is left out"]


def test_classes_that_are_absent_from_a_split_are_noted():
    assert notes_on_classes(clips(a="tve", b="tve", c="ee", d="v")) == [
        "no train clip of 'c', 'd': a probe cannot learn these classes, and all of their 2 test clips count as wrong",
        "no validation clip of 'c': candidates are selected without these classes",
        "no test clip of 'd': the test score does not cover these classes",
    ]
    assert notes_on_classes(clips(a="ttee", b="tte"), {"b0", "b1"}) == [
        "no train clip of 'b': a probe cannot learn these classes, and all of their 1 test clips count as wrong"
    ]


def test_classes_that_are_absent_from_folds_are_noted():
    assert notes_on_classes(clips(a="0123", b="00", c="012")) == [
        "classes with clips in one fold only: 'b' (fold 0); when that fold is scored, they are missing from the "
        "training clips, and all of their clips count as wrong",
        "classes without a clip in some folds: 'c' (fold 3)",
    ]


def test_learned_classes_are_those_with_training_clips():
    assert classes_learned(clips(b="t", a="tv", c="e", d="v")) == ["a", "b"]
    assert classes_learned(clips(b="01", a="2")) == ["a", "b"]
