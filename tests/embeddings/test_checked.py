"""Files of a store that are damaged, cut off, crafted or of another store."""

import contextlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from untrained.datamodules.stamps import Stamps
from untrained.embeddings.checked import DamagedError, read_shard
from untrained.embeddings.shards import METADATA, StoredClip, clips_checksum, embeddings_checksum, to_batch
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError

SIZE, IDS = 3, ["a", "b", "c", "d"]
ROWS = np.arange(12, dtype=np.float32).reshape(4, SIZE)
CLIPS = [StoredClip(name, 1, 2, 0.5) for name in IDS]


def opened(folder, **options):
    return EmbeddingStore(folder, {"made": "by a test"}, SIZE, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a store with four clips; tests change copies of the folder."""
    store = opened(tmp_path_factory.mktemp("made") / "store")
    store.append(CLIPS, ROWS, {"x": "broken"})
    store.commit()
    return store.folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "store")


def shard_in(folder):
    (path,) = (folder / "shards").glob("*.arrow")
    return path


def crafted(batch, about, **options):
    """Return the bytes of an Arrow file with any content."""
    sink = pa.BufferOutputStream()
    described = batch.schema.with_metadata({METADATA: about})
    with pa.ipc.new_file(sink, described, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def described(batch, key, **changes):
    sums = {}
    if not any(column.null_count for column in batch.columns):
        sums = {"clips": clips_checksum(batch, {}), "embeddings": embeddings_checksum(batch)}
    return json.dumps({"key": key, "failed": {}, **sums} | changes)


GOOD = to_batch(CLIPS, ROWS)


def column(name, values, kind=None):
    """Return good rows with another column, whose type may be wrong."""
    number = GOOD.schema.get_field_index(name)
    return GOOD.set_column(number, pa.field(name, kind or GOOD.schema.field(name).type, nullable=False), values)


CASES = {
    "another size": (to_batch(CLIPS, ROWS[:, :2]), {}, r"columns are not those of a store with 3 features .*\[2\]"),
    "another type": (column("size", pa.array([1.0] * 4), pa.float64()), {}, r"columns are not .* \(found .*double"),
    "no column": (GOOD.drop_columns(["seconds"]), {}, "columns are not"),
    "nulls": (column("size", pa.array([1, None, 1, 1])), {}, "a value is null"),
    "not UTF-8": (column("id", pa.array([b"a", b"\xff", b"c", b"d"]).view(pa.string())), {}, "Invalid UTF8"),
    "twice": (column("id", pa.array(["a", "b", "b", "c"])), {}, "not sorted, or one occurs twice"),
    "no number": (column("seconds", pa.array([1.0, np.nan, 1, 1])), {}, "duration is not a finite number"),
    "negative": (column("seconds", pa.array([1.0, -1, 1, 1])), {}, "duration is not a finite number"),
    "other rows": (GOOD, {"clips": 1}, "its rows have changed since they were written"),
    "other embeddings": (GOOD, {"embeddings": 1}, "its embeddings have changed"),
    "another store": (GOOD, {"of": "0" * 16}, "it belongs to another store"),
    "no reasons": (GOOD, {"failed": ["a"]}, "its table of failed clips is malformed"),
    "other clips": (to_batch(CLIPS[:3], ROWS[:3]), {}, "other clips than the list of shards says"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_shard_that_does_not_match_is_named_and_its_clips_are_computed_again(name, folder):
    batch, changes, reason = CASES[name][0], dict(CASES[name][1]), CASES[name][2]
    key = changes.pop("of", opened(folder)._key)
    replace(folder, crafted(batch, described(batch, key, **changes)))
    with pytest.raises(StoreError, match=rf"(?s)arrow is damaged \(.*{reason}.*\); compute it again with --force"):
        opened(folder).read(IDS)
    forced = opened(folder, damaged=True)
    stamps = Stamps.of((clip.id, (clip.size, clip.mtime_ns)) for clip in CLIPS)
    with forced.locked():
        forced.forget(stamps.ids)
        assert forced.missing(stamps).tolist() == [0, 1, 2, 3]
        forced.append(CLIPS, ROWS, {})
        forced.commit()
    np.testing.assert_array_equal(opened(folder).read(IDS), ROWS)
    assert len(list((folder / "shards").iterdir())) == 1


def replace(folder, content):
    """Replace the shard of a store, and its size in the list."""
    path, listed = shard_in(folder), folder / "shards.jsonl"
    listed.write_text(listed.read_text().replace(f" {path.stat().st_size}, ", f" {len(content)}, "))
    path.write_bytes(content)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_compressed_shard_is_rejected_before_it_fills_the_memory(compression, tmp_path):
    batch = to_batch(CLIPS, np.zeros((4, SIZE)))
    (tmp_path / "x.arrow").write_bytes(crafted(batch, described(batch, "key"), compression=compression))
    with pytest.raises(DamagedError, match="its rows are compressed"):
        read_shard(tmp_path / "x.arrow", SIZE, "key")


def test_metadata_that_are_not_those_of_a_shard_are_rejected(tmp_path):
    for about in ("{", "[]", "{}", "[" * 10_000):
        (tmp_path / "x.arrow").write_bytes(crafted(GOOD, about))
        with pytest.raises(DamagedError):
            read_shard(tmp_path / "x.arrow", SIZE, "key")
    (tmp_path / "y.arrow").write_bytes(b"ARROW1\0\0" + bytes(100) + b"ARROW1")
    with pytest.raises(DamagedError):
        read_shard(tmp_path / "y.arrow", SIZE, "key")


@pytest.mark.parametrize("file", ["shards", "shards.jsonl", "manifest.json", "failed.csv", "profile.json"])
def test_every_truncation_and_mutation_raises_an_error_or_gives_the_right_values(file, folder):
    opened(folder).keep_profile({"seconds": 1.0})
    path = shard_in(folder) if file == "shards" else folder / file
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    changed = [content[:n] for n in range(0, len(content), max(1, len(content) // 40))]
    for position in rng.integers(0, len(content), 250):
        bit = 1 << int(rng.integers(0, 8))
        changed.append(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
    n_refused, messages = 0, set()
    for other in changed:
        path.write_bytes(other)
        try:
            store = opened(folder)
            assert isinstance(store.failed, dict)
            assert isinstance(store.profile, dict)
            rows, found = store.rows, store.find(IDS)
            X = store.take(found[found >= 0])
        except StoreError as error:
            n_refused += 1
            messages.add(str(error))
            if file in ("shards", "shards.jsonl"):
                opened(folder, damaged=True)  # as --force does
        else:
            kept = [name for name in IDS if name in {row.id for row in rows}]
            assert kept in (IDS, []) or file == "shards.jsonl"  # rows may be missing, but none is wrong
            assert rows == [CLIPS[IDS.index(name)] for name in kept]
            np.testing.assert_array_equal(X, ROWS[[IDS.index(name) for name in kept]])
    assert n_refused > {"shards": 60, "shards.jsonl": 60}.get(file, -1)
    known = "is damaged|cannot be read \\(|configuration|format|is not a table"
    assert [message for message in messages if not re.search(known, message)] == []


def test_no_change_of_two_bytes_of_the_metadata_ends_the_process(folder):
    """Arrow does not verify the content of a message of unknown type."""
    path = shard_in(folder)
    content, key = path.read_bytes(), opened(folder)._key
    rng = np.random.default_rng(0)
    for number in range(600):
        other = bytearray(content)
        other[8 + 20 + number % 12] = int(rng.integers(0, 256))
        other[int(rng.integers(8, 900))] = int(rng.integers(0, 256))
        path.write_bytes(other)
        with contextlib.suppress(DamagedError):
            read_shard(path, SIZE, key)


@pytest.mark.parametrize("changes", [{"failed": ["e"]}, {"clips": None}, {"embeddings": 1}])
def test_a_damaged_pending_shard_is_named_and_removed(changes, folder):
    store = opened(folder)
    store.append([StoredClip("e", 1, 2, 0.5)], ROWS[:1], {})
    path = max((folder / "shards").glob("*.arrow"))
    batch = to_batch([StoredClip("e", 1, 2, 0.5)], ROWS[:1])
    path.write_bytes(crafted(batch, described(batch, store._key, **changes)))
    with pytest.warns(UserWarning, match=rf"{path.name} is damaged .*; its clips are computed again"):
        store.commit()
    assert [row.id for row in store.rows] == IDS
    assert not path.exists()


def test_a_shard_of_another_store_is_named_and_left_in_place(folder, tmp_path):
    other = EmbeddingStore(tmp_path / "other", {"made": "by another test"}, SIZE)
    other.append([StoredClip("e", 1, 2, 0.5)], ROWS[:1], {})
    moved = shutil.copy(shard_in(tmp_path / "other"), folder / "shards")
    store = opened(folder)
    with pytest.warns(UserWarning, match="is ignored: it belongs to another store"):
        store.commit()
    assert [row.id for row in store.rows] == IDS
    assert Path(moved).exists()


def test_only_files_of_the_store_are_removed_if_its_list_is_damaged(folder):
    (folder / "shards/mine.arrow").write_bytes(b"mine")
    (folder / "shards.jsonl").write_text("{")
    store = opened(folder, damaged=True)
    store.append(CLIPS, ROWS, {})
    store.commit()
    assert store.rows == CLIPS
    assert (folder / "shards/mine.arrow").read_bytes() == b"mine"


@pytest.mark.parametrize("content", ["[" * 100_000, json.dumps({"format": [[[0]]] * 10**6})], ids=["deep", "long"])
def test_a_manifest_of_excessive_size_or_depth_is_rejected(content, folder):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(
        StoreError, match=r"manifest.json cannot be read \(it (is nested|has .* bytes).*delete the folder"
    ):
        opened(folder)
