"""Every folder and every audio file is recorded."""

import contextlib
import os
from pathlib import Path

import pytest
import soundfile
from untrained import terminal
from untrained.datamodules.clip import Stamp
from untrained.datamodules.search import Entry, exclude_option, found_in, patterns, search
from untrained.datamodules.suffixes import DECODED
from untrained.errors import DataError, UsageError


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def paths(*names):
    return [Path(name) for name in names]


def test_audio_files_are_found_by_suffix_in_any_case(tmp_path):
    make(tmp_path, "b.WAV", "a/c.opus", "a/notes.txt", "a/.c.wav", "__MACOSX/._b.WAV", "lost+found/x.wav")
    found = search(tmp_path)
    assert found.files == paths("a/c.opus", "b.WAV")
    assert found.others == paths("a/notes.txt")
    assert found.folders == paths("a")
    assert (found.problems, found.notes) == ({}, [])


def test_an_undecoded_format_is_found_unless_a_decoded_file_has_the_same_name(tmp_path):
    make(tmp_path, "a/x.m4a", "a/y.MP4", "b/x.m4a", "b/x.flac")
    found = search(tmp_path)
    assert found.files == paths("a/x.m4a", "a/y.MP4", "b/x.flac")
    assert found.others == paths("b/x.m4a")


def test_the_suffixes_of_all_formats_of_libsndfile_are_known():
    """RAW has no header, and HTK and MATLAB files are rarely audio; some formats have suffixes unlike their name."""
    several = {"IRCAM": "sf", "MPC2K": "snd", "NIST": "sph", "WAVEX": "wav"}
    formats = soundfile.available_formats().keys() - {"RAW", "HTK", "MAT4", "MAT5"}
    assert {f".{several.get(name, name.lower())}" for name in formats} <= DECODED


def test_each_link_is_followed_once(tmp_path):
    make(tmp_path, "a/0.wav")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "above").symlink_to(tmp_path.parent)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    found = search(tmp_path)
    assert found.files == paths("a/0.wav")
    assert found.same == {Path("b"): Path("a")}
    assert found.notes == ["symbolic links to a folder that contains them are left out: 'a/loop', 'above'"]


def test_dangling_links_are_problems_unless_they_are_named_as_files(tmp_path):
    for name, target in (("a", "/media/gone"), ("v1.0", "v1.0"), ("x.wav", "gone.wav"), ("notes.txt", "gone.txt")):
        (tmp_path / name).symlink_to(target)
    found = search(tmp_path)
    assert found.problems == {
        Path("a"): "is a symbolic link to '/media/gone', which does not exist",
        **dict.fromkeys(paths("v1.0"), "is a symbolic link to 'v1.0', which does not exist"),
    }
    assert (found.files, found.others) == (paths("x.wav"), paths("notes.txt"))


def test_an_unreadable_folder_is_a_problem(tmp_path, monkeypatch):
    make(tmp_path, "a/0.wav", "b/0.wav")
    forbid(monkeypatch, tmp_path / "b")
    found = search(tmp_path)
    assert found.problems == {Path("b"): "cannot be searched (Permission denied)"}
    assert Path("b") in found.folders


def forbid(monkeypatch, folder):
    """Make a folder unreadable, even for the superuser."""
    scan = os.scandir

    def scandir(path):
        if os.fspath(path) == str(folder):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_hidden_folders_with_audio_files_are_noted(tmp_path):
    make(tmp_path, ".low/0.wav", ".cache/x", ".git/0.wav", "a/.more/deep/0.m4a", "a/b/.c/0.wav")
    assert search(tmp_path).notes == ["hidden folders with audio files are left out: '.low', 'a/.more'"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["noise"], ["a/0.wav", "test/a/0.wav"]),
        (["./noise"], ["a/0.wav", "a/noise/0.wav", "test/a/0.wav", "test/noise/0.wav"]),
        (["*/noise", "te?t/"], ["a/0.wav", "noise/0.wav"]),
    ],
)
def test_excluded_folders_are_not_searched(tmp_path, exclude, left):
    make(tmp_path, "a/0.wav", "noise/0.wav", "a/noise/0.wav", "test/a/0.wav", "test/noise/0.wav")
    assert search(tmp_path, exclude).files == paths(*left)


def test_a_pattern_that_matches_no_folder_raises(tmp_path):
    make(tmp_path, "a/0.wav", "b/0.wav")
    with pytest.raises(DataError, match=r"exclude=\['noise'\] matches no folder below .*; it holds 'a', 'b'"):
        search(tmp_path, ["a", "noise"])
    with pytest.raises(UsageError, match=r"exclude=\['./'\]; expected names or patterns"):
        patterns("./")
    assert patterns("a") == ["a"]
    assert patterns(None) is None


def test_the_advised_option_excludes_exactly_that_folder(tmp_path):
    make(tmp_path, "it's [1]/0.wav", "b/0.wav")
    assert exclude_option(["it's [1]"]) == """--data.exclude '["it'"'"'s [[]1]"]'"""
    assert search(tmp_path, ["it's [[]1]"]).files == paths("b/0.wav")


TREE = [
    *("a/0.wav", "a/1.m4a", "a/1.wav", "a/notes.txt", "a/b/2.flac", "top.wav", "readme.md", ".x.wav", "a/.x.wav"),
    *(
        ".low/0.wav",
        "a/.more/deep/0.m4a",
        ".git/0.wav",
        "a/b/.c/0.wav",
        "__MACOSX/0.wav",
        "noise/0.wav",
        "a/noise/x/1.wav",
    ),
]


@pytest.mark.parametrize("exclude", [None, ["noise"], ["a/noise"], ["b", "./noise"]])
def test_a_listing_from_elsewhere_is_read_by_the_rules_of_a_folder(tmp_path, exclude):
    make(tmp_path, *TREE)
    entries = [Entry(name, number, -number) for number, name in enumerate(TREE)]
    found, expected = found_in(reversed(entries), "s3://sounds", exclude), search(tmp_path, exclude)
    for name in ("files", "others", "folders", "hidden", "notes", "examples", "n_files", "n_others"):
        assert getattr(found, name) == getattr(expected, name), name
    for file in found.files:
        assert found.stamps[file.as_posix()] == Stamp(TREE.index(file.as_posix()), -TREE.index(file.as_posix()))


def test_a_pattern_that_matches_no_folder_of_a_listing_raises():
    with pytest.raises(DataError, match="matches no folder below 's3://sounds'; it holds 'a'"):
        found_in([Entry("a/0.wav", 1, 1)], "s3://sounds", ["noise"])


def test_the_number_of_files_is_shown_while_a_folder_is_searched(tmp_path, monkeypatch):
    counts = []

    @contextlib.contextmanager
    def bar(description, total):
        assert (description, total) == (f"listing {tmp_path}", None)
        yield counts.append

    monkeypatch.setattr(terminal, "_make_bar", bar)
    make(tmp_path, *(f"a/{number}.wav" for number in range(1100)), "b/0.wav")
    search(tmp_path)
    assert sum(counts) == 1101
    assert counts[1:3] == [1000, 100]
