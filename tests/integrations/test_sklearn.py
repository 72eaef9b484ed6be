"""The transformer follows scikit-learn's conventions and returns the embeddings of the frontend."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained import FRONTENDS, RandomFeatures
from untrained.audio import load
from untrained.errors import AudioError, PluginError

SMALL = {"arguments": {"n_filters": 4}}


@parametrize_with_checks([RandomFeatures("temporal", **SMALL)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_embeddings_are_those_of_the_frontend():
    X = np.random.default_rng(0).normal(size=(5, 9000)).astype(np.float32)
    settings, transformer = set(), RandomFeatures("temporal", seed=3, batch_size=2, **SMALL).fit(X)
    transformer.frontend_.register_forward_hook(lambda *_: settings.add(torch.backends.cudnn.conv.fp32_precision))
    found = transformer.transform(X)
    assert settings == {"ieee"}
    frontend = FRONTENDS.create("temporal", n_filters=4, seed=3)
    assert np.allclose(found, frontend(torch.from_numpy(X)).numpy(), atol=1e-5)
    names = RandomFeatures("temporal", **SMALL).fit(X).get_feature_names_out()
    assert list(names) == frontend.feature_names


def test_files_and_arrays_of_another_sample_rate(sounds):
    paths = sorted((sounds / "low").glob("low*.wav"))[:3]
    transformer = RandomFeatures("temporal", n_samples=6000, **SMALL).fit(paths)
    found = transformer.transform(paths)
    waveforms = np.stack([load(path, sample_rate=12_000, n_samples=6000).waveform for path in paths])
    assert np.allclose(found, RandomFeatures("temporal", **SMALL).fit_transform(waveforms), atol=1e-5)
    for others in (
        [str(path) for path in paths],
        np.array(paths, dtype=object),
        np.array([str(path) for path in paths]),
    ):
        assert np.array_equal(found, transformer.transform(others))
    tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)[None]
    lower = np.sin(2 * np.pi * 440 * np.arange(12_000) / 12_000)[None]
    resampled = RandomFeatures("temporal", sample_rate=44_100, **SMALL).fit_transform(tone)
    wanted = RandomFeatures("temporal", **SMALL).fit_transform(lower)
    assert np.allclose(resampled, wanted, atol=0.02 * np.abs(wanted).max())
    with pytest.raises(AudioError, match=r"gone\.wav"):
        transformer.transform(["gone.wav"])


def test_a_grid_search_chooses_frontend_and_seed():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 12)
    X = rng.normal(size=(24, 6000)) * np.where(y, 1.0, 0.1)[:, None]
    pipeline = make_pipeline(RandomFeatures(**SMALL), SVC())
    grid = {"randomfeatures__frontend": ["temporal", "vertical_7x86"], "randomfeatures__seed": [0, 1], "svc__C": [1, 8]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ == 1
    for wrong, message in (
        ({"batch_size": 0}, "batch_size=0; expected 1 or more"),
        ({"arguments": {"n_filter": 1}}, "frontend 'vgg' cannot be created: .*n_filter"),
    ):
        with pytest.raises(ValueError, match=message):
            RandomFeatures(**wrong).fit(X)
    assert RandomFeatures("temporal", seed=np.int64(3)).fit(X).frontend_.seed == 3
    with pytest.raises(PluginError, match="did you mean 'vgg'"):
        RandomFeatures("vgg6").fit(X)
