import unicodedata

import pytest
from untrained.datamodules import Clip
from untrained.datamodules.labels import seen, united

NFD = unicodedata.normalize("NFD", "café")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NFD, "café"),
        ("low\u200b", "low"),
        ("\ufefflow \u2060", "low"),
        ("new\u00a0 york", "new york"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_texts_that_look_alike_become_equal(text, expected):
    assert seen(text) == expected


def test_labels_and_groups_that_look_alike_are_unified():
    clips = [Clip("a", "café", group="x"), Clip("b", NFD, group="x\u200b"), Clip("c", "tea", group=NFD)]
    found, notes = united(clips)
    assert [clip.label for clip in found] == ["café", "café", "tea"]
    assert [clip.group for clip in found] == ["x", "x", "café"]
    assert notes == [
        "label 'café' is written in 2 ways that look the same ('caf\\xe9', 'cafe\\u0301'); they count as one class"
    ]


def test_labels_that_differ_only_in_case_are_noted_and_stay_separate():
    found, notes = united([Clip("a", "Dog"), Clip("b", "dog"), Clip("c", "cat")])
    assert {clip.label for clip in found} == {"Dog", "dog", "cat"}
    assert len(notes) == 1
    assert "differ only in case: 'Dog' (1 clips), 'dog' (1 clips)" in notes[0]


def test_joiners_are_kept_unless_labels_differ_in_them():
    word = "\u0645\u06cc\u200c\u062e\u0648"
    assert united([Clip("a", word), Clip("b", "x")])[0][0].label == word
    assert len({clip.label for clip in united([Clip("a", "lo\u200cw"), Clip("b", "low")])[0]}) == 1
