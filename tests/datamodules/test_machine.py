"""Automatic batch sizes and numbers of workers, as far as they can be tested without a GPU."""

import multiprocessing
import os
from types import SimpleNamespace

import pytest
import torch
from untrained.datamodules import machine
from untrained.datamodules.machine import clips_in, plan_loading, workers_for

GPU = torch.device("cuda")


@pytest.fixture
def sixteen_cores(monkeypatch):
    """Simulate a machine with 16 cores and a GPU that fits 32 clips."""
    monkeypatch.setattr(machine, "cpu_count", lambda: 16)
    monkeypatch.setattr(machine, "clips_that_fit", lambda *_: 32)
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: "fork")


def plan(n_clips, batch_size="auto", num_workers="auto", device=GPU, n_processes=1, n_samples=1000):
    return plan_loading(
        batch_size,
        num_workers,
        n_clips=n_clips,
        n_samples=n_samples,
        device=device,
        forward=None,
        n_processes=n_processes,
    )


def test_a_cpu_has_no_workers():
    assert plan(1000, device=torch.device("cpu")) == (8, 0)


def test_a_gpu_has_the_cores_of_the_process_as_workers(sixteen_cores):
    assert plan(10_000) == (32, 15)
    assert plan(10_000, n_processes=4) == (32, 3)
    assert plan(10_000, n_processes=16) == (32, 1)
    assert plan(900) == (15, 15)  # four batches for each worker
    assert plan(20) == (8, 3)  # no worker without a batch
    assert plan(0) == (8, 0)
    assert plan(1000, batch_size=2, num_workers=1) == (2, 1)


def test_limited_shared_memory_limits_the_workers(sixteen_cores, monkeypatch):
    monkeypatch.setattr(
        os, "statvfs", lambda _: SimpleNamespace(f_bavail=2**14, f_frsize=2**12), raising=False
    )  # 64 MiB
    assert plan(10_000, n_samples=100_000) == (32, 0)
    assert plan(10_000, batch_size=8, n_samples=100_000) == (8, 3)


def test_no_workers_if_they_would_import_the_script_again(sixteen_cores, monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: "spawn")
    assert workers_for("cuda") == workers_for("mps") == 0


def test_a_batch_leaves_memory_free():
    assert clips_in(10 * 2**30, 2**30) == 6
    assert clips_in(1000, 0) == 32
