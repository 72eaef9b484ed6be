import pytest
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import UsageError
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe
from untrained.probes.stages import fit


def data(**arguments):
    return Synthetic("events", clips_per_class=6, n_samples=8000, **arguments)


def test_folds_need_no_test_split(fitted):
    probe, _, _ = fitted(datamodule=data(folds=3))
    assert probe.selection.protocol == "nested"
    assert probe.selection.score_name == "cv/accuracy"
    assert len(probe.selection.fold_scores) == 3


def test_a_missing_frontend_or_backend_is_named(tmp_path):
    probe = Probe()
    with pytest.raises(UsageError, match=r"add --model.frontend, one of .*vgg"):
        extract(probe, data(), Trainer(accelerator="cpu", logger=False), tmp_path)
    probe = Probe(Temporal())
    store = extract(probe, data(), Trainer(accelerator="cpu", logger=False, enable_progress_bar=False), tmp_path).store
    with pytest.raises(UsageError, match=r"add --model.backend, one of elm, .*svm"):
        fit(probe, data(), store)
