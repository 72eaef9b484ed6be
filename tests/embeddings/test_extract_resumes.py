"""Extractions that resume after they are stopped by another process, a full disk, damage or a kill."""

import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.embeddings.locate import open_store
from untrained.errors import StoreError
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe


def data(**arguments):
    return Synthetic("events", clips_per_class=3, n_samples=8000, **arguments)


def trainer():
    return Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)


@pytest.mark.slow
def test_a_store_in_use_names_the_process(tmp_path):
    folder = open_store(tmp_path, MFCC(), data(), "32-true").folder
    program = (
        "import sys, time; from untrained.embeddings.store import EmbeddingStore\n"
        "import json; fields = json.load(open(sys.argv[1] + '/manifest.json'))\n"
        "size = fields.pop('embedding_size'); fields.pop('format')\n"
        "with EmbeddingStore(sys.argv[1], fields, size).locked(): print('held', flush=True); time.sleep(60)"
    )
    arguments = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        named = f"is in use by process {holder.pid} on {socket.gethostname()}; wait until"
        with pytest.raises(StoreError, match=named):
            extract(Probe(MFCC()), data(), trainer(), tmp_path)
        holder.kill()
        holder.wait()
    # The lock of the killed process is free.
    assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 24


def test_a_complete_store_needs_no_lock(tmp_path):
    first = extract(Probe(MFCC()), data(), trainer(), tmp_path)
    with first.store.locked():
        assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 0


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    fsync, n_written = os.fsync, []

    def full(descriptor):
        n_written.append(descriptor)
        if len(n_written) > 4:  # manifest, holder of the lock, two shards
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device; free space"):
        extract(Probe(Temporal(4)), data(batch_size=2, cache="off"), trainer(), tmp_path, flush_every=4)
    monkeypatch.undo()
    again = extract(Probe(Temporal(4)), data(batch_size=2), trainer(), tmp_path)
    assert again.n_computed == 24 - 8


def test_force_replaces_a_damaged_store(tmp_path):
    first = extract(Probe(MFCC()), data(), trainer(), tmp_path)
    X = first.store.read([row.id for row in first.store.rows])
    next((first.store.folder / "shards").iterdir()).write_bytes(b"junk")
    with pytest.raises(StoreError, match="compute it again with --force"):
        extract(Probe(MFCC()), data(), trainer(), tmp_path)
    again = extract(Probe(MFCC()), data(), trainer(), tmp_path, force=True)
    assert again.n_computed == 24
    np.testing.assert_array_equal(again.store.read([row.id for row in first.store.rows]), X)
    assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 0


EXTRACT = [
    *["predict", "--data", "folder", "--data.root", "../sounds", "--data.n_samples", "60000"],
    *["--data.batch_size", "1", "--model.frontend", "vgg", "--flush_every", "2"],
]


def kill_at_random(start, root, seed):
    """Kill a process three times at random moments, let it finish, and return the folder of its store."""
    root.mkdir()
    rng = random.Random(seed)
    for _ in range(3):
        before = set(root.glob("runs/embeddings/*/shards/*.arrow"))
        process = start(*EXTRACT, folder=root, OMP_NUM_THREADS="1")
        while process.is_running and not set(root.glob("runs/embeddings/*/shards/*.arrow")) - before:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        assert process.is_running, "the process ended before it was killed"
        process.send(signal.SIGKILL)
        assert process.end().returncode == -signal.SIGKILL
    again = start(*EXTRACT, folder=root, OMP_NUM_THREADS="1").end()
    assert again.returncode == 0
    assert "96 of 96" not in again.stdout
    (killed,) = root.glob("runs/embeddings/sounds-*")
    assert len(list((killed / "shards").iterdir())) == 1
    return killed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_extraction_resumes_after_random_kills(start, tmp_path):
    Synthetic("events", clips_per_class=12, n_samples=60_000).export(tmp_path / "sounds")
    (tmp_path / "whole").mkdir()
    uninterrupted = start(*EXTRACT, folder=tmp_path / "whole", OMP_NUM_THREADS="1")
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(partial(kill_at_random, start), [tmp_path / "a", tmp_path / "b"], [0, 1]))
    assert uninterrupted.end().returncode == 0
    (whole,) = tmp_path.glob("whole/runs/embeddings/sounds-*")
    for killed in stores:
        for name in ("manifest.json", "shards/*.arrow"):
            (one,), (other,) = killed.glob(name), whole.glob(name)
            assert one.read_bytes() == other.read_bytes()
