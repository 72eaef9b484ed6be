"""Clips that a probe was fitted to are recognised by their audio, with any name, time and lossless format."""

import os
import shutil
from dataclasses import replace

import pytest
import soundfile
from pytorch_lightning import Trainer
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import CheckpointError, StoreError
from untrained.files import locked
from untrained.probes import guard
from untrained.probes.checkpoint import read, save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.fitted import load_probe
from untrained.probes.labelling import Labelled
from untrained.probes.stages import test_run as score

OTHER_SPLIT = {"seed": 1}


@pytest.fixture
def data(tmp_path):
    Synthetic("events", clips_per_class=6, n_samples=8000).export(tmp_path / "data")
    return tmp_path / "data"


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


@pytest.fixture
def probe_of(fitted, tmp_path):
    """Function that fits and saves a probe, and returns the path of the checkpoint and the embeddings."""

    def probe_of(datamodule):
        probe, _, store = fitted(datamodule=datamodule)
        embedded = EmbeddedData(store, datamodule, datamodule.class_names)
        save(tmp_path / "run" / "probe.ckpt", probe, datamodule, embedded)
        return tmp_path / "run" / "probe.ckpt", embedded

    return probe_of


def refuse(path, datamodule, tmp_path):
    fitted = load_probe(path)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    extraction = extract(fitted.probe, datamodule, trainer, tmp_path / "embeddings")
    guard.refuse_learned(path, fitted.recipe, extraction.store, datamodule)
    return fitted, extraction


def as_flac(root):
    for path in root.rglob("*.wav"):
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path.with_name(f"other {path.stem}.flac"), samples, rate)
        path.unlink()


def test_a_test_split_with_copies_of_learned_clips_is_rejected(data, probe_of, tmp_path):
    path, _ = probe_of(folder(data))
    refuse(path, folder(data), tmp_path)  # its own test split is allowed
    with pytest.raises(CheckpointError, match=r"was fitted to .* of the .* clips of this test split \(.*\), so the"):
        refuse(path, folder(data, **OTHER_SPLIT), tmp_path)
    for change in (lambda root: [os.utime(each, (1, 1)) for each in root.rglob("*.wav")], as_flac):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(data, tmp_path / "copy")
        change(tmp_path / "copy")
        with pytest.raises(CheckpointError, match="so the score would be too high"):
            refuse(path, folder(tmp_path / "copy", **OTHER_SPLIT), tmp_path)
    learned = set(read(path)[0].fitted_to)
    sounds = list(load_probe(path).label([Labelled(str(each)) for each in sorted((tmp_path / "copy").rglob("*.flac"))]))
    assert sum(sound.used_to_fit for sound in sounds) == len(learned)


def test_duplicate_clips_of_a_data_set_are_named_and_allowed(data, probe_of, tmp_path):
    learned = next(clip for clip in folder(data).listed if clip.split == "train")
    tested = next(clip for clip in folder(data).listed if clip.split == "test")
    shutil.copyfile(learned.path, tested.path)
    path, embedded = probe_of(folder(data))
    assert guard.describe_repeated(embedded, folder(data)).startswith(f"data: 1 of {len(embedded.tested)} clips of the")
    assert tested.id in guard.describe_repeated(embedded, folder(data))
    refuse(path, folder(data), tmp_path)


def test_a_checkpoint_of_an_earlier_version_is_still_guarded(data, probe_of, tmp_path):
    path, embedded = probe_of(folder(data))
    recipe, store = read(path)[0], embedded.store
    earlier = [guard._earlier_fingerprint(folder(data), clip) for clip in embedded.learned]
    recipe = replace(recipe, fitted_to=earlier)
    guard.refuse_learned(path, recipe, store, folder(data))
    with pytest.raises(CheckpointError, match="was fitted to"):
        guard.refuse_learned(path, recipe, store, folder(data, **OTHER_SPLIT))
    assert guard.was_fitted_to(frozenset(earlier), str(embedded.learned[0].path), "")
    assert not guard.was_fitted_to(frozenset(earlier), str(embedded.tested[0].path), "")


def test_only_one_process_at_a_time_writes_to_a_run(data, probe_of, tmp_path):
    path, _ = probe_of(folder(data))
    fitted, extraction = refuse(path, folder(data), tmp_path)
    with locked(path.parent, ""), pytest.raises(StoreError, match=r"run is in use by process \d+ on .*; wait until"):
        score(path, fitted.probe, folder(data), extraction, fitted.classes, None)
