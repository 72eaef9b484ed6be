import os

import numpy as np
import pyarrow as pa
import pytest
from untrained.embeddings import rewriting
from untrained.embeddings.checked import read_shard
from untrained.embeddings.shard_list import Shard, write_list
from untrained.embeddings.shard_reader import ShardReader
from untrained.embeddings.shard_writer import ShardWriter
from untrained.embeddings.shards import StoredClip, to_batch
from untrained.errors import StoreError

KEY = "0" * 16


def batch(values):
    """Return rows with ids and values."""
    return to_batch(
        [StoredClip(clip_id, 1, 2, 0.5) for clip_id in values],
        np.array(list(values.values()), np.float32).reshape(-1, 1),
    )


def content(folder):
    """Return the values of a store by id; no id may occur twice."""
    shards = ShardReader(folder, 1, KEY, damaged=False)
    pairs = [pair for block in shards.blocks() for pair in zip(block.ids.to_pylist(), block.matrix[:, 0], strict=True)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def commit(folder, failed=None):
    ShardWriter(folder, KEY).commit(ShardReader(folder, 1, KEY, damaged=False), failed or {})


def compact(folder):
    ShardWriter(folder, KEY).compact(ShardReader(folder, 1, KEY, damaged=False))


def test_later_rows_replace_earlier_ones_whatever_the_shards(tmp_path):
    rng = np.random.default_rng(0)
    writer, expected = ShardWriter(tmp_path, KEY), {}
    for number in range(60):
        ids = [f"{index:02d}" for index in rng.choice(40, rng.integers(1, 8), replace=False)]
        values = dict.fromkeys(ids, float(number))
        writer.append(batch(values), rank=number % 3)
        expected |= values
        if number % 7 == 0:
            commit(tmp_path)
            assert content(tmp_path) == expected
        if number % 21 == 0:
            compact(tmp_path)
            assert content(tmp_path) == expected
    commit(tmp_path)
    compact(tmp_path)
    assert content(tmp_path) == expected
    assert len(list((tmp_path / "shards").iterdir())) == 1


def test_forgotten_clips_are_gone(tmp_path):
    writer = ShardWriter(tmp_path, KEY)
    for ids in ("abc", "de", "fg"):
        writer.append(batch(dict.fromkeys(ids, 1.0)))
    commit(tmp_path)
    writer.forget(ShardReader(tmp_path, 1, KEY, damaged=False), pa.array(["a", "d", "e", "x"], pa.large_string()))
    assert sorted(content(tmp_path)) == ["b", "c", "f", "g"]


def test_a_clip_that_has_become_unreadable_is_removed_and_listed(tmp_path):
    writer = ShardWriter(tmp_path, KEY)
    writer.append(batch({"a": 1.0, "b": 2.0}), {"c": "odd"})
    commit(tmp_path)
    writer.append(batch({"c": 3.0}), {"a": "gone"})
    commit(tmp_path, {"c": "odd"})
    assert content(tmp_path) == {"b": 2.0, "c": 3.0}
    assert (tmp_path / "failed.csv").read_text() == "id,reason\na,gone\n"
    writer.append(batch({}), {"d": "odd, too"})
    commit(tmp_path, {"a": "gone"})
    assert content(tmp_path) == {"b": 2.0, "c": 3.0}
    assert len(list((tmp_path / "shards").iterdir())) == 2


def test_a_clip_that_fails_after_it_was_stored_is_not_stored(tmp_path):
    writer = ShardWriter(tmp_path, KEY)
    writer.append(batch({"a": 1.0, "b": 1.0}))
    writer.append(batch({"c": 1.0}), {"a": "gone"})
    commit(tmp_path)
    assert sorted(content(tmp_path)) == ["b", "c"]
    assert (tmp_path / "failed.csv").read_text() == "id,reason\na,gone\n"
    writer.append(batch({}), {"d": "odd \udcff" + "x" * 9999})  # any text of a plug-in
    commit(tmp_path, {"a": "gone"})
    assert len((tmp_path / "failed.csv").read_text()) < 1100


def test_shards_that_share_a_clip_are_not_merged(tmp_path):
    for values in ({"a": 1.0, "b": 1.0}, {"b": 2.0, "c": 2.0}):
        ShardWriter(tmp_path, KEY).append(batch(values))
    made = [Shard.of(path, read_shard(path, 1, KEY)) for path in sorted((tmp_path / "shards").iterdir())]
    write_list(tmp_path, made, [])
    with pytest.raises(StoreError, match=r"is damaged \(two of its shards hold the same clip\)"):
        compact(tmp_path)
    assert len(list((tmp_path / "shards").iterdir())) == 2


def test_a_compaction_that_is_stopped_anywhere_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(rewriting, "SHARD_BYTES", 8000)
    writer, expected = ShardWriter(tmp_path, KEY), {}
    for number in range(20):
        values = {f"{index:03d}": float(index) for index in range(number, 400, 20)}
        writer.append(batch(values))
        expected |= values
    commit(tmp_path)
    step, n_stops = os.fsync, 0
    while True:
        left = iter(range(n_stops))

        def stopping(file, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            step(file)

        monkeypatch.setattr(os, "fsync", stopping)
        try:
            compact(tmp_path)
            break
        except KeyboardInterrupt:
            n_stops += 1
        finally:
            monkeypatch.setattr(os, "fsync", step)
        assert content(tmp_path) == expected
    commit(tmp_path)
    assert content(tmp_path) == expected
    assert n_stops > 5
    assert len(list((tmp_path / "shards").iterdir())) <= 12
