import json

import numpy as np
import pyarrow as pa
from untrained.embeddings.shards import METADATA, StoredClip, clips_checksum, in_order, pack, to_batch, to_clips, to_csv

ROWS = [StoredClip("ü", 5, 6, 1.5), StoredClip('a,"b"\n', 3, -4, 0.25, "0f", "1e", "loud")]
MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_rows_become_columns_that_are_sorted_by_id():
    batch = to_batch(ROWS, MATRIX)
    assert to_clips(batch) == ROWS[::-1]
    assert batch.column("embedding").to_pylist() == [[3, 4, 5], [0, 1, 2]]
    assert in_order(batch.column("id"))
    assert not in_order(pa.array(["a", "a"]))
    assert to_clips(to_batch([], MATRIX[:0])) == []


def test_of_rows_with_the_same_id_the_last_is_kept():
    batch = to_batch([ROWS[0], ROWS[0]._replace(size=7)], MATRIX)
    assert [clip.size for clip in to_clips(batch)] == [7]
    assert batch.column("embedding").to_pylist() == [[3, 4, 5]]


def test_equal_rows_are_packed_to_equal_bytes_that_any_arrow_reader_reads():
    packed = {pack(to_batch(rows, X), "key", {"b": "1", "a": "2"}).to_pybytes() for rows, X in both_orders()}
    (content,) = packed
    table = pa.ipc.open_file(content).read_all()
    assert table.column("id").to_pylist() == ['a,"b"\n', "ü"]
    assert json.loads(table.schema.metadata[METADATA])["failed"] == {"a": "2", "b": "1"}


def both_orders():
    return (ROWS, MATRIX), (ROWS[::-1], MATRIX[::-1])


def test_the_checksum_ignores_bytes_that_belong_to_no_row():
    batch = to_batch(ROWS, MATRIX)
    longer = to_batch([*ROWS, StoredClip("ÿ", 1, 1, 1)], np.ones((3, 3), np.float32))
    assert clips_checksum(longer.slice(0, 2), {}) == clips_checksum(batch, {}) != clips_checksum(batch, {"a": ""})
    assert clips_checksum(longer, {}) != clips_checksum(batch, {})


def test_csv_keeps_any_characters():
    assert to_csv(("id", "reason"), [('a,"b"', "c")]) == 'id,reason\r\n"a,""b""",c\r\n'
