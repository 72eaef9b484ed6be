import numpy as np
import pyarrow as pa
import pytest
from untrained.embeddings import rewriting
from untrained.embeddings.checked import Content
from untrained.embeddings.rewriting import failures, groups_of_small, kept, merged, rows_of, superseded, united
from untrained.embeddings.shard_list import Shard
from untrained.embeddings.shards import StoredClip, to_batch, to_clips


def content(ids):
    rows = [StoredClip(clip_id, number, 2, 0.5) for number, clip_id in enumerate(ids)]
    return Content(to_batch(rows, np.array([[float(ord(clip_id)), 0] for clip_id in ids])), {})


CONTENTS = {Shard(ids, len(ids), 100, ids[0], ids[-1]): content(ids) for ids in ("ace", "bd", "cd", "xy")}
OLD, NEW = list(CONTENTS)[:2], list(CONTENTS)[2:]


def test_rows_that_occur_again_are_superseded():
    found = superseded(OLD, NEW, CONTENTS.__getitem__)
    assert {shard.name: rows.tolist() for shard, rows in found.items()} == {
        "ace": [False, True, False],
        "bd": [False, True],
    }
    of_ids = rows_of(pa.array(["a", "c", "z"], pa.large_string()), OLD, CONTENTS.__getitem__)
    assert {shard.name: rows.tolist() for shard, rows in of_ids.items()} == {"ace": [True, True, False]}
    both = united(found, of_ids)
    assert {shard.name: rows.tolist() for shard, rows in both.items()} == {
        "ace": [True, True, False],
        "bd": [False, True],
    }
    assert [clip.id for clip in to_clips(kept(CONTENTS[OLD[0]], both[OLD[0]]))] == ["e"]


def test_merged_rows_are_sorted_and_keep_their_embeddings():
    batch = merged([CONTENTS[shard] for shard in (OLD[1], OLD[0], NEW[1])])
    assert batch.column("id").to_pylist() == list("abcdexy")
    assert [vector[0] for vector in batch.column("embedding").to_pylist()] == list(map(ord, "abcdexy"))
    assert [clip.size for clip in to_clips(batch)] == [0, 0, 1, 1, 2, 0, 1]


@pytest.mark.parametrize(("sizes", "expected"), [([10, 10, 10], [[0, 1, 2]]), ([60, 10, 60], []), ([10], [])])
def test_small_shards_are_grouped(sizes, expected, monkeypatch):
    monkeypatch.setattr(rewriting, "SHARD_BYTES", 100)
    shards = [Shard(str(number), 1, size, str(number), str(number)) for number, size in enumerate(sizes)]
    assert [[int(shard.name) for shard in group] for group in groups_of_small(shards[::-1])] == expected


def test_groups_do_not_exceed_the_size_of_a_shard(monkeypatch):
    monkeypatch.setattr(rewriting, "SHARD_BYTES", 100)
    shards = [Shard(f"{number:02d}", 1, 30, f"{number:02d}", "") for number in range(10)]
    assert [len(group) for group in groups_of_small(shards)] == [3, 3, 3]


def test_clips_are_failures_until_they_are_stored():
    reasons = {"a": (-1, "old"), "b": (1, "second"), "c": (2, "third"), "z": (0, "never stored")}
    # The shards hold "ace", "bd" and "cd" in this order, so "b" is stored after its failure, and "c" once more.
    assert failures(reasons, [*OLD, NEW[0]], CONTENTS.__getitem__) == {"z": "never stored"}
    assert failures({"c": (3, "last")}, [*OLD, NEW[0]], CONTENTS.__getitem__) == {"c": "last"}
    assert failures({}, OLD, CONTENTS.__getitem__) == {}


def test_a_group_has_a_maximum_number_of_shards():
    shards = [Shard(f"{number:03d}", 1, 1, f"{number:03d}", f"{number:03d}") for number in range(150)]
    assert [len(group) for group in groups_of_small(shards)] == [64, 64, 22]
