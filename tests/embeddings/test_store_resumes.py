"""Stopped extractions: the same command resumes from the written rows and ends with the same store."""

import contextlib
import functools
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from untrained.datamodules.clip import Stamp
from untrained.datamodules.stamps import Stamps
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError

SIZE = 3
STAMPS = {f"clip {number}": Stamp(number, 7) for number in range(7)}


def embedding(clip_id, stamp):
    return np.float32([float(clip_id.split()[1]), stamp.size, stamp.mtime_ns])


def session(folder, stamps, flushed=lambda ids: None):
    """Use a store as an extraction does, with two clips in each shard and two alternating ranks."""
    store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
    with store.locked():
        store.commit()
        missing = [list(stamps)[number] for number in store.missing(Stamps.of(stamps.items()))]
        for start in range(0, len(missing), 2):
            ids = missing[start : start + 2]
            rows = [StoredClip(clip_id, *stamps[clip_id], 0.5) for clip_id in ids if clip_id != "clip 3"]
            vectors = [embedding(row.id, stamps[row.id]) for row in rows]
            failed = {"clip 3": "is broken"} if "clip 3" in ids else {}
            store.append(rows, np.stack(vectors) if rows else np.zeros((0, SIZE)), failed, rank=start // 2 % 2)
            flushed(ids)
        store.commit()
        store.compact()
        store.keep_profile({"seconds": 1.0})
    return store


def send(pipe, ids):
    os.write(pipe, ("\n".join(ids) + "\n").encode())


def content(folder):
    store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
    names = sorted(path.name for path in folder.iterdir() if path.name != ".lock")
    return names, store.rows, store.read([row.id for row in store.rows]).tolist(), store.failed


class StopAt:
    """Ends the process like a kill, before, during or after the n-th write, fsync, rename or removal."""

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
    """Stop a session at every step in turn, and resume it each time."""

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
            session(folder, STAMPS, functools.partial(send, writing))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            flushed = pipe.read().splitlines()
        _, status = os.waitpid(child, 0)
        store = EmbeddingStore(folder, {"made": "by a test"}, SIZE)
        store.commit()
        missing = [list(STAMPS)[number] for number in store.missing(Stamps.of(STAMPS.items()))]
        assert set(missing) <= set(STAMPS) - set(flushed) | {"clip 3"}
        session(folder, STAMPS)
        assert content(folder) == expected, f"after stop {n_stops}"
        if os.waitstatus_to_exitcode(status) == 0:
            break
        n_stops += 1
    assert n_stops > 60


def write_without_permission(root, begin):
    """Check the errors of sessions in folders without write or read permission."""
    root.chmod(0o755)
    os.chdir(root)
    Path("store").mkdir(mode=0o555)
    Path("closed").mkdir(mode=0o000)
    if os.geteuid() == 0:
        os.setuid(65534)  # root may write to read-only folders
    with pytest.raises(StoreError, match="cannot be written: Permission denied; free space or change permissions"):
        session(Path("store"), STAMPS)
    with pytest.raises(StoreError, match="closed cannot be used: Permission denied; change permissions"):
        session(Path("closed"), STAMPS)


def in_new_process(start, function, root, begin=""):
    """Run a function of this file in a new process, because a fork requires a process without other threads."""
    done = start(function.__name__, root, begin, what=__file__).end()
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("begin", ["nothing", "some clips, one of which has changed"])
def test_a_stop_at_any_write_loses_only_rows_that_were_not_written(start, tmp_path, begin):
    in_new_process(start, stop_at_every_write, tmp_path, begin)


@pytest.mark.slow
def test_a_read_only_folder_raises_an_error(start, tmp_path):
    in_new_process(start, write_without_permission, tmp_path)


def test_damaged_shards_are_computed_again(tmp_path):
    store = EmbeddingStore(tmp_path, {"made": "by a test"}, SIZE)
    for rank, ids in enumerate((["clip 0", "clip 1"], ["clip 2"])):
        rows = [StoredClip(clip_id, *STAMPS[clip_id], 0.5) for clip_id in ids]
        store.append(rows, np.stack([embedding(row.id, STAMPS[row.id]) for row in rows]), {}, rank)
    (cut,) = (tmp_path / "shards").glob("0-*")
    cut.write_bytes(cut.read_bytes()[:-5])
    (tmp_path / "shards" / f"1-{5:020d}-5.arrow").write_bytes(b"")
    (tmp_path / "shards" / ".1-6-6.arrow.6.part").write_bytes(b"unfinished")
    with pytest.warns(UserWarning, match="is damaged"):
        store.commit()
    assert [row.id for row in store.rows] == ["clip 2"]
    session(tmp_path, STAMPS)
    session(tmp_path.with_name("whole"), STAMPS)
    assert content(tmp_path) == content(tmp_path.with_name("whole"))


def test_rows_that_another_process_has_merged_are_kept(tmp_path):
    first = EmbeddingStore(tmp_path, {"made": "by a test"}, SIZE)
    session(tmp_path, dict(list(STAMPS.items())[:3]))
    with first.locked():
        row = StoredClip("clip 6", *STAMPS["clip 6"], 0.5)
        first.append([row], embedding(row.id, STAMPS[row.id])[None], {})
        first.commit()
    assert [row.id for row in first.rows] == ["clip 0", "clip 1", "clip 2", "clip 6"]


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
