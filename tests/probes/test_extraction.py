"""What a run extracts: one calibration for each outer fold, and one for the saved model."""

import pytest
from pytorch_lightning import Trainer
from untrained.backends.nearest_class import NearestClass
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.musical import Temporal
from untrained.frontends.planned import calibration_of
from untrained.probes.checkpoint import save
from untrained.probes.extraction import extract_all, fold_probes, prepared
from untrained.probes.fitted import load_probe
from untrained.probes.probe import Probe
from untrained.probes.stages import fit


@pytest.fixture
def trainer():
    return Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)


def test_an_uncalibrated_probe_is_extracted_once(tmp_path, trainer):
    data = Synthetic("events", clips_per_class=3, folds=3, n_samples=4000)
    probe = Probe(Temporal(n_filters=4), NearestClass())
    assert prepared(probe, data) is probe
    assert not fold_probes(probe, data)
    assert not extract_all(probe, data, trainer, tmp_path).fold_stores


def test_folds_are_calibrated_without_their_clips(tmp_path, trainer):
    data = Synthetic("events", clips_per_class=3, folds=3, n_samples=4000)
    probe = prepared(Probe(Temporal(n_filters=4), NearestClass(), calibrate=True), data)
    fold_of = {clip.id: clip.fold for clip in data.listed}
    for fold, each in fold_probes(probe, data).items():
        assert {fold_of[name] for name in calibration_of(each.frontend).ids} == {0, 1, 2} - {fold}
    extraction = extract_all(probe, data, trainer, tmp_path)
    assert len({extraction.store.folder, *(store.folder for store in extraction.fold_stores.values())}) == 4
    assert len(list(tmp_path.glob("*/calibration.safetensors"))) == 4
    found = fit(probe, data, extraction.store, fold_stores=extraction.fold_stores)
    assert len(probe.selection.fold_scores) == 3
    save(tmp_path / "probe.ckpt", probe, data, found)
    loaded = load_probe(tmp_path / "probe.ckpt").frontend
    assert loaded.input_scalars == probe.frontend.input_scalars != (0.0, 1.0)
    assert calibration_of(loaded).clips == calibration_of(probe.frontend).clips


def test_a_split_is_calibrated_once(tmp_path, trainer):
    data = Synthetic("events", clips_per_class=6, n_samples=4000)
    probe = prepared(Probe(Temporal(n_filters=4), NearestClass(), calibrate=True), data)
    assert not extract_all(probe, data, trainer, tmp_path).fold_stores
    assert len(list(tmp_path.glob("synthetic*"))) == 1
