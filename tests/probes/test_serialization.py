import threading

import numpy as np
import pytest
import skops.io
import torch
from sklearn.model_selection import FixedThresholdClassifier
from untrained import BACKENDS, Backend
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import KNN, AnyClassifier
from untrained.backends.svm import SVMClassifier
from untrained.errors import CheckpointError
from untrained.probes.checkpoint import save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.fitted import load_probe


class NotOurs:
    """A type that is not trusted."""

    def __init__(self):
        self.x = 1


def as_tensor(content):
    return torch.from_numpy(np.frombuffer(content, np.uint8).copy())


def skops_bytes(value):
    return as_tensor(skops.io.dumps(value))


def test_types_that_are_not_trusted_are_named(stored):
    path = stored(backend={"skops": skops_bytes({"model": NotOurs()})})
    with pytest.raises(CheckpointError, match=r"not trusted: .*NotOurs.*--trust .*NotOurs"):
        load_probe(path)
    path = stored(backend={"skops": skops_bytes(KNN())}, untrained={"standardize": "none"})
    with pytest.raises(CheckpointError, match="is a KNN, but the checkpoint names the backend 'elm'"):
        load_probe(path)


def test_a_type_of_a_checkpoint_cannot_call_code_that_another_type_names(tmp_path, stored):
    """A meta-estimator of scikit-learn can call any method by name, such as the method `make` of `AnyClassifier`."""
    maker = AnyClassifier("subprocess.getoutput", {"cmd": f"touch {tmp_path}/called"})
    maker.classes_, maker.estimator_ = np.array([0, 1]), 1
    caller = FixedThresholdClassifier(maker, response_method="make")
    caller.estimator_ = maker
    machine = SVMClassifier()
    machine.svc_, machine.classes_, machine.n_features_in_ = caller, np.array([0, 1]), 56
    path = stored(backend={"skops": skops_bytes(machine)}, untrained={"backend": "svm"})
    with pytest.raises(CheckpointError, match=r"not trusted: sklearn.model_selection.*FixedThresholdClassifier"):
        load_probe(path)
    with pytest.raises(ValueError, match="it is not the class of a scikit-learn estimator"):
        maker.make(3)
    assert not (tmp_path / "called").exists()


class Awkward(ELMClassifier):
    """A plug-in with class attributes and a masked array."""

    coefs_ = None

    def fit(self, X, y):
        super().fit(X, y)
        self.masked_ = np.ma.masked_array([1.0, 2.0], [True, False])
        return self


def test_plug_ins_are_saved_with_all_attributes(tmp_path, fitted):
    BACKENDS.register("awkward")(Awkward)
    probe, datamodule, store = fitted(Awkward())
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
    loaded = load_probe(tmp_path / "probe.ckpt").probe.backend.backend_  # the plug-in below the z-scores
    assert loaded.masked_.mask.tolist() == [True, False]
    np.testing.assert_array_equal(loaded.coefs_, probe.backend.backend_.coefs_)


def test_a_plug_in_without_n_features_in_is_saved_but_not_one_with_a_lock(tmp_path, fitted):
    class Minimal(Backend):
        def fit(self, X, y):
            self.label = int(y[0])
            return self

        def predict(self, X):
            return np.full(len(X), self.label)

    Minimal.__qualname__ = "Minimal"
    globals()["Minimal"] = Minimal
    BACKENDS.register("minimal")(Minimal)
    probe, datamodule, store = fitted(Minimal())
    data = EmbeddedData(store, datamodule, datamodule.class_names)
    save(tmp_path / "probe.ckpt", probe, datamodule, data)
    assert load_probe(tmp_path / "probe.ckpt").probe.backend.backend_.label == probe.backend.backend_.label
    probe.backend.lock = threading.Lock()
    with pytest.raises(CheckpointError, match="backend 'minimal' cannot be saved"):
        save(tmp_path / "probe.ckpt", probe, datamodule, data)


def test_equal_fits_give_equal_bytes(tmp_path, fitted):
    contents = set()
    for name in ("one", "two"):
        probe, datamodule, store = fitted(SVMClassifier())
        save(tmp_path / name, probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1
