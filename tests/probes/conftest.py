import pytest
import torch
from pytorch_lightning import Trainer
from untrained.backends.elm import ELMClassifier
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.frontends.musical import Temporal
from untrained.probes import checkpoint
from untrained.probes.checkpoint import save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.probe import Probe
from untrained.probes.stages import fit


@pytest.fixture
def fitted(tmp_path):
    """Function that fits a probe and returns it with its data set and store."""

    def fitted(backend=None, datamodule=None, **arguments):
        datamodule = datamodule or Synthetic("events", clips_per_class=6, n_samples=8000)
        probe = Probe(Temporal(n_filters=4, seed=2), backend or ELMClassifier(), **arguments)
        trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
        store = extract(probe, datamodule, trainer, tmp_path / "embeddings").store
        fit(probe, datamodule, store)
        return probe, datamodule, store

    return fitted


@pytest.fixture
def stored(tmp_path, fitted):
    """Function that saves a fitted probe with a changed content and a matching digest, and returns the path."""

    def stored(**changes):
        probe, datamodule, store = fitted()
        path = tmp_path / "probe.ckpt"
        save(path, probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
        content = torch.load(path, weights_only=True)
        for key, value in changes.items():
            content[key] = {**content[key], **value}
        del content["digest"]
        torch.save({**content, "digest": checkpoint._digest(content)}, path)
        return path

    return stored
