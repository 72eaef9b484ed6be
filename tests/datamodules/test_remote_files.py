from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
from untrained.audio.remote import RemotePath
from untrained.datamodules.clip import Clip
from untrained.datamodules.remote_files import at_once, changed, read_bytes, with_stamps
from untrained.errors import DataError

TIME = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
IN_NS = 1_767_323_045_678_901_000


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"LastModified": TIME, "ETag": '"a"'}, IN_NS),
        ({"LastModified": TIME.replace(tzinfo=None)}, IN_NS),
        ({"updated": "2026-01-02T03:04:05.678901+00:00"}, IN_NS),
        ({"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}, IN_NS // 10**9 * 10**9),
        ({"mtime": 1_767_323_045}, IN_NS // 10**9 * 10**9),
        ({"mtime": None, "size": 5}, 0),
        ({"LastModified": "never"}, 0),
        ({}, 0),
    ],
)
def test_times_of_places(info, expected):
    assert changed(info) == expected


@pytest.mark.parametrize("name", ["CRC", "ETag", "blob_id"])
def test_without_a_time_the_checksum_shows_a_change(name):
    one, same, other = (changed({name: value}) for value in ("0a", "0a", "0b"))
    assert one == same != other
    assert 0 < one < 2**63  # as a time in a store


def test_remote_clips_are_read_at_the_same_time():
    barrier = Barrier(3, timeout=10)  # which all threads must reach before any goes on
    clips = [Clip(str(number), "x", RemotePath(f"s3://bucket/{number}")) for number in range(3)]
    assert at_once(lambda number: (barrier.wait(), number)[1], [5, 6, 7], clips) == [5, 6, 7]
    assert at_once(lambda number: number, [5], [Clip("a", "x", Path("a.wav"))]) == [5]


def test_paths_are_given_the_stamps_of_their_files(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"12345")
    remote, absent = RemotePath(f"file://{tmp_path}/a.wav"), RemotePath(f"file://{tmp_path}/absent.wav")
    here, gone = with_stamps([remote, absent])
    assert here.stat() == (5, pytest.approx((tmp_path / "a.wav").stat().st_mtime_ns, abs=1000))
    assert gone.stat() == (0, 0)
    assert with_stamps([]) == []
    assert read_bytes(remote) == b"12345"
    with pytest.raises(DataError, match=r"absent.wav: there is no such file"):
        read_bytes(absent)
