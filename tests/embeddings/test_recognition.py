"""Clips that were touched, renamed, copied or moved are not computed again; clips with changed content are."""

import os
import shutil

import numpy as np
import pytest
import soundfile
from safetensors import safe_open
from safetensors.numpy import save_file
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.recognition import recognise


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    Synthetic("events", clips_per_class=3, n_samples=8000).export(root)
    return root


@pytest.fixture
def data(exported, tmp_path, embed):
    """Folder of sounds whose embeddings are stored."""
    shutil.copytree(exported, tmp_path / "data")
    embed(folder(tmp_path / "data"), tmp_path / "stores")
    return tmp_path / "data"


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


@pytest.fixture
def again(data, tmp_path, embed):
    """Function that extracts embeddings of a folder, by default of `data`."""
    return lambda root=data: embed(folder(root), tmp_path / "stores")[0]


def touch(root):
    for path in root.rglob("*.wav"):
        os.utime(path, (1, 1))


def test_touched_files_are_not_computed_again(data, again):
    touch(data)
    extraction = again()
    assert extraction.n_computed == 0
    assert extraction.notes == [
        "24 clips have new modification times but the same content: they are not computed again"
    ]
    assert again().notes == []  # size and modification time suffice from now on


def test_a_moved_folder_is_recognised(data, again):
    data.rename(data.with_name("elsewhere"))
    touch(data.with_name("elsewhere"))
    extraction = again(data.with_name("elsewhere"))
    assert (extraction.n_clips, extraction.n_computed) == (24, 0)
    (note,) = extraction.notes
    moved = f"the data folder has moved from {data}"
    assert note == f"{moved}: 24 clips are recognised by their content and not computed again"


def test_a_copied_folder_with_one_clip_removed_and_one_added(data, again):
    shutil.copytree(data, data.with_name("copy"))
    os.remove(data.with_name("copy") / "bark/0000.wav")
    soundfile.write(data.with_name("copy") / "bark/extra.wav", np.ones(100) / 3, 12_000)
    before = again().store
    extraction = again(data.with_name("copy"))
    assert extraction.n_computed == 1
    (note,) = extraction.notes
    assert note.startswith(f"23 clips are copies of {data}: their embeddings are copied from {before.folder}")
    same = [row.id for row in extraction.store.rows if row.id != "bark/extra.wav"]
    np.testing.assert_array_equal(extraction.store.read(same), before.read(same))


def test_renamed_copied_and_changed_files(data, again):
    (data / "horn/0000.wav").rename(data / "horn/renamed.wav")
    shutil.copyfile(data / "siren/0001.wav", data / "siren/twice.wav")
    changed = data / "bark/0001.wav"
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1  # the same size
    changed.write_bytes(content)
    extraction = again()
    assert extraction.n_computed == 1
    assert sorted(extraction.notes) == [
        "1 clips are computed again: their files have changed, for example 'bark/0001.wav'",
        "2 clips were renamed or copied: they are recognised by their content and not computed again",
    ]
    of = {row.id: row for row in extraction.store.rows}
    assert of["siren/twice.wav"].audio == of["siren/0001.wav"].audio


def test_clips_of_another_length_are_computed_again(data, tmp_path, embed):
    touch(data)
    extraction, _ = embed(AudioFolder(str(data), n_samples=7000), tmp_path / "stores")
    assert extraction.n_computed == 24


class Louder(AudioFolder):
    def __init__(self, root, gain=1.0, **loader):
        super().__init__(root, **loader)
        self.gain = gain

    @property
    def source(self):
        return {**super().source, "gain": self.gain}

    def read(self, clip, sample_rate):
        decoded = super().read(clip, sample_rate)
        return decoded._replace(waveform=self.gain * decoded.waveform)


def test_a_plug_in_with_its_own_read_shares_no_embeddings(data, tmp_path, embed):
    embed(Louder(str(data), n_samples=8000), tmp_path / "own")
    assert embed(Louder(str(data), gain=0.5, n_samples=8000), tmp_path / "own")[0].n_computed == 24
    touch(data)
    (data / "horn/0000.wav").rename(data / "horn/renamed.wav")
    assert embed(Louder(str(data), n_samples=8000), tmp_path / "own")[0].n_computed == 1  # the renamed clip


def without_digests_in(path):
    """Rewrite a matrix in the format of an earlier version."""
    with safe_open(path, framework="np") as file:
        matrix, lines = file.get_tensor("embeddings"), file.metadata()["clips"].splitlines()
    clips = "".join(",".join(line.split(",")[:4]) + "\r\n" for line in lines)
    save_file({"embeddings": matrix}, path, {"clips": clips})


def test_digests_are_added_to_a_store_of_an_earlier_version(data, tmp_path, again):
    (path,) = tmp_path.glob("stores/data-*/embeddings.safetensors")
    without_digests_in(path)
    extraction = again()
    assert extraction.n_computed == 0
    assert extraction.notes == ["24 stored clips are decoded once more to add content digests"]
    touch(data)
    assert again().n_computed == 0
    without_digests_in(path)
    os.utime(data / "horn/0000.wav", (2, 2))
    first, second = again().notes
    assert "for example 'horn/0000.wav' (detected by size or modification time only, " in first
    assert second.startswith("23 stored clips")


def test_a_moved_folder_is_computed_again_if_its_store_has_no_digests(data, tmp_path, again):
    (path,) = tmp_path.glob("stores/data-*/embeddings.safetensors")
    without_digests_in(path)
    data.rename(data.with_name("elsewhere"))
    extraction = again(data.with_name("elsewhere"))
    assert extraction.n_computed == 24
    assert extraction.notes == [
        f"{path.parent} may contain embeddings of the same clips, but they cannot be reused: the store has no "
        "content digests, because its files are remote or an earlier version wrote it"
    ]


def test_nothing_is_written_before_the_lock(data, again):
    store = again().store
    touch(data)
    before = {path: path.read_bytes() for path in store.folder.iterdir()}
    assert len(recognise(store, folder(data)).found) == 24
    assert {path: path.read_bytes() for path in store.folder.iterdir()} == before
