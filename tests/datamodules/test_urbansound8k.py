"""UrbanSound8K, on small copies of its layout with the sample rates, bit depths and channels of the original."""

import csv

import numpy as np
import pytest
import soundfile
from untrained.datamodules.urbansound8k import UrbanSound8K
from untrained.errors import DataError
from untrained.testing import check_datamodule

HEADER = ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]
FORMATS = [
    (8_000, "PCM_U8", 1),
    (11_025, "PCM_16", 2),
    (44_100, "PCM_24", 2),
    (48_000, "PCM_32", 1),
    (96_000, "FLOAT", 2),
    (192_000, "PCM_16", 1),
    (22_050, "IMA_ADPCM", 1),
    (44_100, "MS_ADPCM", 2),
]


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        rate, subtype, channels = FORMATS[number % len(FORMATS)]
        seconds = (0.05, 0.5, 4.0)[number % 3]
        fold, name = 1 + number % 10, f"{100_000 + number}-{number % 2}-0-{number}.wav"
        path = tmp_path / "audio" / f"fold{fold}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.uniform(-0.3, 0.3, (int(rate * seconds), channels)), rate, subtype=subtype)
        label = ("dog_bark", "siren")[number // 10 % 2]
        rows.append([name, 100_000 + number, 0.0, seconds, 1, fold, number % 2, label])
    (tmp_path / "metadata").mkdir()
    write_table(tmp_path, rows)
    return tmp_path


def write_table(root, rows):
    with (root / "metadata" / "UrbanSound8K.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])


def test_official_folds_and_every_format(root):
    data = UrbanSound8K(str(root))
    check_datamodule(UrbanSound8K(str(root), n_samples=3000))
    assert len(data.listed) == 40
    assert {clip.fold for clip in data.listed} == set(range(1, 11))
    assert data.class_names == ["dog_bark", "siren"]
    assert data.n_samples == 48_000
    clip = data.listed[0]
    assert clip.id.startswith("fold1/")
    assert clip.metadata["fsid"] == "100000"
    for clip in data.listed:
        waveform, seconds, _ = data.read(clip, 12_000)
        assert waveform.shape == (48_000,)
        assert 0.02 < waveform.std() < 0.3
        assert seconds == pytest.approx(float(clip.metadata["end"]), abs=0.05)  # ADPCM pads the last block


def test_absent_files_are_named(root):
    (root / "audio" / "fold3" / "100002-0-0-2.wav").unlink()
    data = UrbanSound8K(str(root))
    assert len(data.listed) == 39
    assert data.notes == ["1 of 40 listed clips are missing: fold3/100002-0-0-2.wav"]
    with (root / "metadata" / "UrbanSound8K.csv").open("a") as file:
        file.write("gone.wav,1,0,1,1,1,1,drilling\n")
    data = UrbanSound8K(str(root))
    assert len(data.listed) == 39
    assert data.notes[1] == "no clip of 'drilling': the class is left out"


def test_a_copy_with_the_folds_next_to_the_table(root):
    ids = [clip.id for clip in UrbanSound8K(str(root)).listed]
    for path in [*(root / "audio").iterdir(), root / "metadata" / "UrbanSound8K.csv"]:
        path.rename(root / path.name)
    (root / "audio").rmdir()
    assert [clip.id for clip in UrbanSound8K(str(root)).listed] == ids


@pytest.mark.parametrize("name", ["../../out.wav", "/etc/passwd", "a/b.wav"])
def test_names_that_are_paths_raise(root, name):
    write_table(root, [[name, 1, 0, 1, 1, 1, 1, "siren"]])
    with pytest.raises(DataError, match=r"line 2: slice_file_name=.*expected the name of a file"):
        UrbanSound8K(str(root)).listed  # noqa: B018


def test_repeated_rows_raise(root):
    write_table(root, [["a.wav", 1, 0, 1, 1, 1, 1, "siren"]] * 2)
    with pytest.raises(DataError, match=r"line 3: 'fold1/a.wav' is already listed on line 2, with the same label"):
        UrbanSound8K(str(root)).listed  # noqa: B018


def test_wrong_roots_raise(root, tmp_path):
    with pytest.raises(DataError, match=r"UrbanSound8K not found: no metadata/UrbanSound8K.csv under root=.*data.root"):
        UrbanSound8K(str(root / "audio")).listed  # noqa: B018
    (root / "audio").rename(root / "sounds")
    with pytest.raises(DataError, match=r"no audio under root=.*none of the 40 files"):
        UrbanSound8K(str(root)).listed  # noqa: B018
    (root / "metadata" / "UrbanSound8K.csv").write_text("slice_file_name,fold\na.wav,1\n")
    with pytest.raises(DataError, match=r"has no column class: its first line has 'slice_file_name', 'fold'"):
        UrbanSound8K(str(root)).listed  # noqa: B018
    write_table(root, [["a.wav", 1, 0, 1, 1, "one", 1, "siren"]])
    with pytest.raises(DataError, match=r"line 2: fold='one'; expected a whole number"):
        UrbanSound8K(str(root)).listed  # noqa: B018


def test_a_fit_is_nested_on_the_official_folds(untrained, root):
    data = ["--data", "urbansound8k", "--data.root", root, "--data.n_samples", "12000"]
    status, out, _ = untrained("fit", *data, "--model.frontend", "mfcc", "--model.backend", "elm")
    assert status == 0
    assert "(nested" in out
