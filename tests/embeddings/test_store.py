import os
import shutil

import numpy as np
import pytest
from untrained.datamodules.clip import Stamp
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.stamps import Stamps
from untrained.embeddings.extract import extract
from untrained.embeddings.shard_reader import VanishedError
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe


def row(name):
    return StoredClip(name, 1, 2, 0.5)


def test_merged_shards_are_ordered_by_id_and_later_shards_win(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 2)
    store.append([row("b"), row("c")], np.float32([[1, 1], [2, 2]]), {"x": "broken"})
    store.append([row("a")], np.float32([[3, 3]]), {}, rank=1)
    store.commit()
    store.append([row("c"), row("x")], np.float32([[4, 4], [5, 5]]), {})
    (tmp_path / f"s/shards/0-{9:020d}-9.arrow").write_bytes(b"cut off")
    with pytest.warns(UserWarning, match="is damaged"):
        store.commit()
    reopened = EmbeddingStore(tmp_path / "s", {}, 2)
    assert [item.id for item in reopened.rows] == ["a", "b", "c", "x"]
    np.testing.assert_array_equal(reopened.read(["c", "a", "x"]), [[4, 4], [3, 3], [5, 5]])
    assert reopened.failed == {}
    with pytest.raises(StoreError, match="1 clips are not stored, for example 'z'"):
        reopened.read(["a", "z"])


def test_unfinished_files_of_a_killed_process_are_removed(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row("a")], np.zeros((1, 1), np.float32), {})
    (tmp_path / "s/shards/.0-7-7.arrow.999.part").write_bytes(b"never finished")
    (tmp_path / "s/.shards.jsonl.999.part").write_bytes(b"never finished")
    store.commit()
    assert [item.id for item in store.rows] == ["a"]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        "manifest.json",
        "shards",
        "shards.jsonl",
    ]
    assert len(list((tmp_path / "s/shards").iterdir())) == 1


def test_a_reader_goes_on_after_another_command_has_replaced_shards(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    for number, name in enumerate("abc"):
        store.append([row(name)], np.float32([[number]]), {})
        store.commit()
    reading = store.reopened()
    store.compact()
    assert reading.read(["c", "a"]).tolist() == [[2], [0]]
    assert [item.id for item in reading.rows] == ["a", "b", "c"]
    assert reading.missing(Stamps.of((name, Stamp(1, 2)) for name in "abx")).tolist() == [2]
    with pytest.raises(VanishedError, match="run the same command again"):
        reading.find(["a"])


def test_ids_with_any_characters_are_kept(tmp_path):
    names = ["a,b", 'quo"te', "new\nline", "naïve 音", " space "]
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row(name) for name in names], np.zeros((5, 1), np.float32), {"bad\nname": "why, oh why"})
    store.commit()
    reopened = EmbeddingStore(tmp_path / "s", {}, 1)
    assert sorted(item.id for item in reopened.rows) == sorted(names)
    assert reopened.failed == {"bad\nname": "why, oh why"}


def test_damaged_stores_are_rejected(tmp_path):
    store = EmbeddingStore(tmp_path / "s", {}, 1)
    store.append([row("a")], np.zeros((1, 1), np.float32), {})
    store.commit()
    (shard,) = (tmp_path / "s/shards").iterdir()
    shard.write_bytes(b"12345")
    with pytest.raises(StoreError, match=r"is damaged \(it has 5 bytes, expected .* compute it again with --force"):
        EmbeddingStore(tmp_path / "s", {}, 1)
    assert EmbeddingStore(tmp_path / "s", {}, 1, damaged=True).rows == []
    (tmp_path / "s/manifest.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        EmbeddingStore(tmp_path / "s", {}, 1)


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"n_clips": 36}', b"null"])
def test_a_damaged_profile_does_not_stop_an_extraction(sounds, tmp_path, content, embed):
    extraction, _ = embed(folder(sounds), tmp_path)
    shutil.rmtree(extraction.store.folder / "shards")
    (extraction.store.folder / "profile.json").write_bytes(content)
    assert extraction.store.profile == {}
    again, _ = embed(folder(sounds), tmp_path)
    assert again.profile["n_clips"] == 36  # the second extraction wrote a new profile
    (extraction.store.folder / "profile.json").write_bytes(content)
    assert "nothing to do" in str(embed(folder(sounds), tmp_path)[0])


@pytest.mark.parametrize("content", [b"id,reason\na\n", b"id,reason\n\xff,b\n", b"id,reason\na,b,c\n"])
def test_a_damaged_table_of_failures_is_named_and_replaced_by_force(broken, tmp_path, content, trainer):
    def run(**arguments):
        data = folder(broken, on_error="skip")
        return extract(Probe(Temporal(n_filters=4)), data, trainer(), tmp_path / "store", **arguments)

    failed = run().store.folder / "failed.csv"
    failed.write_bytes(content)
    with pytest.raises(StoreError, match=r"failed.csv is not a table of ids and reasons .*; delete it, or .* --force"):
        run()
    assert set(run(force=True).failed) == {"horn/0001.wav", "siren/0001.wav"}
    failed.write_bytes(content)
    os.remove(failed)
    assert set(run().failed) == {"horn/0001.wav", "siren/0001.wav"}


def test_a_manifest_that_is_not_a_dictionary_is_rejected(sounds, tmp_path, embed):
    extraction, _ = embed(folder(sounds), tmp_path)
    (extraction.store.folder / "manifest.json").write_text("[]")
    with pytest.raises(StoreError, match=r"manifest.json cannot be read \(it holds a list\); delete the folder"):
        embed(folder(sounds), tmp_path)


def test_a_folder_of_embeddings_that_is_not_utf8_is_rejected(sounds, tmp_path, embed):
    with pytest.raises(StoreError, match=r"\\udcff/.* is not valid UTF-8.* another folder with --embeddings"):
        embed(folder(sounds), tmp_path / os.fsdecode(b"\xff"))
