"""Frontends that are calibrated on training clips alone, once, whatever the batch size."""

import numpy as np
import pytest
import torch
from torch import nn
from untrained import Frontend, LogMel
from untrained.datamodules.listing import Clips
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.calibrated import FILE, carry_out, plan_calibration, training_clips
from untrained.embeddings.extract import extract
from untrained.embeddings.locate import store_folder
from untrained.errors import AudioError, DataError, UsageError
from untrained.frontends.baselines import MFCC
from untrained.frontends.planned import calibration_of
from untrained.frontends.sample_level import SampleLevel
from untrained.probes.probe import Probe

TINY = {"clips_per_class": 3, "n_samples": 4000}


class Normed(Frontend):
    """One convolution with BatchNorm."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.conv, self.norm = nn.Conv2d(1, 3, 5), nn.BatchNorm2d(3)

    def feature_maps(self, x):
        return [self.norm(self.conv(x[:, None])).relu()]


def calibrated(data, folder, left_out=None):
    frontend = plan_calibration(Normed(), data, left_out)
    carry_out(frontend, data, folder, torch.device("cpu"), write=True, force=False)
    return frontend


def test_only_training_clips_are_read():
    split, folded = Synthetic("events", **TINY), Synthetic("events", folds=3, **TINY)
    assert {clip.split for clip in training_clips(split.listed)} == {"train"}
    assert training_clips(folded.listed) == folded.listed
    assert {clip.fold for clip in training_clips(folded.listed, left_out=1)} == {0, 2}


@pytest.mark.parametrize("left_out", [None, 0])
def test_statistics_depend_on_the_clips_that_are_read_alone(tmp_path, monkeypatch, left_out):
    data = Synthetic("events", folds=3, **TINY)
    read = data.read
    before = calibrated(data, tmp_path / "before", left_out)

    def louder(clip, sample_rate):
        decoded = read(clip, sample_rate)
        return decoded._replace(waveform=decoded.waveform * (100 if clip.fold == 0 else 1))

    monkeypatch.setattr(data, "read", louder)
    after = calibrated(data, tmp_path / "after", left_out)
    assert torch.equal(before.norm.running_mean, after.norm.running_mean) is (left_out == 0)
    assert (before.input_scalars == after.input_scalars) is (left_out == 0)
    assert before.input_scalars != (0.0, 1.0)


def test_stored_statistics_are_read_again(tmp_path, monkeypatch):
    data = Synthetic("events", **TINY)
    before = calibrated(data, tmp_path)
    assert (tmp_path / FILE).is_file()
    with monkeypatch.context() as patched:
        patched.setattr(data, "read", None)  # nothing can be read
        again = calibrated(data, tmp_path)
    assert torch.equal(before.norm.running_var, again.norm.running_var)
    assert before.input_scalars == again.input_scalars
    (tmp_path / FILE).write_bytes(b"damaged")
    assert calibrated(data, tmp_path).input_scalars == before.input_scalars


def test_a_calibration_has_a_store_of_its_own(tmp_path):
    data, longer = Synthetic("events", **TINY), Synthetic("events", clips_per_class=4, n_samples=4000)
    plain, planned = Normed(), plan_calibration(Normed(), data)
    folders = [store_folder(tmp_path, each, data, "32-true") for each in (plain, planned)]
    folders.append(store_folder(tmp_path, plan_calibration(Normed(), longer), longer, "32-true"))
    assert len(set(folders)) == 3
    carry_out(planned, data, folders[1], torch.device("cpu"), write=True, force=False)
    assert store_folder(tmp_path, planned, data, "32-true") == folders[1]
    assert calibration_of(planned).weights


@pytest.mark.parametrize("batch_size", [1, 5])
def test_embeddings_do_not_depend_on_the_batch_size(tmp_path, trainer, batch_size):
    found = []
    for size in (batch_size, 24):
        data = Synthetic("events", batch_size=size, **TINY)
        probe = Probe(plan_calibration(Normed(), data), calibrate=True)
        store = extract(probe, data, trainer(), tmp_path / str(size)).store
        found.append(store.read([clip.id for clip in data.listed]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-5)


def test_layers_without_statistics_are_warned_of(tmp_path, trainer):
    data = Synthetic("events", **TINY)
    with pytest.warns(UserWarning, match="BatchNorm layers of Normed .* --model.calibrate true"):
        extract(Probe(Normed()), data, trainer(), tmp_path)


def test_what_cannot_be_calibrated_is_refused(tmp_path):
    data = Synthetic("events", **TINY)
    for frontend in (MFCC(), SampleLevel(n_filters=2)):
        with pytest.raises(UsageError, match=f"{type(frontend).__name__} has nothing to calibrate"):
            Probe(frontend, calibrate=True)
    data.listed = Clips.of(clip for clip in data.listed if clip.split == "test")
    with pytest.raises(DataError, match="no training clips"):
        plan_calibration(Normed(), data)


def test_an_unreadable_clip_ends_a_calibration(tmp_path, monkeypatch):
    data = Synthetic("events", **TINY)

    def fail(clip, sample_rate):
        raise AudioError(clip.id, "empty", "remove it")

    monkeypatch.setattr(data, "read", fail)
    with pytest.raises(AudioError, match="empty"):
        calibrated(data, tmp_path)


def test_the_batches_of_a_calibration_represent_all_classes(tmp_path):
    data = Synthetic("events", clips_per_class=9, n_samples=4000)  # several batches, and clips are listed by class
    found = calibrated(data, tmp_path)
    whole = Normed()
    whole.calibrate(
        [torch.cat([torch.from_numpy(data.read(clip, 12_000).waveform)[None] for clip in training_clips(data.listed)])]
    )
    torch.testing.assert_close(found.norm.running_var, whole.norm.running_var, rtol=0.05, atol=0)
