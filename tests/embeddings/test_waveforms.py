import errno
import os
import shutil
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings import space, waveforms
from untrained.embeddings.extract import extract
from untrained.embeddings.waveforms import Waveforms
from untrained.files import locked
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Folder of 24 short sounds; tests change copies of it."""
    root = tmp_path_factory.mktemp("exported") / "data"
    Synthetic("events", clips_per_class=3, n_samples=8000).export(root)
    return root


@pytest.fixture
def data(exported, tmp_path, monkeypatch):
    """Function that returns a datamodule that counts the clips it decodes in `data.n_read`."""
    shutil.copytree(exported, tmp_path / "data")

    class Counted(AudioFolder):
        def read(self, clip, sample_rate):
            make.n_read[clip.id] += 1
            return super().read(clip, sample_rate)

    def make(root=tmp_path / "data", **arguments):
        make.n_read = Counter()
        return Counted(str(root), **{"n_samples": 4000, "batch_size": 8, **arguments})

    return make


@pytest.fixture
def embedded(tmp_path, trainer):
    """Function that extracts embeddings to `stores`, and returns them with the lines for the user."""

    def run(datamodule, frontend=None, root="stores", **options):
        said = []
        probe = Probe(frontend or Temporal(n_filters=4))
        found = extract(probe, datamodule, trainer(), tmp_path / root, say=said.append, **options)
        rows = found.store.rows
        return rows, found.store.read([row.id for row in rows]), [line for line in said if "waveform" in line]

    return run


def files(tmp_path):
    return sorted((tmp_path / "stores/waveforms").glob("*/*.safetensors"))


def test_other_frontends_and_commands_read_the_same_waveforms(tmp_path, data, embedded):
    rows, _, (line,) = embedded(data())
    (folder,) = (tmp_path / "stores/waveforms").iterdir()
    assert line == f"waveforms: 24 clips x 4,000 samples float32 = 0.4 MB -> {folder}"
    for frontend in (Temporal(n_filters=4, seed=1), MFCC()):
        _, without, said = embedded(data(cache="off"), frontend, root="whole")
        assert said == []
        stored, found, said = embedded(data(num_workers=1), frontend)
        assert said == ["waveforms: 24 of 24 clips from the cache"]
        np.testing.assert_array_equal(found, without)
        assert stored == rows  # with durations and digests
        assert not data.n_read
    assert embedded(data(), MFCC())[2] == []  # nothing is read


def test_only_clips_that_have_changed_or_are_new_are_decoded(tmp_path, data, embedded):
    embedded(data())
    changed = sorted((tmp_path / "data").rglob("*.wav"))[:2]
    changed[0].write_bytes(changed[1].read_bytes())
    shutil.copyfile(changed[1], changed[1].with_name("new.wav"))
    _, X, said = embedded(data(), MFCC())
    assert said[0] == "waveforms: 23 of 25 clips from the cache"
    assert len(data.n_read) == 2
    np.testing.assert_array_equal(X, embedded(data(cache="off"), MFCC(), root="whole")[1])
    assert embedded(data(), Temporal(seed=2))[2] == ["waveforms: 25 of 25 clips from the cache"]


@pytest.mark.parametrize("harm", ["cut", "sample", "empty", "other", "part"])
def test_damage_is_reported_once_and_repaired(tmp_path, data, embedded, harm):
    embedded(data())
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    if harm == "other":
        embedded(data(fit_length="zero"), MFCC())
        (other,) = set(files(tmp_path)) - {path}
        path.write_bytes(other.read_bytes())
    elif harm == "part":
        path.rename(path.with_name(f".{path.name}.1.part"))
    else:
        content[-1] ^= 1
        path.write_bytes({"cut": content[:-100], "sample": content, "empty": b""}[harm])
    _, X, said = embedded(data(), MFCC())
    np.testing.assert_array_equal(X, embedded(data(cache="off"), MFCC(), root="whole")[1])
    notes = [line for line in said if line.startswith("note: ")]
    expected = {
        "sample": "were damaged, for example",
        "other": "is ignored: it holds waveforms of other data or settings; delete it",
        "part": "1 unfinished files of an interrupted command are removed",
    }
    if harm == "sample":
        assert any("waveforms: 1 clip x" in line for line in said)  # it is written anew
    (note,) = notes
    assert expected.get(harm, "is damaged") in note
    _, _, said = embedded(data(), Temporal(seed=3))
    assert "waveforms: 24 of 24 clips from the cache" in said
    assert not [line for line in said if "damaged" in line]
    assert path.exists() == (harm in ("other", "sample"))


def test_clips_that_cannot_be_read_are_not_cached(tmp_path, data, embedded):
    broken = sorted((tmp_path / "data").rglob("*.wav"))[0]
    broken.write_bytes(b"junk")
    for seed in (0, 1):
        rows, _, said = embedded(data(on_error="skip"), Temporal(seed=seed))
        assert len(rows) == 23
    assert said[0] == "waveforms: 23 of 24 clips from the cache"


def test_without_space_a_command_goes_on(tmp_path, data, embedded, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(space.shutil, "disk_usage", lambda path: SimpleNamespace(free=300_000))
        _, _, (line,) = embedded(data(cache="float32"))
        assert "not cached: 24 clips x 4,000 samples float32 = 0.4 MB, but only 0.3 MB are free" in line
        patch.setattr(space.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
        _, _, (line,) = embedded(data(), Temporal(seed=1))
        assert "more than --data.cache auto allows" in line
    assert files(tmp_path) == []

    def full(path, content):
        if path.suffix == ".safetensors" and "waveforms" in path.parts:
            raise waveforms.StoreError(f"{path} cannot be written: {os.strerror(errno.ENOSPC)}; free space")
        return write(path, content)

    write = waveforms.write_atomically
    monkeypatch.setattr(waveforms, "write_atomically", full)
    rows, _, said = embedded(data(), Temporal(seed=2))
    assert len(rows) == 24
    assert "waveforms are no longer cached" in said[-1]
    assert files(tmp_path) == []


def test_one_process_writes_at_a_time(tmp_path, data, embedded):
    folder = Waveforms(tmp_path / "stores", data(), 12_000, print).folder
    with locked(folder, "wait"):
        rows, _, (line,) = embedded(data())
    assert len(rows) == 24
    assert f"{folder} is in use by process {os.getpid()}" in line
    assert files(tmp_path) == []


def test_force_decodes_once_for_all_frontends_of_a_command(tmp_path, data, embedded):
    embedded(data())
    before = files(tmp_path)
    datamodule = data()
    for frontend in (Temporal(n_filters=4), MFCC()):
        embedded(datamodule, frontend, force=True)
    assert set(data.n_read.values()) == {1}
    (after,) = files(tmp_path)
    assert [after] != before


def test_waveforms_of_16_bits_give_the_same_with_and_without_space(tmp_path, data, embedded, monkeypatch):
    _, exact, _ = embedded(data())
    _, X, (line,) = embedded(data(cache="int16"))
    assert "int16 = 0.2 MB" in line
    assert 0 < np.abs(X - exact).max() < 1e-2 * np.abs(exact).max() or np.array_equal(X, exact)
    assert embedded(data(cache="int16"), MFCC())[2] == ["waveforms: 24 of 24 clips from the cache"]
    monkeypatch.setattr(waveforms, "refusal", lambda *_, **__: "no")
    np.testing.assert_array_equal(embedded(data(cache="int16"), root="whole")[1], X)


def test_a_cache_is_filled_in_several_files(tmp_path, data, embedded, monkeypatch):
    monkeypatch.setattr(waveforms, "FILE_BYTES", 8 * 4 * 4000)
    embedded(data())
    assert len(files(tmp_path)) == 3
    files(tmp_path)[1].unlink()
    _, X, said = embedded(data(), MFCC())
    assert said[0] == "waveforms: 16 of 24 clips from the cache"
    np.testing.assert_array_equal(X, embedded(data(cache="off"), MFCC(), root="whole")[1])
