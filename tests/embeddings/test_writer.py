import csv
import importlib
import os
import shutil
import sys

import numpy as np
import pytest
import soundfile
import torch
from pytorch_lightning import Trainer
from untrained.backends.svm import SVMClassifier
from untrained.datamodules import AudioDataModule
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings import provenance
from untrained.embeddings.extract import extract
from untrained.embeddings.locate import open_store
from untrained.embeddings.provenance import code_digest, embedding_fields, frontend_fields
from untrained.embeddings.writer import EmbeddingWriter
from untrained.errors import AudioError, StoreError, UntrainedError, UsageError
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.frontends.vgg import VGG
from untrained.probes import selection as protocols
from untrained.probes.probe import EmbeddedData, Probe


def trainer(**arguments):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return Trainer(accelerator="cpu", devices=1, **quiet, **arguments)


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


def embed(data, root, frontend=None):
    extraction = extract(Probe(frontend or Temporal(n_filters=4)), data, trainer(), root)
    return extraction, extraction.store.read([row.id for row in extraction.store.rows])


@pytest.mark.parametrize("make", [lambda: VGG(4), Temporal, MFCC], ids=["vgg", "temporal", "mfcc"])
def test_batch_size_and_workers_do_not_matter(sounds, tmp_path, make):
    one, X = embed(folder(sounds, batch_size=1), tmp_path / "1", make())
    assert X.shape == (36, make().embedding_size)
    assert [row.id for row in one.store.rows] == sorted(clip.id for clip in folder(sounds).listed)
    for name, arguments in (("7", {"batch_size": 7}), ("workers", {"batch_size": 5, "num_workers": 2})):
        other, Y = embed(folder(sounds, **arguments), tmp_path / name, make())
        assert other.store.rows == one.store.rows
        np.testing.assert_allclose(Y, X, rtol=1e-5, atol=1e-5 * np.abs(X).max())


def test_another_seed_has_other_weights_and_another_store(sounds, tmp_path):
    first, X = embed(folder(sounds), tmp_path, Temporal(seed=0))
    second, Y = embed(folder(sounds), tmp_path, Temporal(seed=1))
    assert first.store.folder != second.store.folder
    assert np.abs(X - Y).max() > 0.1 * np.abs(X).max()


def test_embeddings_are_those_of_the_frontend(sounds, tmp_path):
    data = folder(sounds)
    extraction, X = embed(data, tmp_path)
    waveforms = torch.stack([torch.from_numpy(data.read(clip, 12_000).waveform) for clip in data.listed])
    np.testing.assert_allclose(X, Temporal(n_filters=4)(waveforms).numpy(), rtol=1e-5, atol=1e-4)
    assert extraction.n_computed == 36
    lines = list(csv.reader((extraction.store.folder / "clips.csv").open(newline="")))
    assert lines[0] == ["id", "size", "mtime_ns", "seconds"]
    assert [line[0] for line in lines[1:]] == [row.id for row in extraction.store.rows]


def test_a_second_run_computes_what_has_changed_alone(tmp_path):
    Synthetic("events", clips_per_class=3, n_samples=8000).export(tmp_path / "data")
    _, X = embed(folder(tmp_path / "data"), tmp_path / "store")
    again, Y = embed(folder(tmp_path / "data"), tmp_path / "store")
    assert again.n_computed == 0
    assert "nothing to do" in str(again)
    np.testing.assert_array_equal(X, Y)

    changed, new = tmp_path / "data/bark/0001.wav", tmp_path / "data/bark/0003.wav"
    soundfile.write(changed, np.random.default_rng(0).uniform(-0.5, 0.5, 9000), 12_000)
    soundfile.write(new, np.zeros(9000), 12_000)
    os.remove(tmp_path / "data/horn/0000.wav")
    (tmp_path / "data/horn/0004.wav").write_bytes((tmp_path / "data/horn/0001.wav").read_bytes())
    third, Z = embed(folder(tmp_path / "data"), tmp_path / "store")
    assert third.n_computed == 3
    rows = {row.id: vector for row, vector in zip(third.store.rows, Z, strict=True)}
    before = {row.id: vector for row, vector in zip(again.store.rows, X, strict=True)}
    assert not np.array_equal(rows["bark/0001.wav"], before["bark/0001.wav"])
    same = set(before) - {"bark/0001.wav"}
    assert all(np.array_equal(rows[clip_id], before[clip_id]) for clip_id in same)


def test_a_stored_clip_whose_file_has_broken_is_no_longer_used(sounds, tmp_path):
    shutil.copytree(sounds, tmp_path / "data")
    embed(folder(tmp_path / "data"), tmp_path / "store")
    (tmp_path / "data/low/low 00.wav").write_bytes(b"junk")
    data = folder(tmp_path / "data", on_error="skip")
    extraction, _ = embed(data, tmp_path / "store")
    assert (extraction.n_computed, list(extraction.failed)) == (0, ["low/low 00.wav"])
    assert len(EmbeddedData(extraction.store, data, data.class_names).clips) == 35


PLUGIN = """
from torch import nn
from untrained.frontends import Frontend, Waveform
from . import maths


class Mine(Frontend):
    '''Documented.'''

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.conv = nn.Conv1d(1, 4, 8)

    def feature_maps(self, x):
        return [maths.rectified(self.conv(x[:, None]))]  # a comment
"""
MATHS = "def rectified(x):\n    return x.relu()\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "matters"),
    [
        ("mine.py", "x[:, None]", "-x[:, None]", True),
        ("maths.py", "x.relu()", "2 * x.relu()", True),  # a function of another file
        ("mine.py", "Documented.", "Documented at length.", False),
        ("mine.py", "# a comment", "# another", False),
    ],
)
def test_the_code_of_a_frontend_decides_its_store(tmp_path, monkeypatch, file, old, new, matters):
    monkeypatch.syspath_prepend(tmp_path)

    def digest_of(package, changed):
        folder = tmp_path / package
        folder.mkdir()
        for name, text in (("__init__.py", ""), ("mine.py", PLUGIN), ("maths.py", MATHS)):
            assert name != file or old in text
            (folder / name).write_text(text.replace(old, new) if changed and name == file else text)
        importlib.invalidate_caches()
        frontend = importlib.import_module(f"{package}.mine").Mine()
        digest = code_digest([type(module) for module in frontend.modules()])
        assert embedding_fields(frontend, Synthetic(), "32-true")["code"] == digest
        for name in (package, f"{package}.mine", f"{package}.maths"):
            del sys.modules[name]
        shutil.rmtree(folder)
        return digest

    assert digest_of("mypackage", False) == digest_of("mypackage", False)
    assert (digest_of("mypackage", False) != digest_of("mypackage", True)) == matters


@pytest.mark.parametrize(
    ("name", "matters"),
    [("errors", False), ("terminal", False), ("backends.least_squares", True)],
)
def test_an_edit_of_what_decides_no_value_changes_no_digest(monkeypatch, name, matters):
    module = importlib.import_module(f"untrained.{name}")
    monkeypatch.setattr(protocols, "used", module, raising=False)
    before, source = code_digest([SVMClassifier, protocols]), provenance._source
    monkeypatch.setattr(provenance, "_source", lambda thing: source(thing) + "edited" * (thing is module))
    assert (code_digest([SVMClassifier, protocols]) != before) == matters


def test_a_digest_is_of_the_code_and_not_of_the_weights():
    vgg, other = VGG(2, seed=1), VGG(3)
    assert len({frontend_fields(frontend)["code"] for frontend in (vgg, Temporal(4), MFCC())}) == 3
    assert frontend_fields(vgg)["code"] == frontend_fields(other)["code"]
    assert frontend_fields(vgg)["weights"] != frontend_fields(other)["weights"]


def test_a_plug_in_s_data_of_other_arguments_has_another_store():
    class Pitch(AudioDataModule):
        def __init__(self, pitch: float) -> None:
            super().__init__()
            self.pitch = pitch

    assert Pitch(1.0).source != Pitch(2.0).source
    assert Pitch(1.0).source == Pitch(1.0).source


@pytest.fixture
def broken(tmp_path):
    root = tmp_path / "data"
    Synthetic("events", clips_per_class=3, n_samples=8000).export(root)
    (root / "horn/0001.wav").write_bytes(b"")
    (root / "siren/0001.wav").write_text("text")
    return root


def test_files_whose_headers_are_broken_are_named_at_once(broken, tmp_path):
    with pytest.raises(UntrainedError, match=r"(?s)2 of 24 files.*horn/0001.wav: is empty.*siren/.*on_error skip"):
        embed(folder(broken), tmp_path)
    assert not list(tmp_path.glob("*/shards")) + list(tmp_path.glob("*/embeddings.safetensors"))
    (broken / "siren/0001.wav").write_bytes((broken / "siren/0000.wav").read_bytes())
    with pytest.raises(AudioError, match=r"horn/0001.wav: is empty.*--data.on_error skip"):
        embed(folder(broken), tmp_path)


def test_a_broken_file_ends_the_run_and_loses_nothing(broken, tmp_path):
    for name in ("horn/0001.wav", "siren/0001.wav"):  # which their headers do not tell
        soundfile.write(broken / name, np.float32([0, np.nan]), 12_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"horn/0001.wav: holds samples that are not finite.*--data.on_error skip"):
        embed(folder(broken, batch_size=2), tmp_path / "store")
    (broken / "horn/0001.wav").write_bytes((broken / "horn/0000.wav").read_bytes())
    with pytest.raises(AudioError, match=r"siren/0001.wav"):
        embed(folder(broken, batch_size=2), tmp_path / "store")
    (broken / "siren/0001.wav").write_bytes((broken / "siren/0000.wav").read_bytes())
    extraction, X = embed(folder(broken, batch_size=2), tmp_path / "store")
    assert 0 < extraction.n_computed < 10
    whole, Y = embed(folder(broken), tmp_path / "other")
    assert [row.id for row in extraction.store.rows] == [row.id for row in whole.store.rows]
    np.testing.assert_allclose(X, Y, rtol=1e-5, atol=1e-4)


def test_a_writer_can_be_used_again_and_holds_the_store_meanwhile(broken, tmp_path):
    for name in ("horn/0001.wav", "siren/0001.wav"):
        shutil.copy(broken / "horn/0000.wav", broken / name)
    soundfile.write(broken / "siren/0002.wav", np.float32([0, np.nan]), 12_000, subtype="FLOAT")
    writer, data, frontend = EmbeddingWriter(tmp_path / "store"), folder(broken), Temporal(4)

    def predict():
        one = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, callbacks=[writer])
        one.predict(Probe(frontend), datamodule=data, return_predictions=False)

    with pytest.raises(AudioError, match=r"siren/0002.wav"):
        predict()
    assert not frontend._forward_hooks
    assert len(data.predict_dataloader().dataset) == 24
    shutil.copy(broken / "siren/0000.wav", broken / "siren/0002.wav")
    with writer.store.locked(), pytest.raises(StoreError, match="is in use by process"):
        predict()
    predict()
    assert len(writer.store.rows) == 24
    assert not frontend._forward_hooks


@pytest.mark.parametrize("batch_size", [1, 8])
def test_broken_files_can_be_skipped(broken, tmp_path, batch_size):
    extraction, X = embed(folder(broken, batch_size=batch_size, on_error="skip"), tmp_path / "store")
    assert len(X) == 22
    assert set(extraction.failed) == {"horn/0001.wav", "siren/0001.wav"}
    assert "2 clips could not be read" in str(extraction)
    embed(folder(broken, batch_size=batch_size, on_error="skip"), tmp_path / "store")
    assert extraction.store.profile["n_clips"] == 22  # of the run that has computed something
    failed = (extraction.store.folder / "failed.csv").read_text()
    assert "horn/0001.wav,is empty (0 bytes)" in failed


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"n_clips": 36}', b"null"])
def test_a_damaged_profile_ends_nothing(sounds, tmp_path, content):
    extraction, _ = embed(folder(sounds), tmp_path)
    os.remove(extraction.store.folder / "embeddings.safetensors")
    (extraction.store.folder / "profile.json").write_bytes(content)
    assert extraction.store.profile == {}
    again, _ = embed(folder(sounds), tmp_path)
    assert again.profile["n_clips"] == 36  # which has written a new one
    (extraction.store.folder / "profile.json").write_bytes(content)
    assert "nothing to do" in str(embed(folder(sounds), tmp_path)[0])


@pytest.mark.parametrize("content", [b"id,reason\na\n", b"id,reason\n\xff,b\n", b"id,reason\na,b,c\n"])
def test_a_damaged_table_of_failures_is_named_and_forgotten_by_force(broken, tmp_path, content):
    def run(**arguments):
        data = folder(broken, on_error="skip")
        return extract(Probe(Temporal(n_filters=4)), data, trainer(), tmp_path / "store", **arguments)

    failed = run().store.folder / "failed.csv"
    failed.write_bytes(content)
    with pytest.raises(StoreError, match=r"failed.csv is no table of ids and reasons .*; delete it, or .* --force"):
        run()
    assert set(run(force=True).failed) == {"horn/0001.wav", "siren/0001.wav"}
    failed.write_bytes(content)
    os.remove(failed)
    assert set(run().failed) == {"horn/0001.wav", "siren/0001.wav"}


def test_a_manifest_that_is_none_is_refused(sounds, tmp_path):
    extraction, _ = embed(folder(sounds), tmp_path)
    (extraction.store.folder / "manifest.json").write_text("[]")
    with pytest.raises(StoreError, match=r"manifest.json cannot be read \(it holds a list\); delete the folder"):
        embed(folder(sounds), tmp_path)


def test_a_folder_of_embeddings_that_is_not_utf8_is_refused(sounds, tmp_path):
    with pytest.raises(StoreError, match=r"\\udcff/.* is not valid UTF-8.* another folder with --embeddings"):
        embed(folder(sounds), tmp_path / os.fsdecode(b"\xff"))


def test_everything_that_matters_has_a_store_of_its_own(sounds, tmp_path):
    folders = set()
    for frontend, data, precision in (
        (Temporal(4), folder(sounds), "32-true"),
        (Temporal(8), folder(sounds), "32-true"),
        (Temporal(4, seed=1), folder(sounds), "32-true"),
        (MFCC(), folder(sounds), "32-true"),
        (Temporal(4), folder(sounds, fit_length="zero"), "32-true"),
        (Temporal(4), AudioFolder(str(sounds), n_samples=9000), "32-true"),
        (Temporal(4), folder(sounds), "bf16-mixed"),
        (Temporal(4), Synthetic("events", n_samples=8000), "32-true"),
        (Temporal(4), Synthetic("events", n_samples=8000, seed=1), "32-true"),
    ):
        folders.add(open_store(tmp_path, frontend, data, precision).folder)
    assert len(folders) == 9
    same = folder(sounds, seed=5, folds=3, batch_size=2)  # splits are not stored
    assert open_store(tmp_path, Temporal(4), same, "32-true").folder in folders


def test_another_sample_rate_than_the_frontend_s_is_refused(sounds, tmp_path):
    with pytest.raises(UsageError, match="the frontend reads 12000 Hz"):
        embed(folder(sounds, sample_rate=44_100), tmp_path)
