import numpy as np
import pytest
from untrained.backends.elm import ELMClassifier
from untrained.backends.svm import SVMClassifier
from untrained.probes.checkpoint import save
from untrained.probes.fitted import load_probe
from untrained.probes.probe import EmbeddedData
from untrained.probes.stages import score_test_split


@pytest.mark.parametrize("backend", [ELMClassifier(), SVMClassifier()], ids=["elm", "svm"])
def test_fit_save_load_test(tmp_path, backend, fitted):
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
