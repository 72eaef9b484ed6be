from pathlib import Path

from untrained.datamodules import Clip
from untrained.datamodules.classes import classes_learned, notes_on_classes


def clips(**parts):
    """Clips of each class: a letter for each, t, v and e for splits, digits for folds."""
    splits = {"t": "train", "v": "validation", "e": "test"}
    return [
        Clip(f"{label}{n}", label, Path(f"{n}.m4a"), splits.get(part), int(part) if part.isdigit() else None)
        for label, letters in parts.items()
        for n, part in enumerate(letters)
    ]


def test_nothing_is_said_of_classes_that_are_everywhere():
    assert notes_on_classes(clips(a="ttve", b="tve")) == []
    assert notes_on_classes(clips(a="ttee", b="te")) == []
    assert notes_on_classes(clips(a="0123", b="0123")) == []


def test_a_class_without_a_clip_that_can_be_read():
    assert notes_on_classes(clips(a="te", b="te", c="tte"), {"c0", "c1", "c2", "a9"}) == [
        "no clip of 'c' can be used (3 files .m4a): the class is left out"
    ]
    made = [Clip(f"{label}{n}", label, fold=n) for label in "ab" for n in range(2)]
    assert notes_on_classes(made, {"b0", "b1"}) == ["no clip of 'b' can be used (2 clips): the class is left out"]


def test_classes_that_are_absent_from_a_split():
    assert notes_on_classes(clips(a="tve", b="tve", c="ee", d="v")) == [
        "no train clip of 'c', 'd': a probe cannot learn these classes, and all of their 2 test clips count as wrong",
        "no validation clip of 'c': candidates are chosen without these classes",
        "no test clip of 'd': the test score says nothing about these classes",
    ]
    assert notes_on_classes(clips(a="ttee", b="tte"), {"b0", "b1"}) == [
        "no train clip of 'b': a probe cannot learn these classes, and all of their 1 test clips count as wrong"
    ]


def test_classes_that_are_absent_from_folds():
    assert notes_on_classes(clips(a="0123", b="00", c="012")) == [
        "classes with clips in one fold only: 'b' (fold 0); they are absent from training when that fold is scored, so "
        "that all of their clips count as wrong",
        "classes without a clip in some folds: 'c' (fold 3)",
    ]


def test_classes_that_are_learned():
    assert classes_learned(clips(b="t", a="tv", c="e", d="v")) == ["a", "b"]
    assert classes_learned(clips(b="01", a="2")) == ["a", "b"]
