"""On small copies of the layouts in which GTZAN is around."""

from collections import Counter

import numpy as np
import pytest
import soundfile
from torchaudio.datasets import gtzan as lists
from untrained.datamodules.gtzan import GTZAN
from untrained.errors import DataError
from untrained.testing import check_datamodule

NAMES = [*lists.filtered_train[::40], *lists.filtered_valid[::40], *lists.filtered_test[::40]]


def copy_of(folder, names=NAMES, extension="wav"):
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name.split(".")[0] / f"{name}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.uniform(-0.1, 0.1, 400), 22_050)
    return folder


@pytest.mark.parametrize("place", [".", "genres", "genres_original", "Data/genres_original"])
@pytest.mark.parametrize("extension", ["wav", "au"])
def test_finds_the_genres_and_takes_the_official_splits(tmp_path, place, extension):
    copy_of(tmp_path / place, extension=extension)
    data = GTZAN(str(tmp_path))
    splits = Counter(clip.split for clip in data.listed)
    assert splits == {"train": 12, "validation": 5, "test": 8}
    assert {clip.label for clip in data.listed} == {name.split(".")[0] for name in NAMES}
    assert data.listed[0].id == f"blues/{sorted(NAMES)[0]}.{extension}"
    assert data.read(data.listed[0], 12_000).waveform.shape == (350_000,)
    assert data.dataset_name == "gtzan"
    check_datamodule(GTZAN(str(tmp_path), n_samples=3000))


def test_the_whole_lists():
    assert [len(names) for names in (lists.filtered_train, lists.filtered_valid, lists.filtered_test)] == [
        443,
        197,
        290,
    ]


def test_absent_excerpts_are_named_and_others_are_ignored(tmp_path):
    names = [name for name in lists.filtered_train if name != "jazz.00054"]
    copy_of(tmp_path, [*names, "blues.99999"])
    copy_of(tmp_path, lists.filtered_valid + lists.filtered_test, "au")
    copy_of(tmp_path, ["blues.00029"], "au")  # beside the wav
    (tmp_path / "blues" / "notes.txt").write_text("")
    copy_of(tmp_path / "zz_cuts", ["blues.00029"])  # which are no excerpts of the collection
    data = GTZAN(str(tmp_path))
    assert len(data.listed) == 929
    assert data.notes == ["1 of 930 listed are absent: jazz.00054"]
    assert data.n_other_files == 4
    assert "blues/blues.00029.wav" in {clip.id for clip in data.listed}


def test_wrong_root(tmp_path):
    (tmp_path / "audio").mkdir()
    with pytest.raises(
        DataError, match=r"GTZAN not found under root=.*no folders blues, .* nor in genres.*--data.root"
    ):
        GTZAN(str(tmp_path)).listed  # noqa: B018
    with pytest.raises(DataError, match="GTZAN not found"):
        GTZAN(str(tmp_path / "gone")).listed  # noqa: B018


def test_a_broken_excerpt_is_reported_before_anything_is_computed(untrained, tmp_path):
    copy_of(tmp_path / "genres_original", [*NAMES, "jazz.00054", "jazz.00055"])
    for name in ("jazz.00054", "jazz.00055"):
        (tmp_path / "genres_original" / "jazz" / f"{name}.wav").write_bytes(b"\0" * 2000)  # as in a widespread copy
    command = ["predict", "--data", "gtzan", "--data.root", tmp_path, "--data.n_samples", "4000", "--model.frontend"]
    status, out, err = untrained(*command, "mfcc")
    assert status == 1
    assert "2 of 27 files cannot be used:" in err
    assert "jazz.00054.wav: cannot be decoded" in err
    assert not list(tmp_path.glob("runs/embeddings/*/embeddings.safetensors"))
    status, out, _ = untrained(*command, "mfcc", "--data.on_error", "skip")
    assert status == 0
    assert "25 of 27 clips computed" in out
    assert "903 of 930 listed are absent" in out
