"""Several processes write the same store as a single process, and end together."""

import csv
import json
import shutil

import filelock
import numpy as np
import pytest
from untrained.embeddings.store import EmbeddingStore

pytestmark = pytest.mark.slow

TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


def processes(n):
    return ["--trainer.accelerator", "cpu", "--trainer.devices", str(n), "--trainer.strategy", "ddp"]


@pytest.fixture
def run(start):
    def run(*arguments, **environment):
        done = start(*arguments, **environment).end()
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def folder(sounds, tmp_path):
    """Folder of 37 clips, which neither two nor three processes can share evenly."""
    shutil.copytree(sounds, tmp_path / "sounds")
    shutil.copy(tmp_path / "sounds/low/low 00.wav", tmp_path / "sounds/low/another.wav")
    return ["--data", "folder", "--data.root", "sounds", "--data.n_samples", "8000", "--data.batch_size", "5"]


def stored(folder):
    """Return the rows and embeddings of a store."""
    manifest = json.loads((folder / "manifest.json").read_text())
    size = manifest.pop("embedding_size")
    del manifest["format"]
    store = EmbeddingStore(folder, manifest, size)
    return store.rows, store.read([row.id for row in store.rows])


def only(root, pattern):
    (found,) = root.glob(pattern)
    return found


def test_any_number_of_processes_writes_the_same_store(untrained, run, folder, tmp_path):
    status, out, _ = untrained("predict", *folder, *TEMPORAL, "--embeddings", "by-1")
    assert status == 0
    assert "37 of 37 clips computed" in out
    for n in (2, 3):
        real = {"REAL_RANKS": "1"} if n == 2 else {}  # once, the second process is started by a command
        done = run("predict", *folder, *TEMPORAL, *processes(n), "--embeddings", f"by-{n}", **real)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("37 of 37 clips computed") == 1
        assert done.stderr.count("30 of 37 clips are longer than 0.67 s: only the first 0.67 s are used") == 1
    one = only(tmp_path, "by-1/sounds*")
    rows, X = stored(one)
    for n in (2, 3):
        other = only(tmp_path, f"by-{n}/sounds*")
        assert other.name == one.name
        same, Y = stored(other)
        assert same == rows
        np.testing.assert_allclose(Y, X, rtol=1e-5, atol=1e-5 * np.abs(X).max())
        assert json.loads((other / "profile.json").read_text())["n_clips"] == 37


def test_one_broken_file_ends_all_with_one_message(run, folder, tmp_path):
    (tmp_path / "sounds/low/low 00.wav").write_bytes(b"RIFF")
    failed = run("predict", *folder, *TEMPORAL, *processes(2))
    assert failed.returncode == 1
    assert failed.stderr.count("untrained: error: ") == 1
    assert "low 00.wav" in failed.stderr
    for _ in range(2):  # the second time there are fewer clips to compute than processes
        skipped = run("predict", *folder, *TEMPORAL, *processes(2), "--data.on_error", "skip")
        assert skipped.returncode == 0
        assert "1 clips could not be read" in skipped.stdout


def test_processes_end_if_another_has_the_store(untrained, run, folder, tmp_path):
    assert untrained("predict", *folder, *TEMPORAL)[0] == 0
    (store,) = (path.parent for path in tmp_path.glob("runs/embeddings/*/manifest.json"))
    with filelock.FileLock(store / ".lock"):
        (store / ".holder").write_text("process 1 on elsewhere")
        done = run("predict", *folder, *TEMPORAL, *processes(2), "--force")
    assert done.returncode == 1
    assert done.stderr.count("is in use by process 1 on elsewhere; wait until") == 1


FULL = """
import errno, os

fsync, n = os.fsync, 0

def full(descriptor):
    global n
    n += "shards" in os.readlink(f"/proc/self/fd/{descriptor}")
    if n > 1 and int(os.environ.get("LOCAL_RANK", 0)) == int(os.environ["FULL_FOR"]):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fsync(descriptor)

os.fsync = full
"""


@pytest.mark.parametrize("rank", [0, 1])
def test_a_full_disk_of_one_process_is_reported_once(untrained, run, folder, tmp_path, rank):
    (tmp_path / "sitecustomize.py").write_text(FULL)
    full = {"PYTHONPATH": str(tmp_path), "FULL_FOR": str(rank)}
    done = run("predict", *folder, *TEMPORAL, *processes(2), "--flush_every", 5, **full)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("untrained: error")]
    assert ["cannot be written: No space left on device; free space" in error for error in errors] == [True]
    assert "clips computed" in untrained("predict", *folder, *TEMPORAL)[1]


def test_a_killed_process_is_reported_and_the_next_command_resumes(untrained, run, folder, tmp_path):
    killed = FULL.replace("raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", "os.kill(os.getpid(), 9)")
    (tmp_path / "sitecustomize.py").write_text(killed)
    by = {"PYTHONPATH": str(tmp_path), "FULL_FOR": "1"}
    done = run("predict", *folder, *TEMPORAL, *processes(2), "--flush_every", 5, **by)
    assert done.returncode != 0
    assert "untrained: error: another process of this command ended unexpectedly (" in done.stderr
    assert "embeddings written so far are kept; run the same command again" in done.stderr
    status, out, _ = untrained("predict", *folder, *TEMPORAL)
    assert status == 0
    assert "clips computed" in out
    assert "37 of 37 clips computed" not in out


SLOW = """
import time
from sklearn.svm import SVC

class Slow(SVC):
    waits = 6  # number of fits that wait: those of the first run, two at a time

    def fit(self, X, y):
        time.sleep(4 if Slow.waits > 0 else 0)
        Slow.waits -= 1
        return super().fit(X, y)
"""
STUDY = """
datamodules: [{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 4}}]
frontends: [mfcc, {class_path: temporal, init_args: {n_filters: 4}}]
controls: []
backends: [{class_path: sklearn, init_args: {estimator: slow.Slow}}]
trainer:
  accelerator: cpu
  devices: 2
  strategy:
    class_path: DDPStrategy
    init_args: {process_group_backend: gloo, timeout: "0:00:11"}
"""


def test_a_search_may_take_longer_than_the_timeout_of_the_processes(untrained, run, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "slow.py").write_text(SLOW)
    data = ["--data", "synthetic", "--data.task", "events", "--data.clips_per_class", "4", "--data.n_samples", "8000"]
    assert untrained("predict", *data, "--data.folds", "4", "--model.frontend", "mfcc")[0] == 0
    done = run("compare", "study.yaml", PYTHONPATH=str(tmp_path), LOKY_MAX_CPU_COUNT="2")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("All 32 clips present") == 1  # for mfcc
    assert done.stderr.count("32 of 32 clips computed") == 1
    results = list(csv.DictReader((tmp_path / "runs/study/results.csv").open(newline="")))
    assert len(results) == 2
    assert max(float(row["seconds"]) for row in results) > 11
