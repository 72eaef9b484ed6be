"""Extended Ballroom, on small copies of its layout with its list of duplicates."""

import os
from collections import Counter

import numpy as np
import pytest
import soundfile
from untrained.datamodules.extended_ballroom import DANCES, ExtendedBallroom, read_duplicates
from untrained.errors import DataError
from untrained.testing import check_datamodule

LIST = """<?xml version="1.0" ?>
<extendedballroom>
    <Chacha>
        <song id="1001" title="One &amp; only" artist="A" album="B" bpm="124" hash="x"/>
        <song id="1003" title="One" artist="A" bpm="124" hash="y">
            <exact id="1001"/>
            <version id="1004"/>
        </song>
        <song id="1005" title="One (sung)" bpm="124" hash="z">
            <karaoke id="1003" voiced="yes"/>
        </song>
    </Chacha>
    <Tango>
        <song id="10002" title="Two" bpm="130"><version id="10009"/></song>
        <song id="10009" title="Two" bpm="132"><time id="10011"/></song>
        <song id="10011" title="Two" bpm="120"/>
        <song id="10000" title="Alone" bpm="120"/>
    </Tango>
</extendedballroom>
"""


@pytest.fixture
def root(tmp_path):
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, 3000)
    for number, dance in enumerate(DANCES):
        (tmp_path / dance).mkdir()
        for song in range(12):
            soundfile.write(tmp_path / dance / f"{1000 * (number + 1) + song}.mp3", sound / (1 + number + song), 44_100)
    return tmp_path


def fold_of(root, **arguments):
    return {clip.id: clip.fold for clip in ExtendedBallroom(str(root), **arguments).listed}


def test_ten_stratified_folds(root):
    data = ExtendedBallroom(str(root))
    assert len(data.listed) == 156
    assert data.class_names == sorted(DANCES)
    counts = Counter((clip.label, clip.fold) for clip in data.listed)
    assert set(counts.values()) == {1, 2}
    assert len(counts) == 130
    assert data.dataset_name == "extended_ballroom"
    check_datamodule(ExtendedBallroom(str(root), n_samples=3000))
    assert data.read(data.listed[0], 12_000).waveform.shape == (350_000,)


def test_folds_depend_only_on_ids_and_seed(root, monkeypatch):
    first = fold_of(root, group_duplicates=False)
    assert fold_of(root, group_duplicates=False, seed=1) != first
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *a, **k: ((d, s[::-1], f[::-1]) for d, s, f in walk(*a, **k)))
    assert fold_of(root, group_duplicates=False) == first
    (root / "extendedballroom_v1.1").mkdir()
    for dance in DANCES:
        (root / dance).rename(root / "extendedballroom_v1.1" / dance)
    assert fold_of(root, group_duplicates=False) == first


def test_excerpts_that_repeat_each_other_are_in_the_same_fold(root):
    assert "may be in different folds" in _notes(root)[0]
    (root / "extendedballroom_v1.1.xml").write_text(LIST)
    assert _notes(root) == []
    assert read_duplicates(root / "extendedballroom_v1.1.xml") == {
        **dict.fromkeys(["1001", "1003", "1004", "1005"], "1001"),
        **dict.fromkeys(["10002", "10009", "10011"], "10002"),
    }
    scattered = 0
    for seed in range(5):
        folds = fold_of(root, folds=5, seed=seed)
        assert folds["Chacha/1001.mp3"] == folds["Chacha/1003.mp3"] == folds["Chacha/1005.mp3"]
        assert folds["Tango/10002.mp3"] == folds["Tango/10009.mp3"] == folds["Tango/10011.mp3"]
        apart = fold_of(root, folds=5, seed=seed, group_duplicates=False)
        scattered += apart["Chacha/1001.mp3"] != apart["Chacha/1003.mp3"]
    assert scattered


def _notes(root):
    data = ExtendedBallroom(str(root), folds=5)
    assert data.listed
    return data.notes


def test_a_list_without_duplicates_is_noted(root):
    empty = "<extendedballroom><Tango><song id='1'/></Tango></extendedballroom>"
    (root / "extendedballroom_v1.1.xml").write_text(empty)
    (note,) = _notes(root)
    assert note == "extendedballroom_v1.1.xml lists no duplicate excerpts, unlike the original list"


def test_empty_folders_of_an_interrupted_download_raise(tmp_path):
    for dance in DANCES:
        (tmp_path / dance).mkdir()
    with pytest.raises(DataError, match="found no clips"):
        ExtendedBallroom(str(tmp_path)).listed  # noqa: B018


def test_faulty_copies_are_noted_or_raise(root):
    (root / "extendedballroom_v1.1.xml").write_text(LIST[:300])
    with pytest.raises(DataError, match=r"cannot be read as XML .*--data.group_duplicates false"):
        ExtendedBallroom(str(root)).listed  # noqa: B018
    (root / "extendedballroom_v1.1.xml").unlink()
    (root / "Waltz").rename(root / "waltzes")
    data = ExtendedBallroom(str(root))
    assert len(data.class_names) == 12
    assert data.n_other_files == 12
    assert "1 of 13 listed dances are missing: Waltz" in data.notes
    (root / "Waltz").symlink_to("/media/gone")
    with pytest.raises(DataError, match="'Waltz' is a symbolic link to '/media/gone', which does not exist"):
        ExtendedBallroom(str(root)).listed  # noqa: B018
    assert len(ExtendedBallroom(str(root), exclude=["Waltz", "Tango"]).class_names) == 11
    (root / "Waltz").unlink()
    with pytest.raises(DataError, match=r"Extended Ballroom not found under root=.*no folders Chacha, .*--data.root"):
        ExtendedBallroom(str(root / "waltzes")).listed  # noqa: B018
    with pytest.raises(DataError, match=r"too few clips for 13 folds"):
        ExtendedBallroom(str(root), folds=13).require_classes()
