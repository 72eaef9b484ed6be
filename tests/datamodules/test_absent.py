"""The advice about files that are absent is followed, and then they are there."""

import re
import unicodedata
from pathlib import Path

import pytest
from untrained.datamodules.absent import explain_absent
from untrained.datamodules.manifest import Manifest


@pytest.fixture
def snd(tmp_path):
    for label in ("high", "low"):
        (tmp_path / "snd" / label).mkdir(parents=True)
        for index in range(3):
            (tmp_path / "snd" / label / f"é{index}.wav").touch()
    return tmp_path / "snd"


def manifest(snd, change):
    paths = sorted(path.relative_to(snd).as_posix() for path in snd.glob("*/*"))
    lines = [f"{change(path)},{Path(path).parent.name}" for path in paths]
    (snd.parent / "clips.csv").write_text("\n".join(["path,label", *lines]), "utf-8")
    return Manifest(str(snd.parent / "clips.csv"), str(snd), folds=3)


def absent_of(data):
    return [clip.path for clip in data.clips() if not clip.path.exists()]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda path: path.replace("/", "\\"), "differ by backslashes"),
        (lambda path: f"/home/someone/snd/{path}", "differ by their leading folders"),
        (lambda path: "D:\\data\\" + path.replace("/", "\\"), "differ by their leading folders"),
        (lambda path: f"audio/{path}", "differ by their leading folders"),
        (lambda path: path.upper(), "differ by upper and lower case"),
        (lambda path: unicodedata.normalize("NFD", path), "differ by Unicode normal form"),
        (lambda path: path.replace(".", "\u200b."), "differ by Unicode normal form or invisible characters"),
        (lambda path: path.replace("wav", "flac"), "differ by their suffixes"),
    ],
)
def test_the_difference_is_named_and_the_path_that_is_meant(snd, change, difference):
    data = manifest(snd, change)
    absent = absent_of(data)
    text = explain_absent(absent, data.root, len(absent))
    assert text.startswith("not one of 6 files is there")
    assert "nearest path that exists is" in text
    assert difference in text
    meant = re.search(r"write ('[^']*')", text)[1]
    assert (
        (snd / meant[1:-1].encode("ascii").decode("unicode_escape")).exists() if "\\" in meant else (snd / meant[1:-1])
    )


@pytest.mark.parametrize("root", ["snd/high", "."])
def test_another_root_is_advised_that_works(snd, monkeypatch, root):
    monkeypatch.chdir(snd.parent)
    manifest(snd, lambda path: path)
    data = Manifest("clips.csv", root, folds=3)
    absent = absent_of(data)
    advised = re.search(r"give --data.root=(\S+)", explain_absent(absent, data.root, len(absent)))[1]
    assert absent_of(Manifest("clips.csv", advised, folds=3)) == []


def test_some_absent_files_are_explained_too(snd):
    text = explain_absent([snd / "low/É0.wav"], snd, 6)
    assert text.startswith("1 of 6 files are not there")
    assert "upper and lower case" in text
    assert "--data.root" in explain_absent([Path("gone/x.wav")], Path("gone"), 1)
    assert explain_absent([Path("gone/x.wav")], None, 1).endswith("correct the paths")
