"""GTZAN, on small copies of the layouts in which it is distributed."""

import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile
from untrained.datamodules.gtzan import GTZAN, fault_filtered
from untrained.errors import DataError
from untrained.testing import check_datamodule

# Inclusive ranges of excerpt numbers, counted from the lists in the authors' code.
RANGES = {
    "train": """blues 29-49 73-97 | classical 30-33 43-48 50-67 80-99 | country 19-26 28-29 65-99
        | disco 5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89 | hiphop 2-25 28-29 31-38 41-42 55-61 77-80
        | jazz 0-1 11-24 41 47-72 | metal 2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99
        | pop 2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99
        | reggae 0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69 | rock 0-9 16-26 57-70 91-99""",
    "validation": """blues 0-11 50-60 | classical 0-10 68-76 | country 0-7 9-18 27 41-42 45 49
        | disco 0 2-4 6-14 46 48 52 67-68 72 75 90 95 | hiphop 81-98 | jazz 2-10 25-32
        | metal 0-1 6-11 16-20 36-37 68 76-77 81-82 | pop 10 53 55 58-62 81 83-86
        | reggae 61-62 70 72 74 76-78 85 92-99 | rock 38 49-56 71-85""",
    "test": """blues 12-28 61-72 98-99 | classical 11-29 34-41 49 77-79 | country 30-40 43-44 46-48 50-51 53-64
        | disco 1 21 58 62-66 69 76-88 91-94 96-97 99 | hiphop 0 26-27 30 40 43-45 51-54 62-75 99 | jazz 73-99
        | metal 12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88 | pop 0-1 13-14 43 63-66 69-79 82 88-96
        | reggae 34-40 46-48 52-53 64-68 71 79 82-84 87-90 | rock 10-15 27-37 39-48 86-90""",
}
# Number of excerpts of blues, classical, ..., rock.
COUNTS = {
    "train": [46, 48, 45, 42, 47, 43, 44, 41, 43, 44],
    "validation": [23, 20, 23, 22, 18, 17, 20, 13, 17, 24],
    "test": [31, 31, 30, 29, 27, 27, 27, 30, 26, 32],
}


def listed(split):
    return [name for name, its in fault_filtered().items() if its == split]


NAMES = [name for split in RANGES for name in listed(split)[::40]]


def copy_of(folder, names=NAMES, extension="wav"):
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name.split(".")[0] / f"{name}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.uniform(-0.1, 0.1, 400), 22_050)
    return folder


@pytest.mark.parametrize("place", [".", "genres", "genres_original", "Data/genres_original"])
@pytest.mark.parametrize("extension", ["wav", "au"])
def test_genre_folders_are_found_and_official_splits_are_used(tmp_path, place, extension):
    copy_of(tmp_path / place, extension=extension)
    data = GTZAN(str(tmp_path))
    splits = Counter(clip.split for clip in data.listed)
    assert splits == {"train": 12, "validation": 5, "test": 8}
    assert {clip.label for clip in data.listed} == {name.split(".")[0] for name in NAMES}
    assert data.listed[0].id == f"blues/{sorted(NAMES)[0]}.{extension}"
    assert data.read(data.listed[0], 12_000).waveform.shape == (350_000,)
    assert data.dataset_name == "gtzan"
    check_datamodule(GTZAN(str(tmp_path), n_samples=3000))


@pytest.mark.parametrize("split", RANGES)
def test_the_fault_filtered_lists(split):
    names = []
    for part in RANGES[split].split("|"):
        genre, *ranges = part.split()
        for first, _, last in (span.partition("-") for span in ranges):
            names += [f"{genre}.{number:05d}" for number in range(int(first), int(last or first) + 1)]
    assert listed(split) == names
    assert list(Counter(name.partition(".")[0] for name in names).values()) == COUNTS[split]
    assert len(names) == {"train": 443, "validation": 197, "test": 290}[split]


def test_absent_excerpts_are_named_and_others_are_ignored(tmp_path):
    names = [name for name in listed("train") if name != "jazz.00054"]
    copy_of(tmp_path, [*names, "blues.99999"])
    copy_of(tmp_path, listed("validation") + listed("test"), "au")
    copy_of(tmp_path, ["blues.00029"], "au")  # next to the wav file
    (tmp_path / "blues" / "notes.txt").write_text("")
    copy_of(tmp_path / "zz_cuts", ["blues.00029"])  # not a genre folder
    data = GTZAN(str(tmp_path))
    assert len(data.listed) == 929
    assert data.notes == ["1 of 930 listed clips are missing: jazz.00054"]
    assert data.n_other_files == 4
    assert "blues/blues.00029.wav" in {clip.id for clip in data.listed}


def test_a_wrong_root_raises(tmp_path):
    (tmp_path / "audio").mkdir()
    with pytest.raises(
        DataError, match=r"GTZAN not found under root=.*no folders blues, .* nor in genres.*--data.root"
    ):
        GTZAN(str(tmp_path)).listed  # noqa: B018
    with pytest.raises(DataError, match="GTZAN not found"):
        GTZAN(str(tmp_path / "gone")).listed  # noqa: B018


def test_the_folder_that_holds_the_excerpts_is_used(tmp_path):
    """A widespread copy also has genre folders of spectrograms."""
    for name in NAMES:
        path = tmp_path / "genres" / name.split(".")[0] / f"{name.replace('.', '')}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(
        DataError, match=r"no audio file has the name of an excerpt, .* hold 'genres/blues/blues\d+.png'"
    ):
        GTZAN(str(tmp_path)).listed  # noqa: B018
    sounds = copy_of(tmp_path / "Data" / "genres_original")
    assert len(GTZAN(str(tmp_path)).listed) == len(NAMES)
    shutil.rmtree(sounds / "jazz")
    (sounds / "jazz").symlink_to("/media/gone")
    with pytest.raises(DataError, match="'jazz' is a symbolic link to '/media/gone', which does not exist"):
        GTZAN(str(tmp_path)).listed  # noqa: B018
    data = GTZAN(str(tmp_path), exclude="jazz")
    assert "jazz" not in data.class_names
    assert data.notes[-1] == "no clip of 'jazz': the class is left out"


def test_a_broken_excerpt_is_reported_before_anything_is_computed(untrained, tmp_path):
    copy_of(tmp_path / "genres_original", [*NAMES, "jazz.00054", "jazz.00055"])
    for name in ("jazz.00054", "jazz.00055"):
        (tmp_path / "genres_original" / "jazz" / f"{name}.wav").write_bytes(b"\0" * 2000)  # as in a widespread copy
    command = ["predict", "--data", "gtzan", "--data.root", tmp_path, "--data.n_samples", "4000", "--model.frontend"]
    status, out, err = untrained(*command, "mfcc")
    assert status == 1
    assert "2 of 27 files cannot be used:" in err
    assert "jazz.00054.wav: the file is a file of zeros, not audio" in err
    assert not list(tmp_path.glob("runs/embeddings/*/shards"))
    status, out, _ = untrained(*command, "mfcc", "--data.on_error", "skip")
    assert status == 0
    assert "25 of 27 clips computed" in out
    assert "903 of 930 listed clips are missing" in out
