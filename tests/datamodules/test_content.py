"""Folders of a data set without clips are noted or raise an error."""

import os

import numpy as np
import pytest
import soundfile
from untrained.datamodules.content import count_by_suffix
from untrained.datamodules.folder import AudioFolder
from untrained.errors import DataError


@pytest.fixture
def root(tmp_path):
    """Folder of two classes with enough clips for splits; the files are empty, as they are not read."""
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
        (dangling, "'low' is a symbolic link to '/media/not-mounted/low', which does not exist"),
        (unreadable, "'low' cannot be searched (Permission denied)"),
    ],
)
def test_an_empty_or_unreadable_folder_raises_unless_it_is_excluded_or_skipped(root, make, why, monkeypatch):
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


def test_a_folder_under_two_paths_must_be_in_one_class(root):
    (root / "high" / "again").symlink_to(root / "high" / "takes")
    touch(root, "high/takes/9.wav")
    assert notes(root) == []
    (root / "other").symlink_to(root / "mid")
    assert "'other' and 'mid' are the same folder" in refusal(root, on_error="skip")
    assert notes(root, exclude="other") == []


def test_links_between_classes_raise(root):
    (root / "high" / "more").symlink_to(root / "mid")
    assert "'mid' and 'high/more' are the same folder" in refusal(root)


def test_an_empty_split_raises(tmp_path):
    touch(tmp_path, *(f"{split}/{label}/0.wav" for split in ("train", "test") for label in "ab"))
    (tmp_path / "val").mkdir()
    (tmp_path / "test" / "c").mkdir()
    assert "'test/c' holds no file, 'val' holds no file; repair" in refusal(tmp_path)
    assert len(AudioFolder(str(tmp_path), exclude=["c", "val"]).listed) == 4


def test_files_and_folders_outside_classes_are_noted(root):
    touch(root, "intro.wav", "metadata/a.csv", "metadata/b.csv", "images/more/c.png", "_noise_/0.wav", "_noise_/1.wav")
    touch(root, "validation_list.txt", "LICENSE", "_noise_/2.wav", "readme.txt")
    data = AudioFolder(str(root))
    assert data.class_names == ["_noise_", "high", "mid"]
    assert data.notes == [
        "folders without audio files were not counted as classes: 'images' (1 .png file), 'metadata' (2 .csv files)",
        "1 audio files are in no class folder and are left out: 'intro.wav'",
        "ignored: 'validation_list.txt'; to read splits, folds or labels from a table, use --data manifest",
        "read as classes: '_noise_'; if these are not classes, leave them out with --data.exclude '[\"_noise_\"]'",
    ]
    assert not any("_noise_" in note for note in notes(root, exclude=["_noise_"]))


def test_classes_one_level_deeper_are_suggested(tmp_path):
    touch(tmp_path, "data/high/0.wav", "data/low/0.wav", "docs/x.pdf")
    message = refusal(tmp_path)
    assert f"holds the folders 'high', 'low'; if these are the classes, give --data.root {tmp_path}/data" in message


def test_fold_folders_are_folds_and_are_ignored_by_group_by(tmp_path):
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


def test_split_folders_inside_classes_are_splits(tmp_path):
    touch(tmp_path, *(f"{label}/{split}/{n}.wav" for label in "ab" for split in ("train", "test") for n in range(3)))
    data = AudioFolder(str(tmp_path))
    assert {(clip.label, clip.split) for clip in data.listed} == {(a, s) for a in "ab" for s in ("train", "test")}
    assert "group 'a/0' is divided" in refusal(tmp_path, group_by=r"^\w/\w+")  # the split is not part of the group


def test_files_in_other_formats_are_clips_of_their_classes(root):
    rng = np.random.default_rng(0)
    (root / "low").mkdir()
    for n in range(4):
        soundfile.write(root / "low" / f"{n}.caf", rng.uniform(-0.1, 0.1, 800), 8000)
    touch(root, "low/4.m4a")
    data = AudioFolder(str(root), n_samples=1000)
    assert data.class_names == ["high", "low", "mid"]
    assert data.read(data.listed[5], 8000).seconds == 0.1


def test_counts_by_suffix():
    assert count_by_suffix({".txt": 1, "": 2}) == "2 files without suffix, 1 .txt file"
