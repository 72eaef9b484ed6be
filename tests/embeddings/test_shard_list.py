import json

import pytest
from untrained.embeddings.checked import DamagedError
from untrained.embeddings.shard_list import (
    FILE,
    FOLDER,
    Shard,
    name_like,
    new_name,
    overlapping,
    pending,
    read_list,
    remove_leftovers,
    write_list,
)
from untrained.errors import StoreError


def shard(first, last, number=0):
    return Shard(f"0-{number:020d}-1.arrow", 3, 100, first, last)


def test_a_list_is_read_as_it_was_written_in_the_order_of_ids(tmp_path):
    assert read_list(tmp_path) == ([], set())
    shards = [shard("b\n,\u2028", "ü", 1), shard("a", 'b"', 2)]
    write_list(tmp_path, shards, {new_name()})
    found, replaced = read_list(tmp_path)
    assert found == shards[::-1]
    assert len(replaced) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../x.arrow"},
        {"name": "x.arrow"},
        {"name": None},
        {"n_rows": 0},
        {"n_rows": True},
        {"n_rows": 2.0},
        {"n_bytes": -1},
        {"first": 1},
        {"first": "z"},
    ],
)
def test_an_entry_that_no_version_writes_is_rejected(change, tmp_path):
    entry = list({**vars(shard("a", "b")), **change}.values())
    (tmp_path / FILE).write_text(json.dumps({"replaced": []}) + "\n" + json.dumps(entry))
    with pytest.raises(DamagedError, match=r"malformed|is not the name of a shard"):
        read_list(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"replaced": []}\n[]', '{"replaced": 3}', '{"replaced": []}\n' + "[" * 10_000]
)
def test_another_file_is_rejected(text, tmp_path):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DamagedError):
        read_list(tmp_path)


def test_a_list_that_could_not_be_read_is_not_written(tmp_path):
    write_list(tmp_path, [shard("a", "b")], [])
    with pytest.raises(StoreError, match="more shards, or longer ids"):
        write_list(tmp_path, [shard("a", "b" * 70_000)], [])
    assert read_list(tmp_path) == ([shard("a", "b")], set())


def test_a_rewritten_shard_is_as_old_as_the_last_of_its_sources(tmp_path):
    names = {name_like([shard("a", "b", 5), shard("c", "d", 7)]) for _ in range(20)}
    assert len(names) == 20
    (tmp_path / FOLDER).mkdir()
    later = f"0-{8:020d}-1.arrow"
    for name in [later, *names]:
        (tmp_path / FOLDER / name).write_bytes(b"")
    assert pending(tmp_path, [], set())[-1].name == later


def test_a_shard_that_is_named_twice_is_rejected(tmp_path):
    write_list(tmp_path, [shard("a", "b"), shard("a", "b")], set())
    with pytest.raises(DamagedError, match="twice"):
        read_list(tmp_path)


def test_pending_shards_are_those_that_no_list_names_oldest_first(tmp_path):
    (tmp_path / FOLDER).mkdir()
    names = [f"{rank}-{time:020d}-7.arrow" for rank, time in ((3, 5), (2, 9), (1, 20), (0, 30))]
    for name in [*names[::-1], "notes.arrow", f".{names[0]}.7.part"]:
        (tmp_path / FOLDER / name).write_bytes(b"")
    listed = [Shard(names[1], 1, 1, "a", "a")]
    assert [path.name for path in pending(tmp_path, listed, {names[3]})] == [names[0], names[2]]
    remove_leftovers(tmp_path, {names[3], "0-00000000000000000000-0.arrow"})
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} == {*names[:3], "notes.arrow"}


def test_overlapping_shards_are_all_pairs_that_may_share_an_id():
    shards = [shard("a", "c"), shard("d", "f"), shard("b", "d"), shard("x", "z"), shard("f", "f")]
    assert sorted(overlapping(shards)) == [(0, 2), (1, 2), (1, 4)]


def test_names_are_new():
    assert len({new_name(rank) for rank in (0, 1) for _ in range(50)}) == 100
