import numpy as np
import pyarrow as pa
import pytest
from untrained.embeddings import shard_reader
from untrained.embeddings.shard_list import read_list
from untrained.embeddings.shard_reader import ShardReader
from untrained.embeddings.shard_writer import ShardWriter
from untrained.embeddings.shards import StoredClip, to_batch
from untrained.errors import StoreError

KEY = "0" * 16


def batch(numbers):
    rows = [StoredClip(f"{number:03d}", number, 0, 1.0) for number in numbers]
    return to_batch(rows, np.array(numbers, np.float32)[:, None] * [1, 10])


def reader(folder, **options):
    return ShardReader(folder, 2, KEY, **{"damaged": False, **options})


@pytest.fixture
def made(tmp_path):
    """Folder of three shards, two of which overlap."""
    writer = ShardWriter(tmp_path, KEY)
    for numbers in ([0, 2, 4], [1, 3], [10, 11]):
        writer.append(batch(numbers))
    writer.commit(reader(tmp_path), {})
    return tmp_path


def test_rows_are_found_by_id_in_all_shards(made):
    shards = reader(made)
    ids = pa.array(["000", "003", "0030", "009", "011", "zzz"], pa.large_string())
    matches = list(shards.matches(ids))
    assert sorted(np.concatenate([match.positions for match in matches]).tolist()) == [0, 1, 4]
    for match in matches:
        assert (
            match.content.ids.take(pa.array(match.rows)).to_pylist() == ids.take(pa.array(match.positions)).to_pylist()
        )
    assert shards.n_rows == 7


def test_rows_are_read_by_number_in_any_order(made):
    shards = reader(made)
    numbers = np.array([6, 0, 5, 0, 3])
    found = np.zeros(5, np.int64)
    for shard, places, rows in shards.by_shard(numbers):
        found[places] = shards.read(shard).batch.column("size").to_numpy()[rows]
    assert found.tolist() == [11, 0, 10, 0, 1]
    assert list(shards.by_shard(numbers[:0])) == []


def test_a_deleted_shard_leaves_the_others_and_is_counted(made):
    shards = reader(made)
    shards.path(shards.listed[0]).unlink()
    with pytest.raises(StoreError, match=r"is gone: another command has .*run the same command again"):
        shards.read(shards.listed[0])
    assert (reader(made).n_rows, reader(made).n_lost) == (4, 3)


def test_a_shard_that_was_cut_off_is_refused_or_left_out(made):
    path = reader(made).path(reader(made).listed[0])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"is damaged \(it has .* bytes, expected .*\); compute it again with --force"):
        reader(made)
    left = reader(made, damaged=True)
    assert (left.n_rows, left.replaced) == (4, {path.name})


def test_a_damaged_list_is_refused_or_left_out(made):
    (made / "shards.jsonl").write_text("{")
    with pytest.raises(StoreError, match=r"shards.jsonl is damaged .*compute it again with --force"):
        reader(made)
    left = reader(made, damaged=True)
    assert (left.n_rows, len(left.replaced)) == (0, 3)


def test_shards_that_are_replaced_while_the_list_is_read_are_not_lost(made, monkeypatch):
    calls = []

    def meanwhile(folder):
        found = read_list(folder)
        if not calls:
            calls.append(1)
            ShardWriter(made, KEY).compact(reader(made))
        return found

    monkeypatch.setattr(shard_reader, "read_list", meanwhile)
    assert (reader(made).n_rows, reader(made).n_lost) == (7, 0)
    assert calls == [1]
