from pathlib import Path
from types import SimpleNamespace

from untrained.embeddings.outcome import Extraction

STORE = SimpleNamespace(folder=Path("store"))


def test_a_summary_without_work_says_nothing_to_do():
    assert str(Extraction(STORE, 36, 0, {}, 0, 0.1)) == "All 36 clips present in store, nothing to do"


def test_a_summary_counts_unreadable_clips_and_names_their_list():
    first, *others = str(Extraction(STORE, 36, 0, {"a": "is empty"}, 2, 0.1, ["absent: b"])).splitlines()
    assert first == "0 of 36 clips computed in 0.1 s -> store"
    assert "1 clips could not be read" in others[0]
    assert "store/failed.csv" in others[0]
    assert others[1].startswith("2 other files")
    assert others[2:] == ["note: absent: b"]
