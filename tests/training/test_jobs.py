import torch
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.musical import Temporal
from untrained.probes.observers import Observers
from untrained.training.fitting import PROGRESS
from untrained.training.jobs import TrainingJob, devices_of, one_per_data_set
from untrained.training.module import EndToEnd
from untrained.training.pool import one_by_one, run_jobs
from untrained.training.run import training_key

CPU = [torch.device("cpu")]


def job(folder, frontend=None, *, batch_size=16, scores=False, **budget):
    module = EndToEnd(frontend or Temporal(n_filters=4))
    data = Synthetic("events", clips_per_class=5, n_samples=4000, batch_size=batch_size)
    options = {"max_steps": 2, "gradient_clip_val": 1.0, "precision": "32-true", **budget}
    key = training_key(module, data, options, "32-true")
    return TrainingJob(module, data, key, folder, "config: true\n", options, scores_first_epoch=scores)


def run(several):
    return list(run_jobs(one_by_one(several), CPU, 1, Observers, lambda line: None))


def test_a_run_that_fails_does_not_end_the_others(tmp_path):
    class Broken(Temporal):
        """Frontend that raises in its first step."""

        def feature_maps(self, x):
            if self.training:
                raise RuntimeError("broken in training")
            return super().feature_maps(x)

    several = [job(tmp_path / "broken", Broken(n_filters=4)), job(tmp_path / "whole")]
    (_, broken), (_, whole) = run(several)
    assert broken.error.startswith("RuntimeError: broken in training\n")
    assert "Traceback" in broken.error
    assert whole.error == ""
    assert whole.value["test/accuracy"] >= 0
    assert [each.is_done for each in several] == [False, True]


def test_what_an_interrupted_run_has_left_is_forgotten(tmp_path):
    left = job(tmp_path)
    (tmp_path / PROGRESS).write_text("{}")
    left.forget()
    assert not (tmp_path / PROGRESS).exists()


def test_processes_on_a_cpu_count_as_one_device():
    trainer = Trainer(accelerator="cpu", devices=2, logger=False, enable_checkpointing=False)
    assert devices_of(trainer) == CPU


def test_sounds_are_shared_and_batches_are_not(tmp_path):
    """A job keeps the batch size of its own data set."""
    several = [job(tmp_path / str(size), scores=size == 8, batch_size=size) for size in (16, 8)]
    (_, first), (_, second) = run(several)
    alone = run([job(tmp_path / "alone", batch_size=8)])[0][1]
    assert second.value["clip_passes"] == alone.value["clip_passes"] != first.value["clip_passes"]
    assert second.value["test/accuracy"] == alone.value["test/accuracy"]
    assert 0 <= second.value["val/first_epoch_accuracy"] <= 1
    assert "val/first_epoch_accuracy" not in first.value


def test_one_job_of_each_data_set_prepares_the_others(tmp_path):
    several = [job(tmp_path / str(index)) for index in range(2)]
    assert one_per_data_set(several) == several[:1]
