import numpy as np
import pytest
from untrained.embeddings.store import EmbeddingStore, StoredClip
from untrained.errors import StoreError


def row(name):
    return StoredClip(name, 1, 2, 0.5)


def test_shards_merge_in_the_order_of_ids_and_later_ones_win(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 2)
    store.append([row("b"), row("c")], np.float32([[1, 1], [2, 2]]), {"x": "broken"})
    store.append([row("a")], np.float32([[3, 3]]), {}, rank=1)
    store.merge()
    store.append([row("c"), row("x")], np.float32([[4, 4], [5, 5]]), {})
    (tmp_path / "s/shards/0-9-9.safetensors").write_bytes(b"cut off")
    store.merge()
    reopened = EmbeddingStore(tmp_path / "s", {}, 2)
    assert [item.id for item in reopened.rows] == ["a", "b", "c", "x"]
    np.testing.assert_array_equal(reopened.read(["c", "a", "x"]), [[4, 4], [3, 3], [5, 5]])
    assert reopened.failed == {}
    with pytest.raises(StoreError, match="1 clips are not stored, such as 'z'"):
        reopened.read(["a", "z"])


def test_what_a_kill_leaves_behind_does_no_harm(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row("a")], np.zeros((1, 1), np.float32), {})
    (tmp_path / "s/shards/.0-7-7.safetensors.999.part").write_bytes(b"never finished")
    (tmp_path / "s/.embeddings.safetensors.999.part").write_bytes(b"never finished")
    store.merge()
    assert [item.id for item in store.rows] == ["a"]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        "clips.csv",
        "embeddings.safetensors",
        "manifest.json",
    ]


def test_ids_of_any_text_survive(tmp_path):
    names = ["a,b", 'quo"te', "new\nline", "naïve 音", " space "]
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row(name) for name in names], np.zeros((5, 1), np.float32), {"bad\nname": "why, oh why"})
    store.merge()
    reopened = EmbeddingStore(tmp_path / "s", {}, 1)
    assert sorted(item.id for item in reopened.rows) == sorted(names)
    assert reopened.failed == {"bad\nname": "why, oh why"}


def test_damaged_stores_are_refused(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row("a")], np.zeros((1, 1), np.float32), {})
    store.merge()
    (tmp_path / "s/embeddings.safetensors").write_bytes(b"12345")
    with pytest.raises(StoreError, match=r"is damaged .* compute it again with --force"):
        EmbeddingStore(tmp_path / "s", {}, 1)
    assert EmbeddingStore(tmp_path / "s", {}, 1, damaged=True).rows == []
    (tmp_path / "s/manifest.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        EmbeddingStore(tmp_path / "s", {}, 1)


def test_a_store_of_another_configuration_names_the_field(tmp_path):
    EmbeddingStore(tmp_path / "s", {"n_samples": 8000, "seed": 0}, 3)
    with pytest.raises(StoreError, match=r"n_samples is 8000 there and 9000 here"):
        EmbeddingStore(tmp_path / "s", {"n_samples": 9000, "seed": 0}, 3)
    with pytest.raises(StoreError, match=r"embedding_size is 3 there and 4 here"):
        EmbeddingStore(tmp_path / "s", {"n_samples": 8000, "seed": 0}, 4)
