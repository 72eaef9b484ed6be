import os
import shutil
import threading
import time

import numpy as np
import pytest
import soundfile
import torch
from pytorch_lightning import Trainer
from untrained import audio
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings import extract as module
from untrained.embeddings.extract import extract
from untrained.errors import AudioError, PluginError, UntrainedError, UsageError
from untrained.frontends import Frontend
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.frontends.precision import float32_products
from untrained.frontends.vgg import VGG
from untrained.probes.embedded import EmbeddedData
from untrained.probes.probe import Probe


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


@pytest.mark.parametrize("make", [lambda: VGG(4), Temporal, MFCC], ids=["vgg", "temporal", "mfcc"])
def test_batch_size_and_workers_do_not_change_embeddings(sounds, tmp_path, make, embed):
    one, X = embed(folder(sounds, batch_size=1), tmp_path / "1", make())
    assert X.shape == (36, make().embedding_size)
    assert [row.id for row in one.store.rows] == sorted(clip.id for clip in folder(sounds).listed)
    for name, arguments in (("7", {"batch_size": 7}), ("workers", {"batch_size": 5, "num_workers": 2})):
        other, Y = embed(folder(sounds, **arguments), tmp_path / name, make())
        assert other.store.rows == one.store.rows
        np.testing.assert_allclose(Y, X, rtol=1e-5, atol=1e-5 * np.abs(X).max())


def test_each_seed_has_its_own_weights_and_store(sounds, tmp_path, embed):
    first, X = embed(folder(sounds), tmp_path, Temporal(seed=0))
    second, Y = embed(folder(sounds), tmp_path, Temporal(seed=1))
    assert first.store.folder != second.store.folder
    assert np.abs(X - Y).max() > 0.1 * np.abs(X).max()


def test_embeddings_are_those_of_the_frontend(sounds, tmp_path, embed):
    data = folder(sounds)
    extraction, X = embed(data, tmp_path)
    waveforms = torch.stack([torch.from_numpy(data.read(clip, 12_000).waveform) for clip in data.listed])
    np.testing.assert_allclose(X, Temporal(n_filters=4)(waveforms).numpy(), rtol=1e-5, atol=1e-4)
    assert extraction.n_computed == 36
    assert [clip.id for clip in data.listed] == [row.id for row in extraction.store.rows]


def test_a_second_extraction_computes_only_new_and_changed_clips(tmp_path, embed):
    Synthetic("events", clips_per_class=3, n_samples=8000).export(tmp_path / "data")
    _, X = embed(folder(tmp_path / "data"), tmp_path / "store")
    again, Y = embed(folder(tmp_path / "data"), tmp_path / "store")
    assert again.n_computed == 0
    assert "nothing to do" in str(again)
    np.testing.assert_array_equal(X, Y)

    before = {row.id: vector for row, vector in zip(again.store.rows, X, strict=True)}
    changed, new = tmp_path / "data/bark/0001.wav", tmp_path / "data/bark/0003.wav"
    soundfile.write(changed, np.random.default_rng(0).uniform(-0.5, 0.5, 9000), 12_000)
    soundfile.write(new, np.zeros(9000), 12_000)
    os.remove(tmp_path / "data/horn/0000.wav")
    (tmp_path / "data/horn/0004.wav").write_bytes((tmp_path / "data/horn/0001.wav").read_bytes())
    third, Z = embed(folder(tmp_path / "data"), tmp_path / "store")
    assert third.n_computed == 2  # the third file is a copy, whose embedding is reused
    rows = {row.id: vector for row, vector in zip(third.store.rows, Z, strict=True)}
    assert not np.array_equal(rows["bark/0001.wav"], before["bark/0001.wav"])
    same = set(before) - {"bark/0001.wav"}
    assert all(np.array_equal(rows[clip_id], before[clip_id]) for clip_id in same)


def test_a_stored_clip_is_not_used_after_its_file_is_damaged(sounds, tmp_path, embed):
    shutil.copytree(sounds, tmp_path / "data")
    embed(folder(tmp_path / "data"), tmp_path / "store")
    (tmp_path / "data/low/low 00.wav").write_bytes(b"junk")
    data = folder(tmp_path / "data", on_error="skip")
    extraction, _ = embed(data, tmp_path / "store")
    assert (extraction.n_computed, list(extraction.failed)) == (0, ["low/low 00.wav"])
    assert len(EmbeddedData(extraction.store, data, data.class_names).clips) == 35


def test_all_files_with_broken_headers_are_named_in_one_error(broken, tmp_path, embed):
    with pytest.raises(
        UntrainedError, match=r"(?s)2 of 24 files.*horn/0001.wav: the file is empty.*siren/.*on_error skip"
    ):
        embed(folder(broken), tmp_path)
    assert not list(tmp_path.glob("*/shards"))
    (broken / "siren/0001.wav").write_bytes((broken / "siren/0000.wav").read_bytes())
    with pytest.raises(AudioError, match=r"horn/0001.wav: the file is empty.*--data.on_error skip"):
        embed(folder(broken), tmp_path)


def test_a_sample_rate_other_than_that_of_the_frontend_is_rejected(sounds, tmp_path, embed):
    with pytest.raises(UsageError, match="does not match the frontend, which expects 12000 Hz"):
        embed(folder(sounds, sample_rate=44_100), tmp_path)


@pytest.mark.parametrize("tf32", [False, True])
def test_products_are_float32_in_the_loop_unless_tf32_is_requested(sounds, tmp_path, trainer, tf32):
    class Recording(MFCC):
        def forward(self, waveform):
            settings.add((torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision))
            if fails:
                raise ZeroDivisionError
            return super().forward(waveform)

    settings, fails = set(), False
    with float32_products(tf32=not tf32):  # a setting that the user made before
        extraction = extract(Probe(Recording(), tf32=tf32), folder(sounds), trainer(), tmp_path)
        fails = True
        with pytest.raises(PluginError, match="ZeroDivisionError"):
            extract(Probe(Recording(), tf32=tf32), folder(sounds), trainer(), tmp_path, force=True)
        assert torch.backends.cudnn.conv.fp32_precision == ("ieee" if tf32 else "tf32")
    assert settings == {("tf32", "tf32") if tf32 else ("ieee", "ieee")}
    assert extraction.store.manifest["precision"] == ("32-true+tf32" if tf32 else "32-true")


def test_each_frontend_reads_waveforms_at_its_own_sample_rate(tmp_path):
    class Slow(Frontend):
        sample_rate = 4000

        def feature_maps(self, x):
            return [x[:, None]]

    datamodule = Synthetic("events", clips_per_class=6, n_samples=8000)
    seen = []
    read = datamodule.read
    datamodule.read = lambda clip, rate: seen.append(rate) or read(clip, rate)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    extract(Probe(Slow()), datamodule, trainer, tmp_path)
    assert set(seen) == {4000}
    extract(Probe(Temporal()), datamodule, trainer, tmp_path)
    assert set(seen) == {4000, 12_000}


@pytest.mark.parametrize("slow", [False, True])
def test_headers_are_read_in_order_however_slow_the_disk_is(sounds, tmp_path, monkeypatch, slow):
    """From a slow disk, threads read; the reasons of failures are the same, which libsndfile keeps for all threads."""
    contents = [b"RIFF, and nothing behind", b"", b"<html>", next((sounds / "high").glob("*.wav")).read_bytes()]
    for number in range(40):
        (tmp_path / "ab"[number % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[number % 2] / f"{number:02d}.wav").write_bytes(contents[number % 7 % 4])
    clips = folder(tmp_path).listed
    expected, names = [], set()
    for clip in clips:
        try:
            expected.append(audio.header(clip.path).seconds)
        except AudioError as error:
            expected.append(str(error))
    header = audio.header

    def read(path):
        names.add(threading.current_thread().name)
        time.sleep(0.002 if slow else 0)
        return header(path)

    monkeypatch.setattr(audio, "header", read)
    monkeypatch.setattr(module, "_AT_ONCE", 8)
    seconds, errors = module._read_headers(clips)
    assert seconds.tolist() == [each for each in expected if isinstance(each, float)]
    assert [str(error) for error in errors] == [each for each in expected if isinstance(each, str)]
    assert len(seconds) > 5
    assert len({error.reason for error in errors}) > 2
    assert any("ThreadPool" in name for name in names) or not slow
