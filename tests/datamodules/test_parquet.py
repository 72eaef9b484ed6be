"""A manifest may be a Parquet file, which is read by the rules of a CSV file, whoever wrote it."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from untrained.datamodules import parquet as reader
from untrained.datamodules.manifest import Manifest
from untrained.errors import DataError

PATHS = [f"{number}.wav" for number in range(6)]
LABELS = ["high", "low"] * 3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clips.parquet"


def write(table, /, **columns):
    parquet.write_table(pa.table(columns), table, row_group_size=4)
    return Manifest(str(table))


def refusal(data):
    with pytest.raises(DataError) as error:
        data.require_classes()
    return str(error.value)


def test_a_manifest_as_parquet_equals_one_as_csv(path, tmp_path):
    folds, mood = [1, 2, 3, 1, 2, 3], ["calm", None, "wild", "", "a,b", "\u00e9"]
    data = write(path, **{"Path": PATHS, " label": LABELS, "fold": folds, "group": ["a", None, *"bcde"], "Mood": mood})
    lines = zip(PATHS, LABELS, map(str, folds), ["a", "", *"bcde"], [f'"{each or ""}"' for each in mood], strict=True)
    (tmp_path / "clips.csv").write_text("\n".join(["path,label,fold,group,mood", *map(",".join, lines)]))
    assert data.listed == Manifest(str(tmp_path / "clips.csv")).listed
    assert (data.dataset_name, data.listed[1].group, data.listed[2].metadata) == ("clips", None, {"mood": "wild"})


@pytest.mark.parametrize(
    "labels",
    [
        pa.array(LABELS).dictionary_encode(),
        pa.array(LABELS, pa.large_string()),
        pa.array([8, 16] * 3, pa.int16()),
        pa.array([True, False] * 3),
    ],
    ids=lambda labels: str(labels.type).partition("<")[0],
)
def test_texts_of_any_type_and_numbers_are_labels(path, labels):
    data = write(path, path=PATHS, label=labels)
    expected = [str(label).lower() for label in labels.to_pylist()]
    assert [clip.label for clip in data.listed] == expected
    data.require_classes()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"file": PATHS}, "has no column path: its columns are 'file'; expected the columns path, label"),
        ({"path": PATHS, "Path": PATHS}, "several columns of the same name, path"),
        ({"path": [*PATHS[:5], None], "label": LABELS}, "row 6: path is empty; expected a path in every row"),
        ({"path": ["a.wav", "../b.wav"]}, "row 2: path='../b.wav' is outside root="),
        ({"path": PATHS, "label": [*LABELS[:5], None]}, "row 6: no label, but other rows have one"),
        ({"path": PATHS, "split": ["train", "dev"] * 3}, "row 2: split='dev'; expected train, validation or test"),
        ({"path": PATHS, "fold": [1, 2.5] * 3}, "row 2: fold='2.5'; expected a whole number"),
        ({"path": ["a.wav"] * 2, "label": LABELS[:2]}, "row 2: 'a.wav' has label 'low' here and 'high' on row 1"),
        ({"path": PATHS}, "found 6 clips, none of which has a label"),
        ({"path": PATHS, "audio": [{"bytes": b"x"}] * 6}, "column 'audio' is of type struct<bytes: binary>; expected"),
        ({"path": [b"a.wav"]}, "column 'path' is of type binary; expected text or numbers: leave the column out"),
        ({"path": pa.array([], pa.string())}, "has no rows; expected one row per clip"),
    ],
)
def test_errors_name_the_row_or_the_column(path, columns, message):
    assert message in refusal(write(path, **columns))


def test_a_file_that_is_no_parquet_file_or_is_cut_off_raises(path):
    path.write_text("path,label\na.wav,x\n")
    assert "cannot be read as a Parquet file (Parquet magic bytes not found in footer" in refusal(Manifest(str(path)))
    write(path, path=PATHS, label=LABELS)
    whole = path.read_bytes()
    for kept in (0, 5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        assert "cannot be read as a Parquet file" in refusal(Manifest(str(path)))
    path.unlink()
    assert "no table at" in refusal(Manifest(str(path)))


def test_damaged_pages_raise_one_message_or_are_read(path):
    """No damage of a byte ends in another error."""
    write(path, path=PATHS, label=LABELS)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            assert len(Manifest(str(path)).listed) == 6
        except DataError as error:
            assert str(path) in str(error)  # noqa: PT017
            refused += 1
    assert 20 < refused < 150


def test_text_that_is_not_utf8_raises(path):
    data = write(path, path=pa.array([b"a\xff.wav"]).cast(pa.large_binary()).view(pa.large_string()))
    assert "cannot be read as a Parquet file" in refusal(data)


def test_a_small_file_that_expands_beyond_the_limit_is_refused_before_it_does(path, monkeypatch):
    names = [f"{number}.wav" for number in range(3000)]
    parquet.write_table(pa.table({"path": names, "about": ["x" * 10_000] * 3000}), path)
    assert path.stat().st_size < 100_000
    expanded, expand = [], reader._as_text
    monkeypatch.setattr(reader, "MAX_BYTES", 2**20)
    monkeypatch.setattr(reader, "_as_text", lambda column: expanded.append(expand(column)) or expanded[-1])
    assert "holds more than" in refusal(Manifest(str(path)))
    assert [column.to_pylist() for column in expanded] == [names]
