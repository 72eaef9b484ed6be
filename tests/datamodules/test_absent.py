"""Following the advice about missing files makes them available."""

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
        (lambda path: path.replace("/", "\\"), "differ in backslashes"),
        (lambda path: f"/elsewhere/snd/{path}", "differ in leading folders"),
        (lambda path: "D:\\data\\" + path.replace("/", "\\"), "differ in leading folders"),
        (lambda path: f"audio/{path}", "differ in leading folders"),
        (lambda path: path.upper(), "differ in upper and lower case"),
        (lambda path: unicodedata.normalize("NFD", path), "differ in Unicode normal form"),
        (lambda path: path.replace(".", "\u200b."), "differ in Unicode normal form or invisible characters"),
        (lambda path: path.replace("wav", "flac"), "differ in suffixes"),
    ],
)
def test_the_difference_and_the_intended_path_are_named(snd, change, difference):
    data = manifest(snd, change)
    absent = absent_of(data)
    text = explain_absent(absent, data.root, len(absent))
    assert text.startswith("none of the 6 files exists; the first missing one is ")
    assert "nearest folder that exists is" in text
    assert difference in text
    meant = re.search(r"write ('[^']*')", text)[1]
    assert (
        (snd / meant[1:-1].encode("ascii").decode("unicode_escape")).exists() if "\\" in meant else (snd / meant[1:-1])
    )


@pytest.mark.parametrize("root", ["snd/high", "."])
def test_the_advised_root_works(snd, monkeypatch, root):
    monkeypatch.chdir(snd.parent)
    manifest(snd, lambda path: path)
    data = Manifest("clips.csv", root, folds=3)
    absent = absent_of(data)
    advised = re.search(r"give --data.root=(\S+)", explain_absent(absent, data.root, len(absent)))[1]
    assert absent_of(Manifest("clips.csv", advised, folds=3)) == []


def test_a_subset_of_missing_files_is_explained(snd):
    text = explain_absent([snd / "low/É0.wav"], snd, 6)
    assert text.startswith("1 of 6 files do not exist")
    assert "upper and lower case" in text
    assert "--data.root" in explain_absent([Path("gone/x.wav")], Path("gone"), 1)
    assert explain_absent([Path("gone/x.wav")], None, 1).endswith("correct the paths")
