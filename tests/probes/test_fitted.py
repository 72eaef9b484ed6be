import copy

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from untrained.backends.elm import ELMClassifier
from untrained.backends.svm import SVMClassifier
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import CheckpointError
from untrained.frontends.musical import Temporal
from untrained.probes import checkpoint
from untrained.probes.checkpoint import save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.fitted import load_probe
from untrained.probes.probe import Probe
from untrained.probes.serialization import pack
from untrained.probes.stages import fit, score_test_split


@pytest.mark.parametrize("backend", [ELMClassifier(), SVMClassifier()], ids=["elm", "svm"])
def test_a_loaded_probe_scores_like_the_saved_one(tmp_path, backend, fitted):
    probe, datamodule, store = fitted(backend)
    assert probe.selection.protocol == "holdout"
    accuracy, embedded = score_test_split(probe, datamodule, store, datamodule.class_names)
    assert accuracy == np.mean(probe.test_predictions == embedded.labels(embedded.tested))
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
    fitted_probe = load_probe(tmp_path / "probe.ckpt")
    loaded, recipe = fitted_probe.probe, fitted_probe.recipe
    assert recipe.frontend == "temporal"
    assert recipe.frontend_arguments == {"n_filters": 4, "size": None, "lengths": [165, 128, 64, 32], "seed": 2}
    assert recipe.class_names == datamodule.class_names
    assert score_test_split(loaded, datamodule, store, recipe.class_names)[0] == accuracy
    np.testing.assert_array_equal(loaded.test_predictions, probe.test_predictions)


def test_stored_weights_win_over_the_seed(tmp_path, fitted):
    probe, datamodule, store = fitted()
    probe.frontend.temporal[0].weight.fill_(0.5)
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
    loaded = load_probe(tmp_path / "probe.ckpt").probe
    assert (loaded.frontend.temporal[0].weight == 0.5).all()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Function that writes a checkpoint of one fit with a changed content and a matching digest."""
    folder = tmp_path_factory.mktemp("written")
    data = Synthetic("events", clips_per_class=6, n_samples=8000)
    probe = Probe(Temporal(n_filters=4), SVMClassifier(kernel="linear", C=1.0))
    store = extract(probe, data, Trainer(accelerator="cpu", logger=False, enable_progress_bar=False), folder).store
    fit(probe, data, store)
    save(folder / "probe.ckpt", probe, data, EmbeddedData(store, data, data.class_names))
    whole = torch.load(folder / "probe.ckpt", weights_only=True)

    def written(backend=None, **changes):
        content = {**whole, "untrained": {**whole["untrained"], **changes}}
        del content["digest"]
        if backend is not None:
            content["backend"] = pack(backend(copy.deepcopy(probe.backend)))
        torch.save({**content, "digest": checkpoint._digest(content)}, folder / "changed.ckpt")
        return folder / "changed.ckpt"

    return written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frontend_arguments": {"n_filters": 10**9}}, r"need far more memory than its weights \(a tensor of"),
        ({"frontend_arguments": {"n_filters": 4, "lengths": [10**9] * 4}}, "need far more memory"),
        ({"frontend": "vgg", "frontend_arguments": {"n_filters": 40_000}}, "need far more memory"),
        ({"n_samples": 10**12}, r"clips of 1,000,000,000,000 samples do not fit in memory"),
        ({"n_samples": 2**62}, "do not fit in memory"),
        ({"sample_rate": 10**12}, "sample_rate has an invalid type or value"),
    ],
)
def test_arguments_that_would_exhaust_memory_are_rejected(changes, message, written):
    with pytest.raises(CheckpointError, match=message):
        load_probe(written(**changes))


def changed(**attributes):
    def change(backend):
        for name, value in attributes.items():
            part = backend if name in vars(backend) else backend.backend_.svc_
            found = getattr(part, name)
            setattr(part, name, value(found) if callable(value) else value)
        return backend

    return change


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"_dual_coef_": lambda x: x[:, :1]}, "arrays of its SVC do not fit together"),
        ({"_intercept_": lambda x: x[:0]}, "arrays of its SVC do not fit together"),
        ({"_n_support": lambda x: x + np.int32([10**8, -(10**8), *[0] * (len(x) - 2)])}, "do not fit together"),
        ({"kernel": "precomputed"}, "arrays of its SVC do not fit together"),
        ({"mean_": lambda x: np.zeros((10**6, 1))}, "mean_ has 2 axes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_arrays_with_mismatched_shapes_are_rejected_before_numerical_code(attributes, message, written):
    load_probe(written(backend=changed()))  # an unchanged backend loads
    with pytest.raises(CheckpointError, match=message):
        load_probe(written(backend=changed(**attributes)))
