"""Options of a probe: layers, pooling and init of any frontend."""

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from untrained.backends.elm import ELMClassifier
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import CheckpointError
from untrained.frontends.baselines import MFCC
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.vgg import VGG
from untrained.probes.checkpoint import _digest, read, save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.fitted import load_probe
from untrained.probes.probe import Probe
from untrained.probes.stages import fit, score_test_split


@pytest.fixture(scope="module")
def data():
    return Synthetic(task="events", clips_per_class=5, n_samples=8000)


def run(probe, data, root):
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    return extract(probe, data, trainer, root)


def test_layers_select_columns_of_stored_embeddings(data, tmp_path):
    frontend = SampleLevel(n_filters=3)
    everything = run(Probe(frontend), data, tmp_path)
    probe = Probe(frontend, ELMClassifier(), layers=[6, 0])
    again = run(probe, data, tmp_path)
    assert again.store.folder == everything.store.folder
    assert again.n_computed == 0
    selected = EmbeddedData(again.store, data, data.class_names, probe.columns)
    found = selected.embeddings(selected.clips)
    stored = everything.store.read([clip.id for clip in selected.clips])
    assert stored.shape[1] == 21
    np.testing.assert_array_equal(found, np.concatenate([stored[:, 18:], stored[:, :3]], axis=1))
    waveforms = torch.stack([torch.from_numpy(data.read(clip, 12_000).waveform) for clip in selected.clips])
    np.testing.assert_allclose(probe(waveforms).numpy(), found, rtol=1e-4, atol=1e-5)

    fit(probe, data, again.store)
    assert probe.backend.n_features_in_ == 6


@pytest.mark.parametrize("options", [{"init": "xavier"}, {"pooling": "max"}])
def test_init_and_pooling_have_their_own_stores(data, tmp_path, options):
    first = run(Probe(SampleLevel(n_filters=3)), data, tmp_path).store
    other = run(Probe(SampleLevel(n_filters=3), **options), data, tmp_path).store
    assert first.folder != other.folder
    assert not np.allclose(first.read([row.id for row in first.rows]), other.read([row.id for row in first.rows]))


def test_a_checkpoint_keeps_the_options(data, tmp_path):
    options = {"init": "orthogonal", "pooling": "mean_std", "layers": "last"}
    probe = Probe(SampleLevel(n_filters=3), ELMClassifier(), **options)
    store = run(probe, data, tmp_path).store
    embedded = fit(probe, data, store)
    save(tmp_path / "probe.ckpt", probe, data, embedded)
    recipe, _ = read(tmp_path / "probe.ckpt")
    assert {name: getattr(recipe, name) for name in options} == options
    loaded = load_probe(tmp_path / "probe.ckpt").probe
    assert loaded.frontend.options == ("orthogonal", "mean_std")
    accuracies = [score_test_split(each, data, store, data.class_names)[0] for each in (loaded, probe)]
    assert accuracies[0] == accuracies[1]
    waveforms = torch.randn(2, 8000)
    torch.testing.assert_close(loaded(waveforms), probe(waveforms))
    assert loaded(waveforms).shape == (2, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": [9]}, r"does not match the installed frontend \(layers=\[9\]"),
        ({"pooling": "mean"}, "its backend was fitted to 6 features, but the frontend returns 3"),
        ({"init": "zeros"}, "init has an invalid type or value"),
    ],
)
def test_a_checkpoint_with_changed_options_is_rejected(data, tmp_path, changes, message):
    probe = Probe(SampleLevel(n_filters=3), ELMClassifier(), pooling="mean_std", layers="last")
    embedded = fit(probe, data, run(probe, data, tmp_path).store)
    save(tmp_path / "probe.ckpt", probe, data, embedded)
    content = torch.load(tmp_path / "probe.ckpt", weights_only=True)
    content["untrained"] |= changes
    del content["digest"]
    torch.save({**content, "digest": _digest(content)}, tmp_path / "probe.ckpt")
    with pytest.raises(CheckpointError, match=message):
        load_probe(tmp_path / "probe.ckpt")


def test_options_do_not_change_the_given_frontend():
    frontend = VGG(n_filters=2)
    probe = Probe(frontend, pooling="max")
    assert Probe(frontend).frontend is frontend
    assert frontend.options.pooling == "mean"
    assert probe.frontend.options.pooling == "max"


def test_options_and_weights_of_the_given_frontend_are_kept():
    frontend = VGG(n_filters=2).with_options(init="xavier", pooling="max")
    frontend.load_state_dict(VGG(n_filters=2, seed=5).state_dict())
    probe = Probe(frontend)
    assert probe.frontend is frontend
    assert (probe.init, probe.pooling) == ("xavier", "max")
    assert torch.equal(probe.frontend.convs[0].weight, VGG(n_filters=2, seed=5).convs[0].weight)


def test_options_that_a_frontend_lacks_are_rejected():
    with pytest.raises(ValueError, match=r"layers=\[5\]; expected .* because VGG has 5 layers"):
        Probe(VGG(n_filters=2), layers=[5])
    for options in ({"layers": "last"}, {"pooling": "max"}, {"init": "pytorch"}):
        with pytest.raises(ValueError, match=r"MFCC overrides forward\(\)"):
            Probe(MFCC(), **options)
