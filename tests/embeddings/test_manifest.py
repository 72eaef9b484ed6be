import json

import pytest
from untrained.embeddings import FORMAT
from untrained.embeddings.manifest import agree_on_manifest
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import StoreError


def test_a_store_of_another_configuration_names_the_field(tmp_path):
    EmbeddingStore(tmp_path / "s", {"n_samples": 8000, "seed": 0}, 3)
    with pytest.raises(StoreError, match=r"\(n_samples: found 8000, expected 9000\)"):
        EmbeddingStore(tmp_path / "s", {"n_samples": 9000, "seed": 0}, 3)
    with pytest.raises(StoreError, match=r"\(embedding_size: found 3, expected 4\)"):
        EmbeddingStore(tmp_path / "s", {"n_samples": 8000, "seed": 0}, 4)


@pytest.mark.parametrize(
    ("found", "whose"), [(FORMAT - 1, "an earlier"), (FORMAT + 1, "a later"), (None, "an earlier")]
)
def test_a_store_of_another_format_is_refused_by_name(found, whose, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": found, "seed": 0}))
    with pytest.raises(StoreError, match=rf"{tmp_path} has format .* of {whose} version .*delete the folder"):
        agree_on_manifest(tmp_path, {"format": FORMAT, "seed": 0})
    assert json.loads((tmp_path / "manifest.json").read_text())["format"] == found
