import re

import pytest
from untrained.embeddings import space


@pytest.mark.parametrize(
    ("free", "n_bytes", "automatic", "said"),
    [
        (1e12, 1e9, True, ""),
        (1e12, 3e9, True, "more than --data.cache auto allows"),
        (1e9, 2e8, True, "more than --data.cache auto allows"),
        (1e12, 3e9, False, ""),
        (1e9, 0.95e9, False, "only 1.0 GB are free .* --data.cache int16"),
        (1e9, 2e9, True, "only 1.0 GB are free .* --data.cache off"),
    ],
)
def test_a_cache_needs_space(tmp_path, monkeypatch, free, n_bytes, automatic, said):
    monkeypatch.setattr(space, "free_space", lambda folder: int(free))
    found = space.refusal(tmp_path / "a/b", int(n_bytes), automatic=automatic)
    assert re.search(said, found)
    assert bool(found) == bool(said)


def test_the_disk_of_a_new_folder_is_that_of_its_parents(tmp_path):
    assert space.free_space(tmp_path / "a/b/c") > 0
