import errno
import json
import os
import socket
import subprocess
import sys
import threading

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st
from untrained.errors import StoreError
from untrained.files import digest, is_plain, locked, plain, read_json, refuse_absurd_yaml, write_atomically


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "deeper" / "file"
    write_atomically(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="file cannot be written: No space left on device"):
        write_atomically(path, b"new")
    assert [found.name for found in path.parent.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_a_second_process_is_refused_and_the_first_is_named(tmp_path):
    folder = tmp_path / "made"
    who = f"process {os.getpid()} on {socket.gethostname()}"
    with (
        locked(folder, "take another"),
        pytest.raises(StoreError, match=f"in use by {who}; .*, or do something else"),
        locked(folder, "do something else"),
    ):
        pass
    with locked(folder, "take another"):  # the refused attempt has not taken the lock
        assert (folder / ".holder").read_text() == who
    assert not (folder / ".holder").exists()


def test_the_lock_of_a_dead_process_is_waited_for(tmp_path):
    """Its decoder processes may live a little longer, and hold the lock until they end."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    decoder = filelock.FileLock(tmp_path / ".lock", thread_local=False)
    decoder.acquire()
    threading.Timer(0.5, decoder.release).start()
    (tmp_path / ".holder").write_text(f"process {ended.pid} on elsewhere")
    with pytest.raises(StoreError, match="on elsewhere"), locked(tmp_path, "take another"):
        pass  # the holder may still run
    (tmp_path / ".holder").write_text(f"process {ended.pid} on {socket.gethostname()}")
    with locked(tmp_path, "take another"):
        assert not decoder.is_locked


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_plain_values_survive_json(value):
    assert is_plain(value)
    assert json.loads(json.dumps(value)) == value == plain(value)


@pytest.mark.parametrize("odd", [float("nan"), b"bytes", {1: "one"}, {"a": {2}}, object(), 1j])
def test_what_json_changes_is_not_plain(odd):
    assert not is_plain(odd)
    assert not is_plain([1, {"deeper": (odd,)}])


def test_a_digest_depends_on_values_but_not_on_their_order():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1, "b": [2]}) != digest({"a": 1, "b": [3]})


def test_yaml_is_refused_for_the_number_of_values_after_expansion():
    bomb = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]" for n in range(1, 9))
    with pytest.raises(ValueError, match="aliases expand to more"):
        refuse_absurd_yaml(bomb)
    with pytest.raises(ValueError, match="nested deeper"):
        refuse_absurd_yaml("[" * 60 + "]" * 60)
    refuse_absurd_yaml("defaults: &d {a: 1}\none: {<<: *d, b: 2}\ntwo: [*d, *d]\nbroken: [")


def test_only_a_regular_file_of_bounded_size_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        read_json(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"it has 1,099,511,627,776 bytes, expected at most 16,777,216"):
        read_json(tmp_path / "sparse")
