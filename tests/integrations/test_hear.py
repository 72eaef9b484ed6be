"""HEAR's common API, out of this package and into it: what its own validator checks, and what it does not."""

import json
import sys
import types

import numpy as np
import pytest
import torch
import untrained.hear as hear
from torch import nn
from untrained import FRONTENDS, load_embeddings
from untrained.cli import main
from untrained.embeddings.provenance import frontend_fields
from untrained.errors import CheckpointError, UntrainedError, UsageError
from untrained.frontends.hear import Hear
from untrained.frontends.weights import undrawn

TEMPORAL = "{class_path: temporal, init_args: {n_filters: 4}}"


def noise(n_sounds, n_samples):
    return torch.rand(n_sounds, n_samples, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("text", ["mfcc", TEMPORAL, "{class_path: vgg, init_args: {n_filters: 2, seed: 3}}"])
def test_what_the_validator_checks(text):
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


def test_a_scene_is_the_embedding_of_the_sound_at_the_frontend_s_rate():
    model = hear.load_model(TEMPORAL)
    frontend = FRONTENDS.create("temporal", n_filters=4)
    time = torch.arange(32_000) / 16_000
    sound = torch.sin(2 * torch.pi * 440 * time)[None]
    lower = torch.sin(2 * torch.pi * 440 * torch.arange(24_000) / 12_000)[None]
    found, wanted = hear.get_scene_embeddings(sound, model), frontend(lower)
    assert torch.allclose(found, wanted, atol=0.02 * float(wanted.abs().max()))


def test_a_moment_is_heard_at_its_time():
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
    assert torch.allclose(alone[:, :50], heard[:, :50], atol=1e-4)  # a moment does not depend on what comes long after


def test_models_that_cannot_be(tmp_path):
    (tmp_path / "model.yaml").write_text(TEMPORAL)
    assert hear.load_model(str(tmp_path / "model.yaml")).scene_embedding_size == 56
    assert hear.load_model().scene_embedding_size == FRONTENDS.create("vgg").embedding_size
    for text, message in (
        ("vgg6", "did you mean 'vgg'"),
        ("{class_path: vgg, init_args: {n_filter: 2}}", "n_filter"),
        ("gone.yaml", "gone.yaml cannot be read"),
        ("{class_path: [", "is no YAML"),
    ):
        with pytest.raises(UsageError, match=message):
            hear.load_model(text)
    with pytest.raises(ValueError, match=r"audio has shape \(3,\); expected \(n_sounds, n_samples\)"):
        hear.get_scene_embeddings(torch.zeros(3), hear.load_model("mfcc"))


@pytest.fixture
def somebody_s(monkeypatch):
    """A module with the API, as of a pre-trained model that reads 16 kHz."""

    class Model(nn.Module):
        sample_rate = 16_000
        scene_embedding_size = timestamp_embedding_size = 3

        def __init__(self, path=""):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]) * (10 if path else 1))

    module = types.ModuleType("somebody_s")
    module.load_model = Model
    module.get_scene_embeddings = lambda audio, model: audio.abs().mean(1, keepdim=True) * model.scale
    monkeypatch.setitem(sys.modules, "somebody_s", module)
    return module


def test_any_module_is_a_frontend(somebody_s):
    frontend = Hear("somebody_s")
    assert (frontend.sample_rate, frontend.embedding_size) == (16_000, 3)
    assert frontend.feature_names == ["hear0", "hear1", "hear2"]
    assert not frontend.is_random
    assert not any(parameter.requires_grad for parameter in frontend.parameters())
    sound = noise(2, 1000)
    assert torch.equal(frontend(sound), somebody_s.get_scene_embeddings(sound, frontend.model))
    assert torch.allclose(Hear("somebody_s", "weights.pt")(sound), 10 * frontend(sound))


def test_modules_that_cannot_be(somebody_s):
    with pytest.raises(ValueError, match=r"module='gone' cannot be imported \(ModuleNotFoundError"):
        Hear("gone")
    with pytest.raises(ValueError, match="module='json' has no load_model; expected one with HEAR's common API"):
        Hear("json")
    del somebody_s.load_model.sample_rate
    with pytest.raises(ValueError, match="has no sample_rate; HEAR's common API asks for an integer"):
        Hear("somebody_s")


def test_pre_trained_embeddings_stand_in_the_same_table(untrained, somebody_s, tmp_path):
    """Once for all seeds; and no checkpoint imports a module that nobody allowed."""
    (tmp_path / "study.yaml").write_text(
        """
        name: beside
        datamodules: [{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]
        frontends:
          - {class_path: hear, init_args: {module: somebody_s}}
          - {class_path: temporal, init_args: {n_filters: 4}}
        backends: [nearest_class]
        seeds: [0, 1]
        """
    )
    status, out, _ = untrained("compare", "study.yaml")
    assert status == 0
    assert "hear-module=somebody_s" in out
    rows = (tmp_path / "runs/beside/results.csv").read_text().splitlines()
    assert len(rows) == 1 + 1 + 2
    checkpoint = next((tmp_path / "runs/beside").rglob("hear*/**/probe.ckpt"))
    sound = tmp_path / "runs"
    status, _, err = untrained("classify", sound, "--ckpt_path", checkpoint)
    assert status == 2
    assert "its frontend 'hear' would import somebody_s" in err
    assert "--trust somebody_s" in err
    from untrained.probes.fitted import load_probe

    with pytest.raises(CheckpointError, match="would import somebody_s"):
        load_probe(checkpoint)
    probe = load_probe(checkpoint, "somebody_s").probe
    assert probe(torch.zeros(1, 100)).shape == (1, 3)
    assert main(["check", "frontend", "hear", "--frontend.module", "somebody_s"]) == 0


def test_ours_of_ours():
    wrapped = Hear("untrained.hear", TEMPORAL)
    sound = noise(1, 16_000)
    wanted = hear.get_scene_embeddings(sound, hear.load_model(TEMPORAL))
    assert np.array_equal(wrapped(sound).numpy(), wanted.numpy())


def test_no_checkpoint_and_no_text_imports_what_nobody_allowed(tmp_path, monkeypatch):
    """A module that writes a file when it is imported, named in every place that a loaded thing has."""
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


def test_weights_that_are_put_off_are_drawn_within_others_too():
    def make():
        return Hear("untrained.hear", TEMPORAL)

    with undrawn():
        later = make()
    assert later.awaits_weights
    later.draw()
    assert not later.awaits_weights
    sound = noise(1, 16_000)
    assert torch.equal(later(sound), make()(sound))


def test_an_edited_module_has_another_store(somebody_s, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    codes = []
    for factor in (1, 2):
        lines = ["from somebody_s import load_model", "def get_scene_embeddings(audio, model):", f"    return {factor}"]
        (tmp_path / f"api{factor}.py").write_text("\n".join(lines))
        codes.append(frontend_fields(Hear(f"api{factor}"))["code"])
    assert codes[0] != codes[1]
    digests = []
    for content in (b"some", b"other"):
        (tmp_path / "weights.pt").write_bytes(content)
        digests.append(frontend_fields(Hear("somebody_s", str(tmp_path / "weights.pt")))["weights"])
    assert digests[0] != digests[1]
