from pathlib import Path

import pytest
import torch
from forked import preloaded
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import TrainingError
from untrained.frontends.musical import Temporal
from untrained.probes.observers import Observers
from untrained.training import jobs
from untrained.training.fitting import PROGRESS
from untrained.training.jobs import TrainingJob, devices_of, run_jobs
from untrained.training.module import EndToEnd
from untrained.training.run import training_key

CPU = [torch.device("cpu")]


def job(folder, frontend=None, **budget):
    module = EndToEnd(frontend or Temporal(n_filters=4))
    data = Synthetic("events", clips_per_class=5, n_samples=4000, batch_size=16)
    options = {"max_steps": 2, "gradient_clip_val": 1.0, "precision": "32-true", **budget}
    key = training_key(module, data, options, "32-true")
    return TrainingJob(module, data, key, folder, "config: true\n", options)


def run(several):
    return list(run_jobs(several, CPU, 1, Observers, lambda line: None))


def test_a_run_that_fails_does_not_end_the_others(tmp_path):
    class Broken(Temporal):
        """Frontend that raises in its first step."""

        def feature_maps(self, x):
            if self.training:
                raise RuntimeError("broken in training")
            return super().feature_maps(x)

    several = [job(tmp_path / "broken", Broken(n_filters=4)), job(tmp_path / "whole")]
    (_, error), (_, none) = run(several)
    assert error.startswith("RuntimeError: broken in training\n")
    assert "Traceback" in error
    assert none == ""
    assert [each.is_done for each in several] == [False, True]


def test_what_an_interrupted_run_has_left_is_forgotten(tmp_path):
    left = job(tmp_path)
    (tmp_path / PROGRESS).write_text("{}")
    left.forget()
    assert not (tmp_path / PROGRESS).exists()


def test_processes_on_a_cpu_count_as_one_device():
    trainer = Trainer(accelerator="cpu", devices=2, logger=False, enable_checkpointing=False)
    assert devices_of(trainer) == CPU


def test_no_process_is_started_without_runs(monkeypatch):
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", None)
    assert run([]) == []


def test_a_process_that_is_killed_ends_the_study_with_advice(tmp_path, monkeypatch):
    class Killed(jobs.ProcessPoolExecutor):
        """Pool whose processes end at once, as if the system had killed them."""

        def __init__(self, n, context, initializer, arguments):
            super().__init__(n, preloaded(), initializer=exit_at_once)

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", Killed)
    with pytest.raises(TrainingError, match=r"ended from outside.*--training.jobs 1: finished runs"):
        list(run_jobs([job(Path("a")), job(Path("b"))], CPU, 2, Observers, lambda line: None))


def exit_at_once():
    import os

    os._exit(9)
