import functools
import threading

import numpy as np
import pytest
import safetensors.numpy
import skops.io
import torch
from pytorch_lightning import Trainer
from sklearn.model_selection import FixedThresholdClassifier
from untrained import BACKENDS, Backend
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import KNN, AnyClassifier
from untrained.backends.svm import SVMClassifier
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import CheckpointError, UsageError
from untrained.frontends import Frontend
from untrained.frontends.musical import Temporal
from untrained.probes import checkpoint
from untrained.probes.checkpoint import save
from untrained.probes.fitted import load_probe
from untrained.probes.probe import EmbeddedData, Probe
from untrained.probes.stages import fit, score_test_split


def data(**arguments):
    return Synthetic("events", clips_per_class=6, n_samples=8000, **arguments)


def fitted(tmp_path, backend=None, datamodule=None, **arguments):
    datamodule = datamodule or data()
    probe = Probe(Temporal(n_filters=4, seed=2), backend or ELMClassifier(), **arguments)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    store = extract(probe, datamodule, trainer, tmp_path / "embeddings").store
    fit(probe, datamodule, store)
    return probe, datamodule, store


@pytest.mark.parametrize("backend", [ELMClassifier(), SVMClassifier()], ids=["elm", "svm"])
def test_fit_save_load_test(tmp_path, backend):
    probe, datamodule, store = fitted(tmp_path, backend)
    assert probe.selection.protocol == "holdout"
    accuracy, embedded = score_test_split(probe, datamodule, store, datamodule.class_names)
    assert accuracy == np.mean(probe.test_predictions == embedded.labels(embedded.tested))
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names).learned)
    fitted_probe = load_probe(tmp_path / "probe.ckpt")
    loaded, recipe = fitted_probe.probe, fitted_probe.recipe
    assert recipe.frontend == "temporal"
    assert recipe.frontend_arguments == {"n_filters": 4, "size": None, "lengths": [165, 128, 64, 32], "seed": 2}
    assert recipe.class_names == datamodule.class_names
    assert score_test_split(loaded, datamodule, store, recipe.class_names)[0] == accuracy
    np.testing.assert_array_equal(loaded.test_predictions, probe.test_predictions)


def test_checkpoint_holds_tensors_and_plain_values(tmp_path):
    probe, datamodule, store = fitted(tmp_path)
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names).learned)
    content = torch.load(tmp_path / "probe.ckpt", weights_only=True)
    assert set(content) == {"untrained", "state_dict", "backend", "digest"}
    assert "class_path" not in str(content["untrained"])
    arrays = safetensors.numpy.load(content["backend"]["arrays"].numpy().tobytes())
    assert set(arrays) == {"weights_", "biases_", "coefs_", "classes_"}
    assert len(content["backend"]["skops"]) < 10_000


def test_stored_weights_win_over_the_seed(tmp_path):
    probe, datamodule, store = fitted(tmp_path)
    probe.frontend.temporal[0].weight.fill_(0.5)
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names).learned)
    loaded = load_probe(tmp_path / "probe.ckpt").probe
    assert (loaded.frontend.temporal[0].weight == 0.5).all()


def test_folds_need_no_test_split(tmp_path):
    probe, _, _ = fitted(tmp_path, datamodule=data(folds=3))
    assert probe.selection.protocol == "nested"
    assert probe.selection.score_name == "cv/accuracy"
    assert len(probe.selection.fold_scores) == 3


def test_what_is_missing_is_said(tmp_path):
    probe = Probe()
    with pytest.raises(UsageError, match=r"add --model.frontend, one of .*vgg"):
        extract(probe, data(), Trainer(accelerator="cpu", logger=False), tmp_path)
    probe = Probe(Temporal())
    store = extract(probe, data(), Trainer(accelerator="cpu", logger=False, enable_progress_bar=False), tmp_path).store
    with pytest.raises(UsageError, match=r"add --model.backend, one of elm, .*svm"):
        fit(probe, data(), store)


class Unregistered(Temporal):
    pass


def test_an_unregistered_frontend_cannot_be_saved():
    with pytest.raises(CheckpointError, match=r"Unregistered is not registered.*entry point"):
        checkpoint.name_frontend(Unregistered())


class NotOurs:
    """A type that nobody trusts."""

    def __init__(self):
        self.x = 1


def stored(tmp_path, **changes):
    probe, datamodule, store = fitted(tmp_path)
    path = tmp_path / "probe.ckpt"
    save(path, probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names).learned)
    content = torch.load(path, weights_only=True)
    for key, value in changes.items():
        content[key] = {**content[key], **value}
    del content["digest"]
    torch.save({**content, "digest": checkpoint._digest(content)}, path)
    return path


def as_tensor(content):
    return torch.from_numpy(np.frombuffer(content, np.uint8).copy())


def skops_bytes(value):
    return as_tensor(skops.io.dumps(value))


def test_types_that_are_not_trusted_are_named(tmp_path):
    path = stored(tmp_path, backend={"skops": skops_bytes({"model": NotOurs()})})
    with pytest.raises(CheckpointError, match=r"not trusted: .*NotOurs.*--trust .*NotOurs"):
        load_probe(path)
    path = stored(tmp_path, backend={"skops": skops_bytes(KNN()), "arrays": as_tensor(safetensors.numpy.save({}))})
    with pytest.raises(CheckpointError, match="is a KNN, not the 'elm' it says"):
        load_probe(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backend": {"skops": torch.zeros(100, dtype=torch.uint8)}}, "backend is damaged"),
        ({"backend": {"arrays": torch.zeros(100, dtype=torch.uint8)}}, "backend is damaged"),
        (
            {"backend": {"arrays": as_tensor(safetensors.numpy.save({"predict": np.zeros(3)}))}},
            "array 'predict' belongs to no backend",
        ),
        ({"untrained": {"standardize": "zscore"}}, "does not read what standardize='zscore' says"),
        ({"untrained": {"standardize": "bogus"}}, "standardize is not what a checkpoint holds"),
        ({"untrained": {"n_samples": "x"}}, "n_samples is not what a checkpoint holds"),
        ({"untrained": {"class_names": 5}}, "class_names is not what a checkpoint holds"),
        ({"untrained": {"class_names": ["a"]}}, "labels are not those of 1 classes"),
        (
            {"backend": {"arrays": as_tensor(safetensors.numpy.save({"coefs_": np.zeros(3)}))}},
            "backend is damaged",
        ),
        ({"state_dict": {"convs.0.weight": torch.zeros(2)}}, "does not fit the frontend 'temporal'"),
        ({"untrained": {"format": 99}}, "has format 99"),
        ({"untrained": {"surprise": 1}}, "is damaged"),
        ({"untrained": {"sample_rate": 44_100}}, "was fitted at 44100 Hz"),
        ({"untrained": {"frontend_arguments": {"n_filters": 5}}}, "does not fit"),
        ({"hyper_parameters": {"_class_path": "os.system"}}, "no checkpoint of untrained"),
    ],
)
def test_tampered_checkpoints(tmp_path, changes, message):
    if "hyper_parameters" in changes:
        path = stored(tmp_path)
        content = torch.load(path, weights_only=True)
        torch.save({**content, **changes}, path)
    else:
        path = stored(tmp_path, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_probe(path)


def test_no_type_of_a_file_calls_what_another_names(tmp_path):
    """A meta-estimator of scikit-learn calls any method by its name, as one of ours that makes what it is told."""
    teller = AnyClassifier("subprocess.getoutput", {"cmd": f"touch {tmp_path}/called"})
    teller.classes_, teller.estimator_ = np.array([0, 1]), 1
    caller = FixedThresholdClassifier(teller, response_method="make")
    caller.estimator_ = teller
    machine = SVMClassifier()
    machine.svc_, machine.classes_, machine.n_features_in_ = caller, np.array([0, 1]), 56
    path = stored(tmp_path, backend={"skops": skops_bytes(machine)}, untrained={"backend": "svm"})
    with pytest.raises(CheckpointError, match=r"not trusted: sklearn.model_selection.*FixedThresholdClassifier"):
        load_probe(path)
    with pytest.raises(ValueError, match="no class of scikit-learn's kind"):
        teller.make(3)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(1).expand(10**10),
        torch.zeros(3, dtype=torch.complex64).conj(),
        torch.eye(3).to_sparse(),
        functools.reduce(lambda nest, _: [nest, nest], range(60), 0),
    ],
    ids=["expanded", "conjugate", "sparse", "nest"],
)
def test_odd_contents_neither_hang_nor_crash(tmp_path, odd):
    path = stored(tmp_path)
    content = torch.load(path, weights_only=True)
    content["state_dict"]["odd"] = odd
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"is damaged|is not loaded"):
        load_probe(path)


class Awkward(ELMClassifier):
    """A plug-in that states its attributes, and keeps a masked array."""

    coefs_ = None

    def fit(self, X, y):
        super().fit(X, y)
        self.masked_ = np.ma.masked_array([1.0, 2.0], [True, False])
        return self


def test_plug_ins_are_saved_as_they_are(tmp_path):
    BACKENDS.register("awkward")(Awkward)
    probe, datamodule, store = fitted(tmp_path, Awkward())
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names).learned)
    loaded = load_probe(tmp_path / "probe.ckpt").probe
    assert loaded.backend.masked_.mask.tolist() == [True, False]
    np.testing.assert_array_equal(loaded.backend.coefs_, probe.backend.coefs_)


def test_a_plug_in_may_keep_no_width_but_nothing_that_cannot_be_saved(tmp_path):
    class Minimal(Backend):
        def fit(self, X, y):
            self.label = int(y[0])
            return self

        def predict(self, X):
            return np.full(len(X), self.label)

    Minimal.__qualname__ = "Minimal"
    globals()["Minimal"] = Minimal
    BACKENDS.register("minimal")(Minimal)
    probe, datamodule, store = fitted(tmp_path, Minimal())
    data = EmbeddedData(store, datamodule, datamodule.class_names).learned
    save(tmp_path / "probe.ckpt", probe, datamodule, data)
    assert load_probe(tmp_path / "probe.ckpt").probe.backend.label == probe.backend.label
    probe.backend.lock = threading.Lock()
    with pytest.raises(CheckpointError, match="backend 'minimal' cannot be saved"):
        save(tmp_path / "probe.ckpt", probe, datamodule, data)


def test_a_changed_byte_is_refused_or_changes_nothing(tmp_path):
    path = stored(tmp_path)
    content = path.read_bytes()
    original = load_probe(path)
    probe, recipe = original.probe, original.recipe
    n_refused = 0
    for position in range(100, len(content), len(content) // 50):
        changed = bytearray(content)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        try:
            reloaded = load_probe(path)
        except CheckpointError:
            n_refused += 1
        else:  # a byte of the archive that holds nothing
            other = reloaded.probe
            assert reloaded.recipe == recipe
            np.testing.assert_array_equal(other.backend.coefs_, probe.backend.coefs_)
            np.testing.assert_array_equal(other.frontend.temporal[0].weight, probe.frontend.temporal[0].weight)
    assert n_refused > 40


class Harmful:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_files_that_are_no_checkpoint(tmp_path, capsys):
    path = tmp_path / "x.ckpt"
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_probe(path)
    path.write_text("text")
    with pytest.raises(CheckpointError, match="is not loaded"):
        load_probe(path)
    torch.save({"untrained": Harmful()}, path)
    with pytest.raises(CheckpointError, match=r"names builtins.print, which could run code|names .*print"):
        load_probe(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"no checkpoint of untrained \(it holds \['state_dict'\]\)"):
        load_probe(path)
    assert "never run" not in capsys.readouterr().out


def test_a_frontend_of_another_rate_gets_its_waveforms(tmp_path):
    class Slow(Frontend):
        sample_rate = 4000

        def feature_maps(self, x):
            return [x[:, None]]

    datamodule = data()
    seen = []
    read = datamodule.read
    datamodule.read = lambda clip, rate: seen.append(rate) or read(clip, rate)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    extract(Probe(Slow()), datamodule, trainer, tmp_path)
    assert set(seen) == {4000}
    extract(Probe(Temporal()), datamodule, trainer, tmp_path)
    assert set(seen) == {4000, 12_000}
