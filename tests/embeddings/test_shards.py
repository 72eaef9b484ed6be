import numpy as np
import pytest
from untrained.embeddings.checked import DamagedError
from untrained.embeddings.shards import StoredClip, pack, unpack

ROWS = [StoredClip('a,"b"\n', 3, 4, 0.25, "0f", "1e"), StoredClip("c", 5, 6, 1.5)]
MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_unpack_returns_the_packed_rows_and_embeddings(tmp_path):
    (tmp_path / "shard").write_bytes(pack(ROWS, MATRIX, {"failed": "{}"}))
    rows, matrix, texts = unpack(tmp_path / "shard", 3)
    assert rows == ROWS
    assert texts["failed"] == "{}"
    np.testing.assert_array_equal(matrix, MATRIX)
    assert len({pack(ROWS, MATRIX, {"failed": "{}", "more": "x"}) for _ in range(10)}) == 1  # equal bytes


@pytest.mark.parametrize("rows", [[(*ROWS[0], "more"), ROWS[1]], [ROWS[0], ROWS[1]._replace(seconds="nan")]])
def test_unexpected_columns_and_invalid_durations_raise(rows, tmp_path):
    (tmp_path / "shard").write_bytes(pack(rows, MATRIX))
    with pytest.raises(DamagedError, match=r"unexpected columns|not a finite number"):
        unpack(tmp_path / "shard", 3)
