"""A list of clips in columns behaves as the list of clips that it was made of."""

import copy
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pytest
from untrained.datamodules import Clip
from untrained.datamodules.codes import Codes
from untrained.datamodules.listing import Clips, column

ROOT = Path("/sounds")
LISTS = {
    "files": [Clip(f"{n % 3}/{n}.wav", f"{n % 3}", ROOT / f"{n % 3}/{n}.wav", group=f"g{n // 2}") for n in range(20)],
    "generated": [Clip(f"é{n}", "x", split="train" if n % 2 else "test", metadata={"n": n}) for n in range(5)],
    "mixed": [
        Clip("b.wav", "x", ROOT / "b.wav", fold=3),
        Clip("a.wav", "y", ROOT / "elsewhere.wav", fold=0, metadata={"n": 1}),
        Clip("c", "x", None, fold=3),
        Clip("d.wav", "x", PurePosixPath("/sounds/d.wav")),
        Clip("e/\udcff.wav".encode("utf-8", "backslashreplace").decode(), "x", ROOT / "e/\udcff.wav"),
    ],
    "unrelated": [Clip(f"{n}", "x", ROOT / f"take{n}.wav") for n in range(5)],
    "one": [Clip("a", "x")],
    "none": [],
}


@pytest.fixture(params=LISTS)
def both(request):
    return LISTS[request.param], Clips.of(LISTS[request.param])


def test_clips_are_those_of_the_list(both):
    clips, columns = both
    assert (list(columns), len(columns)) == (clips, len(clips))
    assert [columns[position] for position in range(-len(clips), len(clips))] == clips * 2
    assert columns == clips
    assert clips == columns
    assert columns != [*clips, Clip("z", "z")]
    assert list(columns.each_id()) == [clip.id for clip in clips]
    for name in ("label", "split", "fold", "group"):
        assert list(column(columns, name)) == list(column(clips, name)) == [getattr(clip, name) for clip in clips]
    with pytest.raises(IndexError):
        columns[len(clips)]


@pytest.mark.parametrize("part", [slice(1, None, 2), slice(None, None, -1), slice(5, 2), slice(-3, None)])
def test_parts_are_those_of_the_list(both, part):
    clips, columns = both
    assert isinstance(columns[part], Clips)
    assert columns[part] == clips[part]
    mask = np.arange(len(clips)) % 2 == 1
    assert columns.where(mask) == clips[1::2]
    assert columns[part][::-1] == clips[part][::-1]


def test_clips_are_sorted_by_id(both):
    clips, columns = both
    assert columns.ordered() == sorted(clips, key=lambda clip: clip.id)
    assert columns.ordered().ordered() == columns.ordered()


def test_clips_can_be_sent_to_another_process(both):
    clips, columns = both
    assert copy.deepcopy(columns) == copy.copy(columns) == clips


def test_repeated_ids_are_found_in_any_order():
    names = ["b", "a", "c", "b"]
    assert Clips.of(Clip(name, "x") for name in names).has_repeated_ids
    assert not Clips.of(Clip(name, "x") for name in names[:3]).has_repeated_ids


def test_clips_are_found_by_id():
    clips = Clips.of(LISTS["files"])
    assert clips.among(["2/5.wav", "0/0.wav", "unknown"]).nonzero()[0].tolist() == [0, 5]
    assert not clips.among([]).any()
    assert clips.among({"0/0.wav"}).sum() == 1


def test_columns_of_metadata_belong_to_all_clips():
    none = Codes.same(None, 3)
    texts = {"mood": pa.array(["calm", "wild", ""], pa.large_string())}
    clips = Clips(pa.array(list("abc"), pa.large_string()), none, none, none, none, columns=texts)
    assert [clip.metadata["mood"] for clip in clips[::-1]] == ["", "wild", "calm"]
    assert clips[1].path is None


def test_files_below_one_folder_need_no_object_for_each_path():
    assert (Clips.of(LISTS["files"]).root, Clips.of(LISTS["files"]).paths) == (ROOT, {})
    assert set(Clips.of(LISTS["mixed"]).paths) == {1, 2, 3, 4}
