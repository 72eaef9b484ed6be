import pyarrow.parquet as pq
import pytest


@pytest.fixture
def stores(untrained, sounds, tmp_path, monkeypatch):
    """Function that adds a store to `runs/embeddings` of the current folder."""
    monkeypatch.chdir(tmp_path)

    def add(n_samples):
        data = ["--data", "folder", "--data.root", sounds, "--data.n_samples", n_samples]
        assert untrained("predict", *data, "--model.frontend", "mfcc")[0] == 0

    return add


def test_the_only_store_or_the_named_one_is_exported(untrained, stores, tmp_path):
    status, _, err = untrained("export", "embeddings", "--to", "x.parquet")
    assert (status, err.count("there is no store in runs/embeddings: give its folder with --embeddings")) == (2, 1)
    stores("4000")
    status, out, _ = untrained("export", "embeddings", "--to", "x.parquet")
    assert (status, out) == (0, "36 embeddings of 120 features -> x.parquet\n")
    assert pq.read_metadata(tmp_path / "x.parquet").num_rows == 36
    stores("5000")
    (first, second) = sorted((tmp_path / "runs/embeddings").glob("*/manifest.json"))
    status, _, err = untrained("export", "embeddings", "--to", "y.parquet")
    assert status == 2
    assert f"which store? runs/embeddings holds {first.parent.name}, {second.parent.name}" in err
    for name in (first.parent.name, str(second.parent)):
        assert untrained("export", "embeddings", name, "--to", "y.parquet", "--force")[0] == 0
    assert "no store 'other'" in untrained("export", "embeddings", "other", "--to", "y.parquet")[2]
    assert "unknown kind 'runs'" in untrained("export", "runs", "--to", "y.parquet")[2]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 3, "embedding_size": "x"}', '{"format": 2}'])
def test_a_folder_that_is_not_a_store_is_named(content, untrained, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store/manifest.json").write_text(content)
    status, out, err = untrained("export", "embeddings", tmp_path / "store", "--to", "x.parquet")
    assert status in (1, 2)
    assert "Traceback" not in out + err
    assert str(tmp_path / "store") in err
