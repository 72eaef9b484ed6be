"""HEAR's common API: the checks of HEAR's validator, and others."""

import json

import pytest
import torch
import untrained.hear as hear
from untrained import FRONTENDS, load_embeddings
from untrained.errors import UntrainedError, UsageError
from untrained.frontends.hear import Hear

TEMPORAL = "{class_path: temporal, init_args: {n_filters: 4}}"


def noise(n_sounds, n_samples):
    return torch.rand(n_sounds, n_samples, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("text", ["mfcc", TEMPORAL, "{class_path: vgg, init_args: {n_filters: 2, seed: 3}}"])
def test_models_pass_the_checks_of_the_validator(text):
    model = hear.load_model(text)
    assert model.sample_rate in (16_000, 22_050, 44_100, 48_000)
    for name in ("scene_embedding_size", "timestamp_embedding_size"):
        assert isinstance(getattr(model, name), int)
    scenes = hear.get_scene_embeddings(noise(4, int(2.74 * model.sample_rate)), model)
    assert scenes.shape == (4, model.scene_embedding_size)
    assert scenes.dtype == torch.float32
    embeddings, timestamps = hear.get_timestamp_embeddings(noise(2, model.sample_rate), model)
    assert embeddings.shape == (2, timestamps.shape[1], model.timestamp_embedding_size)
    assert embeddings.dtype == timestamps.dtype == torch.float32
    assert timestamps.shape[0] == 2
    assert (timestamps.diff(dim=1) == 50).all()  # ms
    assert timestamps[0, 0] == 0
    assert 950 <= timestamps[0, -1] < 1000


def test_a_scene_embedding_is_that_of_the_frontend_at_its_sample_rate():
    model = hear.load_model(TEMPORAL)
    frontend = FRONTENDS.create("temporal", n_filters=4)
    time = torch.arange(32_000) / 16_000
    sound = torch.sin(2 * torch.pi * 440 * time)[None]
    lower = torch.sin(2 * torch.pi * 440 * torch.arange(24_000) / 12_000)[None]
    settings = set()
    model.frontend.register_forward_hook(lambda *_: settings.add(torch.backends.cudnn.conv.fp32_precision))
    found, wanted = hear.get_scene_embeddings(sound, model), frontend(lower)
    assert settings == {"ieee"}
    assert torch.allclose(found, wanted, atol=0.02 * float(wanted.abs().max()))


def test_a_click_changes_only_the_embeddings_around_it():
    model = hear.load_model(TEMPORAL)
    silence = torch.zeros(1, 4 * 16_000)
    click = silence.clone()
    click[0, 32_000] = 1.0  # at 2 s
    quiet, _ = hear.get_timestamp_embeddings(silence, model)
    heard, timestamps = hear.get_timestamp_embeddings(click, model)
    where = timestamps[0][(heard - quiet).abs().amax(dim=2)[0] > 1e-6]
    assert 1700 <= where.min() <= 1800  # windows of half a second
    assert 2200 <= where.max() <= 2300
    alone, _ = hear.get_timestamp_embeddings(click[:, :56_000], model)
    assert torch.allclose(alone[:, :50], heard[:, :50], atol=1e-4)  # embeddings do not depend on later audio


def test_models_that_cannot_be_loaded(tmp_path):
    (tmp_path / "model.yaml").write_text(TEMPORAL)
    assert hear.load_model(str(tmp_path / "model.yaml")).scene_embedding_size == 56
    assert hear.load_model().scene_embedding_size == FRONTENDS.create("vgg").embedding_size
    for text, message in (
        ("vgg6", "did you mean 'vgg'"),
        ("{class_path: vgg, init_args: {n_filter: 2}}", "n_filter"),
        ("gone.yaml", "gone.yaml cannot be read"),
        ("{class_path: [", "is not valid YAML"),
    ):
        with pytest.raises(UsageError, match=message):
            hear.load_model(text)
    with pytest.raises(ValueError, match=r"audio has shape \(3,\); expected \(n_sounds, n_samples\)"):
        hear.get_scene_embeddings(torch.zeros(3), hear.load_model("mfcc"))


def test_no_name_in_a_text_or_a_configuration_imports_an_arbitrary_module(tmp_path, monkeypatch):
    """Every field that names a class or a module is set to a module that writes a file when it is imported."""
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass X: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    for text in ("evil.X", "{class_path: evil.X}", "{class_path: hear, init_args: {module: evil}}", "weights.pt"):
        with pytest.raises(UntrainedError):
            hear.load_model(text)
        with pytest.raises(UntrainedError):
            Hear("untrained.hear", text)
    run = tmp_path / "run"
    run.mkdir()
    for frontend in ({"class_path": "evil.X"}, {"class_path": "hear", "init_args": {"module": "evil"}}):
        config = {"data": {"class_path": "synthetic"}, "model": {"frontend": frontend}, "trainer": {}}
        (run / "config.yaml").write_text(json.dumps(config))
        with pytest.raises(UntrainedError):
            load_embeddings(run)
    assert not (tmp_path / "ran").exists()
