import importlib
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from untrained.embeddings.export import export_parquet
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError, UsageError


@pytest.fixture
def store(tmp_path):
    """Store of two shards."""
    store = EmbeddingStore(tmp_path / "store", {"frontend": "made up"}, 3)
    for start in (0, 3):
        rows = [StoredClip(f"clip {number}", number, 2, 0.5, audio="0f") for number in range(start, start + 3)]
        store.append(rows, np.arange(9, dtype=np.float32).reshape(3, 3) + start, {})
    store.commit()
    return store


def test_all_rows_are_exported_with_the_manifest(store, tmp_path):
    assert export_parquet(store, tmp_path / "x.parquet") == 6
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.column("id").to_pylist() == [row.id for row in store.rows]
    np.testing.assert_array_equal(table.column("embedding").to_pylist(), store.read(table.column("id").to_pylist()))
    assert b'"frontend": "made up"' in table.schema.metadata[b"untrained"]


def test_a_file_is_replaced_only_when_asked_and_only_by_a_whole_one(store, tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"x.parquet exists; choose another name, or replace it with --force"):
        export_parquet(store, path)
    damaged = store.shards.path(store.shards.listed[1])
    content = damaged.read_bytes()
    damaged.write_bytes(content.replace(b"clip 4", b"clip X"))
    with pytest.raises(StoreError, match="is damaged"):
        export_parquet(store, path, force=True)
    assert path.read_text() == "mine"
    damaged.write_bytes(content)
    export_parquet(store, path, force=True)
    assert pq.read_metadata(path).num_rows == 6
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_cannot_be_written_is_named(store, tmp_path):
    with pytest.raises(UsageError, match=r"x.csv: expected the name of a file that ends in .parquet"):
        export_parquet(store, tmp_path / "x.csv")
    with pytest.raises(UsageError, match=r"absent/x.parquet: the folder .*absent does not exist; create it first"):
        export_parquet(store, tmp_path / "absent/x.parquet")


@pytest.mark.dev
def test_shards_and_exports_open_in_other_tools(store, tmp_path, monkeypatch):
    """Run the lines of the page on other tools."""
    modules = {
        name: pytest.importorskip(name) for name in ("pandas", "polars", "duckdb", "datasets", "pyarrow.dataset")
    }
    page = (Path(__file__).parents[2] / "docs/howto/other-tools.md").read_text()
    lines = [re.findall("`(.*?)`", line)[:2] for line in page.splitlines() if re.match(r"\| \S+ \| `", line)]
    assert len(lines) == 8
    export_parquet(store, tmp_path / "events.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    ids = [row.id for row in store.rows]
    for *before, last in lines:
        names = {**modules, "pyarrow": importlib.import_module("pyarrow"), "shards": str(store.folder / "shards")}
        for line in before:
            exec(line, names)
        if "load_dataset" in last:
            last = last.replace("load_dataset(", "load_dataset(cache_dir='cache', path=")
        frame = eval(last, names)
        frame = frame if hasattr(frame, "sort_values") else frame.to_pandas()
        frame = frame.sort_values("id")
        assert frame["id"].tolist() == ids
        np.testing.assert_array_equal(np.stack(frame["embedding"].tolist()), store.read(ids))
