"""Every folder of a data set holds clips, or the user hears why not."""

import os

import numpy as np
import pytest
import soundfile
from untrained.datamodules.content import count_by_suffix
from untrained.datamodules.folder import AudioFolder
from untrained.errors import DataError


@pytest.fixture
def root(tmp_path):
    """Two classes that can be split; nothing in the files is read."""
    for label in ("high", "mid"):
        touch(tmp_path, *(f"{label}/{n}.wav" for n in range(5)))
    return tmp_path


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def refusal(root, **arguments):
    with pytest.raises(DataError) as error:
        AudioFolder(str(root), **arguments).listed  # noqa: B018
    return str(error.value)


def notes(root, **arguments):
    data = AudioFolder(str(root), **arguments)
    assert data.class_names == ["high", "mid"]
    return data.notes


def empty(root):
    (root / "low" / "disc1").mkdir(parents=True)
    touch(root, "low/.DS_Store")


def dangling(root):
    (root / "low").symlink_to("/media/not-mounted/low")


def unreadable(root):
    touch(root, "low/0.wav")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (empty, "'low' holds no file"),
        (dangling, "'low' is a link to '/media/not-mounted/low', which is not there"),
        (unreadable, "'low' cannot be searched (Permission denied)"),
    ],
)
def test_a_folder_that_would_vanish_is_refused_unless_it_is_excluded_or_skipped(root, make, why, monkeypatch):
    make(root)
    if make is unreadable:
        scan = os.scandir

        def scandir(path):
            if os.fspath(path) == str(root / "low"):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return scan(path)

        monkeypatch.setattr(os, "scandir", scandir)
    message = refusal(root)
    assert f"{why}; repair or remove" in message
    assert """--data.exclude '["low"]'""" in message
    assert notes(root, exclude=["low"]) == []
    assert notes(root, on_error="skip") == [f"left out: {why}"]


def test_a_root_that_cannot_be_searched(root, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(os, "scandir", scandir)
    assert "cannot be searched (Permission denied); change its permissions" in refusal(root, on_error="skip")


def test_a_folder_under_two_paths_is_one_class_or_refused(root):
    (root / "high" / "again").symlink_to(root / "high" / "takes")
    touch(root, "high/takes/9.wav")
    assert notes(root) == []
    (root / "other").symlink_to(root / "mid")
    assert "'other' and 'mid' are the same folder" in refusal(root, on_error="skip")
    assert notes(root, exclude="other") == []


def test_links_between_classes_are_refused(root):
    (root / "high" / "more").symlink_to(root / "mid")
    assert "'mid' and 'high/more' are the same folder" in refusal(root)


def test_an_empty_split_is_refused(tmp_path):
    touch(tmp_path, *(f"{split}/{label}/0.wav" for split in ("train", "test") for label in "ab"))
    (tmp_path / "val").mkdir()
    (tmp_path / "test" / "c").mkdir()
    assert "'test/c' holds no file, 'val' holds no file; repair" in refusal(tmp_path)
    assert len(AudioFolder(str(tmp_path), exclude=["c", "val"]).listed) == 4


def test_what_stands_beside_classes_is_noted(root):
    touch(root, "intro.wav", "metadata/a.csv", "metadata/b.csv", "images/more/c.png", "_noise_/0.wav", "_noise_/1.wav")
    touch(root, "validation_list.txt", "LICENSE", "_noise_/2.wav", "readme.txt")
    data = AudioFolder(str(root))
    assert data.class_names == ["_noise_", "high", "mid"]
    assert data.notes == [
        "folders without sounds are no classes: 'images' (1 file .png), 'metadata' (2 files .csv)",
        "1 sounds stand in no folder of a class and are left out: 'intro.wav'",
        "not read: 'validation_list.txt'; --data manifest reads lists of splits, folds or labels, as a table",
        """'_noise_' counts as a class; if it is none, leave it out with --data.exclude '["_noise_"]'""",
    ]
    assert not any("_noise_" in note for note in notes(root, exclude=["_noise_"]))


def test_classes_that_lie_deeper_are_named(tmp_path):
    touch(tmp_path, "data/high/0.wav", "data/low/0.wav", "docs/x.pdf")
    message = refusal(tmp_path)
    assert f"there are 'high', 'low'; if these are the classes, give --data.root {tmp_path}/data" in message


def test_folds_of_folders_are_folds_and_group_by_sees_no_fold(tmp_path):
    touch(tmp_path, *(f"fold{k}/{label}/{k}{n}.wav" for k in (1, 2, 3) for label in "ab" for n in (0, 1)))
    data = AudioFolder(str(tmp_path), group_by=r"^(\w/\d)")
    assert {(clip.fold, clip.label) for clip in data.listed} == {(k, label) for k in (1, 2, 3) for label in "ab"}
    assert data.listed[0].group == "a/1"
    assert data.notes == [
        "'fold1', 'fold2', 'fold3' are read as folds of the classes below them, 'a', 'b'; if the folders "
        "at the root are classes, give --data.layout classes"
    ]
    assert "leave out --data.folds=3" in refusal(tmp_path, folds=3)
    assert AudioFolder(str(tmp_path), layout="classes").class_names == ["fold1", "fold2", "fold3"]


def test_splits_below_classes_are_splits(tmp_path):
    touch(tmp_path, *(f"{label}/{split}/{n}.wav" for label in "ab" for split in ("train", "test") for n in range(3)))
    data = AudioFolder(str(tmp_path))
    assert {(clip.label, clip.split) for clip in data.listed} == {(a, s) for a in "ab" for s in ("train", "test")}
    assert "group 'a/0' is torn apart" in refusal(tmp_path, group_by=r"^\w/\w+")  # of a/0.wav, without the split


def test_sounds_in_other_formats_are_clips_in_their_classes(root):
    rng = np.random.default_rng(0)
    (root / "low").mkdir()
    for n in range(4):
        soundfile.write(root / "low" / f"{n}.caf", rng.uniform(-0.1, 0.1, 800), 8000)
    touch(root, "low/4.m4a")
    data = AudioFolder(str(root), n_samples=1000)
    assert data.class_names == ["high", "low", "mid"]
    assert data.read(data.listed[5], 8000).seconds == 0.1


def test_counts_by_suffix():
    assert count_by_suffix({".txt": 1, "": 2}) == "2 files without suffix, 1 file .txt"
