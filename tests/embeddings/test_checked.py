import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from untrained.datamodules.clip import Stamp
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError

SIZE, IDS = 3, ["a", "b", "c", "d"]
ROWS = np.arange(12, dtype=np.float32).reshape(4, SIZE)


def opened(folder, **options):
    return EmbeddingStore(folder, {"made": "by a test"}, SIZE, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a store with four clips; tests change copies of the folder."""
    store = opened(tmp_path_factory.mktemp("made") / "store")
    store.append([StoredClip(name, 1, 2, 0.5) for name in IDS], ROWS, {"x": "broken"})
    store.merge()
    return store.folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "store")


def table(ids):
    return "id,size,mtime_ns,seconds\r\n" + "".join(f"{name},1,2,0.5\r\n" for name in ids)


@pytest.mark.parametrize(
    ("matrix", "clips", "reason"),
    [
        (ROWS.astype(np.float64), table(IDS), "its matrix is F64 of shape"),
        (ROWS.view(np.int32), table(IDS), "its matrix is I32 of shape"),
        (ROWS[:, :2], table(IDS), r"F32 of shape \(4, 2\), expected F32 of \(clips, 3\)"),
        (ROWS.ravel(), table(IDS), r"of shape \(12,\)"),
        (ROWS[:2], table(IDS), "lists 4 clips for 2 rows"),
        (ROWS, table(IDS[:3]), "lists 3 clips for 4 rows"),
        (ROWS, table(["a", "b", "c", "c"]), "lists a clip twice"),
        (ROWS, table(IDS).replace("0.5", "nan"), "a duration is not a finite number"),
        (ROWS, table(IDS).replace(",2,", ",two,"), "invalid literal"),
        (ROWS, table(IDS).replace(",2,", ","), "its table of clips has unexpected columns"),
        (ROWS, table(IDS).replace("a,", "a" * 200_000 + ","), "field larger than"),
        (np.where(ROWS == 5, np.float32(np.nan), ROWS), table(IDS), "numbers that are not finite"),
        (ROWS, None, "KeyError"),
    ],
)
def test_a_matrix_that_does_not_match_its_clips_is_damaged_and_computed_again(matrix, clips, reason, folder):
    metadata = {} if clips is None else {"clips": clips}
    save_file({"embeddings": np.ascontiguousarray(matrix)}, folder / "embeddings.safetensors", metadata)
    with pytest.raises(StoreError, match=rf"is damaged \(.*{reason}.*\); compute it again with --force"):
        opened(folder)
    forced = opened(folder, damaged=True)
    with forced.locked():
        forced.forget(IDS)
        assert forced.missing(dict.fromkeys(IDS, Stamp(1, 2))) == IDS
        forced.append([StoredClip(name, 1, 2, 0.5) for name in IDS], ROWS, {})
        forced.merge()
    np.testing.assert_array_equal(opened(folder).read(IDS), ROWS)


def test_a_matrix_of_an_earlier_version_is_read_without_a_checksum(folder):
    path = folder / "embeddings.safetensors"
    save_file(load_file(path), path, {"clips": table(IDS)})
    np.testing.assert_array_equal(opened(folder).read(IDS), ROWS)


@pytest.mark.parametrize("file", ["embeddings.safetensors", "manifest.json", "failed.csv", "profile.json"])
def test_every_truncation_and_mutation_raises_an_error_or_gives_the_right_values(file, folder):
    opened(folder).keep_profile({"seconds": 1.0})
    path = folder / file
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    changed = [content[:n] for n in range(0, len(content), max(1, len(content) // 40))]
    for position in rng.integers(0, len(content), 150):
        bit = 1 << int(rng.integers(0, 8))
        changed.append(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
    n_refused = 0
    for other in changed:
        path.write_bytes(other)
        try:
            store = opened(folder)
            assert isinstance(store.failed, dict)
            assert isinstance(store.profile, dict)
        except StoreError:
            n_refused += 1
        else:
            rows = store.rows
            assert [row.id for row in rows] == IDS
            np.testing.assert_array_equal(store.read(IDS), ROWS)
    assert n_refused > (100 if file == "embeddings.safetensors" else -1)


def test_a_damaged_shard_is_ignored(folder):
    store = opened(folder)
    store.append([StoredClip("e", 1, 2, 0.5)], ROWS[:1], {})
    (shard,) = (folder / "shards").glob("*.safetensors")
    save_file(load_file(shard), shard, {"clips": table(["e"]), "failed": json.dumps(["e"])})
    store.merge()
    assert [row.id for row in store.rows] == IDS


@pytest.mark.parametrize("content", ["[" * 100_000, json.dumps({"format": [[[0]]] * 10**6})], ids=["deep", "long"])
def test_a_manifest_of_excessive_size_or_depth_is_rejected(content, folder):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(
        StoreError, match=r"manifest.json cannot be read \(it (is nested|has .* bytes).*delete the folder"
    ):
        opened(folder)
