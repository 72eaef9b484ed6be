import pytest
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe


@pytest.fixture(scope="session")
def trainer():
    """Function that returns a trainer without any output."""
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return lambda **arguments: Trainer(accelerator="cpu", devices=1, **quiet, **arguments)


@pytest.fixture(scope="session")
def embed(trainer):
    """Function that extracts embeddings, and returns the extraction and all rows of its store."""

    def embed(data, root, frontend=None):
        extraction = extract(Probe(frontend or Temporal(n_filters=4)), data, trainer(), root)
        return extraction, extraction.store.read([row.id for row in extraction.store.rows])

    return embed


@pytest.fixture
def broken(tmp_path):
    """Folder of 24 sounds, two of which cannot be read."""
    root = tmp_path / "data"
    Synthetic("events", clips_per_class=3, n_samples=8000).export(root)
    (root / "horn/0001.wav").write_bytes(b"")
    (root / "siren/0001.wav").write_text("text")
    return root
