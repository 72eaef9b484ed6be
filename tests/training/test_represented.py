import pytest
import torch
from safetensors.torch import load_file
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.calibrating import reads_spectrogram
from untrained.frontends.musical import Temporal
from untrained.frontends.sample_level import SampleLevel
from untrained.probes.observers import Observers
from untrained.training import represented, stages
from untrained.training.jobs import TrainingJob, run_job
from untrained.training.module import EndToEnd
from untrained.training.represented import Represented, can_represent
from untrained.training.run import training_key
from untrained.training.sounds import Sounds

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sounds():
    return Sounds(Synthetic("events", clips_per_class=4, n_samples=4000), 12_000)


def calibrated(sounds):
    frontend = Temporal(n_filters=4)
    frontend.calibrate(list(sounds.batches(sounds.clips)))
    return frontend


def test_each_clip_has_the_representation_of_a_batch(sounds):
    frontend = calibrated(sounds)
    assert frontend.input_scalars != (0.0, 1.0)
    made = Represented(sounds, frontend)
    batch = torch.stack([sounds.waveform(clip) for clip in sounds.clips[:5]])
    one_by_one = torch.stack([made.waveform(clip) for clip in sounds.clips[:5]])
    assert torch.equal(one_by_one, frontend.represent(batch))
    assert made.waveform(sounds.clips[0]) is made.waveform(sounds.clips[0])


def test_only_spectrograms_that_fit_are_computed_once(sounds, monkeypatch):
    assert can_represent(calibrated(sounds), sounds, CPU)
    waveform = SampleLevel(n_filters=2)
    assert not reads_spectrogram(waveform)
    assert not can_represent(waveform, sounds, CPU)
    assert not can_represent(calibrated(sounds), sounds, torch.device("cuda"))
    monkeypatch.setattr(represented, "MAX_KEPT", 1000)
    assert not can_represent(calibrated(sounds), sounds, CPU)


def test_training_is_the_same_with_and_without_them(tmp_path, monkeypatch):
    """Clips that are shorter than the network needs are repeated in both."""
    with_them, weights = trained(tmp_path / "with")
    monkeypatch.setattr(stages, "can_represent", lambda frontend, sounds, device: False)
    without, same = trained(tmp_path / "without")
    assert with_them["test/accuracy"] == without["test/accuracy"]
    assert weights.keys() == same.keys()
    assert all(torch.equal(weights[name], same[name]) for name in same)


def trained(folder):
    """Return the metrics and the weights of a small training run."""
    module, data = EndToEnd(Temporal(n_filters=4)), Synthetic("events", clips_per_class=5, n_samples=4000)
    options = {"max_steps": 4, "gradient_clip_val": 1.0, "precision": "32-true"}
    job = TrainingJob(module, data, training_key(module, data, options, "32-true"), folder, "", options)
    metrics = run_job(job, CPU, lambda: Observers(loggers=[]), lambda line: None)
    return metrics, load_file(folder / "frontend.safetensors")
