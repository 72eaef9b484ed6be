import contextlib
import os
from collections import Counter

import numpy as np
import pytest
import soundfile
from untrained.datamodules.folder import AudioFolder
from untrained.errors import DataError, UsageError


def write(path, n=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(n), 12_000)


@pytest.fixture
def root(tmp_path):
    for label in ("a", "b"):
        for index in range(10):
            write(tmp_path / label / f"{index}.wav")
    return tmp_path


def test_each_sub_folder_is_a_class(sounds):
    data = AudioFolder(str(sounds))
    assert data.class_names == ["high", "low", "mid"]
    assert len(data.listed) == 36
    assert data.listed[0].id == "high/high 00.wav"
    assert data.n_other_files == 1  # hidden files are not counted


def test_splits_are_stratified_seeded_and_independent_of_the_file_system(root, monkeypatch):
    def split_of(seed):
        return {clip.id: clip.split for clip in AudioFolder(str(root), seed=seed).listed}

    first = split_of(0)
    assert Counter(first.values()) == {"train": 12, "validation": 4, "test": 4}
    assert Counter(key[0] for key, split in first.items() if split == "test") == {"a": 2, "b": 2}
    assert split_of(1) != first
    scan = os.scandir
    reverse = []

    @contextlib.contextmanager
    def scandir(path):
        with scan(path) as entries:
            reverse.append(path)
            yield iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    monkeypatch.setattr(os, "scandir", scandir)
    assert split_of(0) == first
    assert len(reverse) == 3


def test_folds_are_stratified(root):
    clips = AudioFolder(str(root), folds=5).listed
    assert Counter((clip.fold, clip.label) for clip in clips) == {(f, c): 2 for f in range(5) for c in "ab"}
    assert all(clip.split is None for clip in clips)


def test_split_folders_define_the_splits(tmp_path):
    for split, n in (("train", 3), ("Valid", 2), ("test", 1)):
        for label in ("a", "b"):
            for index in range(n):
                write(tmp_path / split / label / f"{index}.wav")
    clips = AudioFolder(str(tmp_path)).listed
    assert Counter(clip.split for clip in clips) == {"train": 6, "validation": 4, "test": 2}
    assert {clip.label for clip in clips} == {"a", "b"}
    with pytest.raises(DataError, match=r"root=.* holds folders of splits or folds.*leave out --data.folds=2"):
        AudioFolder(str(tmp_path), folds=2).listed  # noqa: B018


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no class found"),
        (lambda root: write(root / "x.wav"), "found 1 clips, none of which has a label"),
        (
            lambda root: [write(root / "a" / f"{i}.wav") for i in range(5)],
            "all of class 'a'; fit and test need at least two",
        ),
        (
            lambda root: [write(root / "a" / f"{i}.wav") for i in range(5)] + [write(root / "b" / "0.wav")],
            "too few clips.*'b' has 1",
        ),
    ],
)
def test_folders_that_are_not_a_data_set_raise(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(DataError, match=message):
        AudioFolder(str(tmp_path)).require_classes()


def test_a_missing_folder_raises(tmp_path):
    with pytest.raises(DataError, match=r"no folder at root=.*found nothing.*--data.root"):
        AudioFolder(str(tmp_path / "gone")).listed  # noqa: B018


def test_too_many_folds_raise(root):
    with pytest.raises(DataError, match=r"too few clips for 11 folds.*'a' has 10.*smaller --data.folds"):
        AudioFolder(str(root), folds=11).require_classes()


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_samples": 0},
        {"batch_size": 0},
        {"fit_length": "stretch"},
        {"on_error": "ignore"},
        {"seed": -1},
        {"layout": "x"},
    ],
)
def test_invalid_arguments_raise(arguments):
    with pytest.raises(UsageError, match=rf"{next(iter(arguments))}=.*expected"):
        AudioFolder(".", **arguments)


def test_one_file_linked_into_two_classes_raises(tmp_path):
    for label in ("low", "high"):
        for number in range(5):
            write(tmp_path / label / f"{number}.wav")
        (tmp_path / label / "again.wav").symlink_to(tmp_path / label / "0.wav")  # a link within one class is accepted
    assert len(AudioFolder(str(tmp_path)).listed) == 12
    (tmp_path / "high" / "other.wav").symlink_to(tmp_path / "low" / "0.wav")
    with pytest.raises(DataError, match=r"'high'.*'low'.*expected one label for each clip: remove one of the"):
        AudioFolder(str(tmp_path)).listed  # noqa: B018


def test_names_that_are_not_utf8_are_escaped_in_ids(tmp_path):
    """Another file may have the escaped name."""
    for label in (b"low", b"h\xe9"):
        folder = os.path.join(os.fsencode(tmp_path), label)
        os.mkdir(folder)
        for name in (b"a.wav", b"b\xff.wav", b"c.wav", b"d.wav"):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(name)
    data = AudioFolder(str(tmp_path))
    names = [clip.id for clip in data.listed if clip.label == "low"]
    assert names == [f"low/{name}.wav" for name in ("a", "b\\udcff", "c", "d")]
    assert data.class_names == ["h\\udce9", "low"]
    assert all(clip.path.read_bytes()[:1] == os.fsencode(clip.path.name)[:1] for clip in data.listed)
    assert all(data.stamps()[clip.id] == data.stamp(clip) != (0, 0) for clip in data.listed)
    (tmp_path / "low" / "b\\udcff.wav").touch()
    with pytest.raises(DataError, match=r"clip id 'low/b.*udcff.wav' occurs 2 times; expected unique ids"):
        AudioFolder(str(tmp_path)).listed  # noqa: B018


def test_stamps_are_those_of_the_moment(root):
    data = AudioFolder(str(root))
    clip = data.listed[3]
    before = data.stamps()
    assert list(before) == [clip.id for clip in data.listed]
    clip.path.write_bytes(b"x" * 77)
    data.listed[4].path.unlink()
    assert data.stamps()[clip.id] == data.stamp(clip) != before[clip.id]
    assert data.stamps()[data.listed[4].id] == (0, 0)


def test_links_of_links_into_two_classes_raise(tmp_path):
    """Only files that links lead to are compared."""
    for label in ("low", "high"):
        for number in range(5):
            write(tmp_path / "all" / f"{label}{number}.wav")
            (tmp_path / "set" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / label / f"{number}.wav").symlink_to(tmp_path / "all" / f"{label}{number}.wav")
    assert len(AudioFolder(str(tmp_path / "set")).listed) == 10
    (tmp_path / "set" / "low" / "5.wav").symlink_to(tmp_path / "set" / "high" / "0.wav")
    with pytest.raises(DataError, match=r"'high/0.wav' and 'low/5.wav' are the same file"):
        AudioFolder(str(tmp_path / "set")).listed  # noqa: B018
