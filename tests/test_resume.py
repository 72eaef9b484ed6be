"""Whatever stops an extraction, the same command goes on from what was written, and ends with the same store."""

import contextlib
import errno
import functools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pytorch_lightning import Trainer
from untrained.datamodules.clip import Stamp
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings import EmbeddingWriter
from untrained.errors import StoreError
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.probe import Probe
from untrained.stages import extract
from untrained.store import EmbeddingStore, Row

SIZE = 3
STAMPS = {f"clip {number}": Stamp(number, 7) for number in range(7)}


def embedding(clip_id, stamp):
    return np.float32([float(clip_id.split()[1]), stamp.size, stamp.mtime_ns])


def session(folder, stamps, flushed=lambda ids: None):
    """What an extraction does with a store; two clips a shard, by two ranks in turn."""
    store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
    with store.locked():
        store.merge()
        missing = store.missing(stamps)
        for start in range(0, len(missing), 2):
            ids = missing[start : start + 2]
            rows = [Row(clip_id, *stamps[clip_id], 0.5) for clip_id in ids if clip_id != "clip 3"]
            vectors = [embedding(row.id, stamps[row.id]) for row in rows]
            failed = {"clip 3": "is broken"} if "clip 3" in ids else {}
            store.append(rows, np.stack(vectors) if rows else np.zeros((0, SIZE)), failed, rank=start // 2 % 2)
            flushed(ids)
        store.merge()
        store.keep_profile({"seconds": 1.0})
    return store


def tell(pipe, ids):
    os.write(pipe, ("\n".join(ids) + "\n").encode())


def content(folder):
    store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
    names = sorted(path.name for path in folder.iterdir() if path.name != ".lock")
    return names, store.rows, store.read([row.id for row in store.rows]).tolist(), store.failed


class StopAt:
    """Ends the process before, within or after the n-th write, fsync or rename, as a kill would."""

    def __init__(self, n):
        self.left = n

    def step(self):
        if self.left == 0:
            os._exit(9)
        self.left -= 1

    def around(self, function):
        def stopping(*args, **kwargs):
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return stopping

    def opening(self, function):
        def opened(path, mode="r", *args, **kwargs):
            file = function(path, mode, *args, **kwargs)
            if mode == "wb":
                write = file.write

                def in_halves(data):
                    self.step()
                    write(data[: len(data) // 2])
                    file.flush()
                    self.step()
                    write(data[len(data) // 2 :])
                    self.step()

                with contextlib.suppress(AttributeError):
                    return _Writing(file, in_halves)
            return file

        return opened

    def install(self):
        os.fsync = self.around(os.fsync)
        Path.rename = self.around(Path.rename)
        Path.unlink = self.around(Path.unlink)
        Path.open = self.opening(Path.open)


class _Writing:
    def __init__(self, file, write):
        self.file, self.write = file, write

    def __enter__(self):
        self.file.__enter__()
        return self

    def __exit__(self, *error):
        return self.file.__exit__(*error)

    def __getattr__(self, name):
        return getattr(self.file, name)


def stop_at_every_write(root, begin):
    """Stop a session at every step in turn, and go on from there."""

    def prepared(folder):
        if begin != "nothing":
            old = {clip_id: STAMPS[clip_id] for clip_id in list(STAMPS)[:3]} | {"clip 1": Stamp(0, 1)}
            session(folder, old)
        return folder

    session(prepared(root / "whole"), STAMPS)
    expected = content(root / "whole")
    assert len(expected[1]) == 6
    assert expected[3] == {"clip 3": "is broken"}
    n_stops = 0
    while True:
        folder = prepared(root / f"stop-{n_stops}")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            StopAt(n_stops).install()
            session(folder, STAMPS, functools.partial(tell, writing))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            flushed = pipe.read().splitlines()
        _, status = os.waitpid(child, 0)
        store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
        store.merge()
        assert set(store.missing(STAMPS)) <= set(STAMPS) - set(flushed) | {"clip 3"}
        session(folder, STAMPS)
        assert content(folder) == expected, f"after stop {n_stops}"
        if os.waitstatus_to_exitcode(status) == 0:
            break
        n_stops += 1
    assert n_stops > 60


def write_where_nobody_may(root, begin):
    """Say what a session without rights raises."""
    root.chmod(0o755)
    os.chdir(root)
    Path("store").mkdir(mode=0o555)
    Path("closed").mkdir(mode=0o000)
    if os.geteuid() == 0:
        os.setuid(65534)  # to root no folder is read-only
    with pytest.raises(StoreError, match="cannot be written: Permission denied; free space or change permissions"):
        session(Path("store"), STAMPS)
    with pytest.raises(StoreError, match="closed cannot be used: Permission denied; change permissions"):
        session(Path("closed"), STAMPS)


def in_a_process_of_its_own(function, root, begin=""):
    """Where no other threads are, which a fork would leave behind."""
    subprocess.run([sys.executable, __file__, function.__name__, str(root), begin], check=True, timeout=120)


@pytest.mark.parametrize("begin", ["nothing", "some clips, one of which has changed"])
def test_a_stop_at_any_write_loses_what_was_not_yet_written_alone(tmp_path, begin):
    in_a_process_of_its_own(stop_at_every_write, tmp_path, begin)


def test_a_read_only_folder_is_said(tmp_path):
    in_a_process_of_its_own(write_where_nobody_may, tmp_path)


def test_damaged_shards_are_computed_again(tmp_path):
    store = EmbeddingStore(tmp_path, {"made": "by a test"}, SIZE)
    for rank, ids in enumerate((["clip 0", "clip 1"], ["clip 2"])):
        rows = [Row(clip_id, *STAMPS[clip_id], 0.5) for clip_id in ids]
        store.append(rows, np.stack([embedding(row.id, STAMPS[row.id]) for row in rows]), {}, rank)
    (cut,) = (tmp_path / "shards").glob("0-*")
    cut.write_bytes(cut.read_bytes()[:-5])
    (tmp_path / "shards" / "1-5-5.safetensors").write_bytes(b"")
    (tmp_path / "shards" / ".1-6-6.safetensors.6.part").write_bytes(b"unfinished")
    store.merge()
    assert [row.id for row in store.rows] == ["clip 2"]
    session(tmp_path, STAMPS)
    session(tmp_path.with_name("whole"), STAMPS)
    assert content(tmp_path) == content(tmp_path.with_name("whole"))


def test_what_another_process_has_merged_since_is_kept(tmp_path):
    first = EmbeddingStore(tmp_path, {"made": "by a test"}, SIZE)
    session(tmp_path, dict(list(STAMPS.items())[:3]))
    with first.locked():
        row = Row("clip 6", *STAMPS["clip 6"], 0.5)
        first.append([row], embedding(row.id, STAMPS[row.id])[None], {})
        first.merge()
    assert [row.id for row in first.rows] == ["clip 0", "clip 1", "clip 2", "clip 6"]


def data(**arguments):
    return Synthetic("events", clips_per_class=3, n_samples=8000, **arguments)


def trainer():
    return Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)


def test_a_store_in_use_names_the_process(tmp_path):
    writer = EmbeddingWriter(tmp_path)
    writer.open(MFCC(), data(), "32-true")
    program = (
        "import sys, time; from untrained.store import EmbeddingStore\n"
        "import json; fields = json.load(open(sys.argv[1] + '/manifest.json'))\n"
        "size = fields.pop('embedding_size'); fields.pop('format')\n"
        "with EmbeddingStore(sys.argv[1], fields, size).locked(): print('held', flush=True); time.sleep(60)"
    )
    arguments = [sys.executable, "-c", program, str(writer.store.folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        named = f"is in use by process {holder.pid} on {socket.gethostname()}; wait until"
        with pytest.raises(StoreError, match=named):
            extract(Probe(MFCC()), data(), trainer(), tmp_path)
        holder.kill()
        holder.wait()
    # What a killed process held is free.
    assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 24


def test_what_is_complete_needs_no_lock(tmp_path):
    first = extract(Probe(MFCC()), data(), trainer(), tmp_path)
    with first.store.locked():
        assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 0


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    fsync, n_written = os.fsync, []

    def full(descriptor):
        n_written.append(descriptor)
        if len(n_written) > 4:  # manifest, holder, two shards
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device; free space"):
        extract(Probe(Temporal(4)), data(batch_size=2), trainer(), tmp_path, flush_every=4)
    monkeypatch.undo()
    again = extract(Probe(Temporal(4)), data(batch_size=2), trainer(), tmp_path)
    assert again.n_computed == 24 - 8


def test_rows_are_written_after_a_time(tmp_path):
    class Slow(Temporal):
        def feature_maps(self, x):
            time.sleep(0.05)
            return super().feature_maps(x)

    seen = []

    class Watched(EmbeddingWriter):
        def _flush(self, rank):
            seen.append(len(self._rows))
            super()._flush(rank)

    writer = Watched(tmp_path, flush_every=1000, flush_seconds=0.2)
    Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, callbacks=[writer]).predict(
        Probe(Slow()), datamodule=data(batch_size=1), return_predictions=False
    )
    assert sum(seen) == 24
    assert 3 < len(seen) < 20
    assert len(writer.store.rows) == 24


def test_force_computes_again_even_what_is_damaged(tmp_path):
    first = extract(Probe(MFCC()), data(), trainer(), tmp_path)
    X = first.store.read([row.id for row in first.store.rows])
    (first.store.folder / "embeddings.safetensors").write_bytes(b"junk")
    with pytest.raises(StoreError, match="compute it again with --force"):
        extract(Probe(MFCC()), data(), trainer(), tmp_path)
    again = extract(Probe(MFCC()), data(), trainer(), tmp_path, force=True)
    assert again.n_computed == 24
    np.testing.assert_array_equal(again.store.read([row.id for row in first.store.rows]), X)
    assert extract(Probe(MFCC()), data(), trainer(), tmp_path).n_computed == 0


def kill_at_random(root, seed):
    """Kill a real process five times at moments that nobody chose, let it end, and compare its store."""
    command = [
        *[sys.executable, "-m", "untrained", "predict", "--data", "folder", "--data.root", "../sounds"],
        *["--data.n_samples", "60000", "--data.batch_size", "1", "--model.frontend", "vgg", "--flush_every", "2"],
    ]
    root.mkdir()
    rng, one_thread = random.Random(seed), {**os.environ, "OMP_NUM_THREADS": "1"}
    for _ in range(5):
        with subprocess.Popen(command, cwd=root, env=one_thread, stdout=subprocess.DEVNULL) as process:
            before = set(root.glob("runs/embeddings/*/shards/*.safetensors"))
            while process.poll() is None and not set(root.glob("runs/embeddings/*/shards/*.safetensors")) - before:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.3))
            assert process.poll() is None, "it has ended too early to be killed"
            process.send_signal(signal.SIGKILL)
    quietly = {"cwd": root, "env": one_thread, "capture_output": True, "text": True, "check": True}
    assert "200 of 200" not in subprocess.run(command, **quietly).stdout
    subprocess.run([*command, "--embeddings", "whole"], **quietly)
    (killed,), (whole,) = root.glob("runs/embeddings/*"), root.glob("whole/*")
    for name in ("clips.csv", "manifest.json", "embeddings.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert not (killed / "shards").exists()


@pytest.mark.timeout(300)
def test_ten_random_kills_of_real_processes(tmp_path):
    Synthetic("events", clips_per_class=25, n_samples=60_000).export(tmp_path / "sounds")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill_at_random, [tmp_path / "a", tmp_path / "b"], [0, 1]))


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
