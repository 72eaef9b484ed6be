"""Any module with HEAR's common API as a frontend."""

import sys
import types

import numpy as np
import pytest
import torch
import untrained.hear as hear
from torch import nn
from untrained.cli import main
from untrained.embeddings.provenance import frontend_fields
from untrained.errors import CheckpointError
from untrained.frontends.hear import Hear
from untrained.frontends.weights import undrawn

TEMPORAL = "{class_path: temporal, init_args: {n_filters: 4}}"


def noise(n_sounds, n_samples):
    return torch.rand(n_sounds, n_samples, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def other_module(monkeypatch):
    """A module with the API, like that of a pre-trained model at 16 kHz."""

    class Model(nn.Module):
        sample_rate = 16_000
        scene_embedding_size = timestamp_embedding_size = 3

        def __init__(self, path=""):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]) * (10 if path else 1))

    module = types.ModuleType("other_module")
    module.load_model = Model
    module.get_scene_embeddings = lambda audio, model: audio.abs().mean(1, keepdim=True) * model.scale
    monkeypatch.setitem(sys.modules, "other_module", module)
    return module


def test_any_module_is_a_frontend(other_module):
    frontend = Hear("other_module")
    assert (frontend.sample_rate, frontend.embedding_size) == (16_000, 3)
    assert frontend.feature_names == ["hear0", "hear1", "hear2"]
    assert not frontend.is_random
    assert not any(parameter.requires_grad for parameter in frontend.parameters())
    sound = noise(2, 1000)
    assert torch.equal(frontend(sound), other_module.get_scene_embeddings(sound, frontend.model))
    assert torch.allclose(Hear("other_module", "weights.pt")(sound), 10 * frontend(sound))


def test_unsuitable_modules_are_refused(other_module):
    with pytest.raises(ValueError, match=r"module='gone' cannot be imported \(ModuleNotFoundError"):
        Hear("gone")
    with pytest.raises(ValueError, match="module='json' has no load_model; expected one with HEAR's common API"):
        Hear("json")
    del other_module.load_model.sample_rate
    with pytest.raises(ValueError, match="has no sample_rate; HEAR's common API requires an integer"):
        Hear("other_module")


def test_pre_trained_embeddings_are_in_the_same_table(untrained, other_module, tmp_path):
    """They are computed once for all seeds, and their checkpoint imports a module only with --trust."""
    (tmp_path / "study.yaml").write_text(
        """
        name: beside
        datamodules: [{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]
        frontends:
          - {class_path: hear, init_args: {module: other_module}}
          - {class_path: temporal, init_args: {n_filters: 4}}
        controls: []
        backends: [nearest_class]
        seeds: [0, 1]
        """
    )
    status, out, _ = untrained("compare", "study.yaml")
    assert status == 0
    assert "hear-module=other_module" in out
    rows = (tmp_path / "runs/beside/results.csv").read_text().splitlines()
    assert len(rows) == 1 + 1 + 2
    checkpoint = next((tmp_path / "runs/beside").rglob("hear*/**/probe.ckpt"))
    sound = tmp_path / "runs"
    status, _, err = untrained("classify", sound, "--ckpt_path", checkpoint)
    assert status == 2
    assert "its frontend 'hear' would import other_module" in err
    assert "--trust other_module" in err
    from untrained.probes.fitted import load_probe

    with pytest.raises(CheckpointError, match="would import other_module"):
        load_probe(checkpoint)
    probe = load_probe(checkpoint, "other_module").probe
    assert probe(torch.zeros(1, 100)).shape == (1, 3)
    assert main(["check", "frontend", "hear", "--frontend.module", "other_module"]) == 0


def test_our_own_module_is_a_frontend():
    wrapped = Hear("untrained.hear", TEMPORAL)
    sound = noise(1, 16_000)
    wanted = hear.get_scene_embeddings(sound, hear.load_model(TEMPORAL))
    assert np.array_equal(wrapped(sound).numpy(), wanted.numpy())


def test_deferred_weights_of_a_nested_frontend_are_drawn():
    def make():
        return Hear("untrained.hear", TEMPORAL)

    with undrawn():
        later = make()
    assert later.awaits_weights
    later.draw()
    assert not later.awaits_weights
    sound = noise(1, 16_000)
    assert torch.equal(later(sound), make()(sound))


def test_an_edited_module_has_another_store(other_module, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    codes = []
    for factor in (1, 2):
        lines = [
            "from other_module import load_model",
            "def get_scene_embeddings(audio, model):",
            f"    return {factor}",
        ]
        (tmp_path / f"api{factor}.py").write_text("\n".join(lines))
        codes.append(frontend_fields(Hear(f"api{factor}"))["code"])
    assert codes[0] != codes[1]
    digests = []
    for content in (b"some", b"other"):
        (tmp_path / "weights.pt").write_bytes(content)
        digests.append(frontend_fields(Hear("other_module", str(tmp_path / "weights.pt")))["weights"])
    assert digests[0] != digests[1]
