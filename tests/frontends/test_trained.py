"""Files of trained weights."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from untrained import FRONTENDS, Frontend, LogMel
from untrained.errors import CheckpointError
from untrained.frontends.frame_level import FrameLevel
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.trainable import trainable
from untrained.frontends.trained import load_weights, read_description, save_weights
from untrained.frontends.vgg import VGG
from untrained.frontends.weights import undrawn


class Normed(Frontend):
    """A layer with BatchNorm."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 5), nn.BatchNorm2d(3))

    def feature_maps(self, x):
        return [self.layers(x[:, None])]


@pytest.fixture
def path(tmp_path):
    """File of weights of a small VGG."""
    frontend = VGG(n_filters=2, seed=5)
    frontend.input_scalars = (-40.0, 20.0)
    save_weights(frontend, tmp_path / "frontend.safetensors", n_samples="3000", task="events")
    return tmp_path / "frontend.safetensors"


def test_a_trained_frontend_comes_back(tmp_path):
    clips = torch.randn(4, 3000, generator=torch.Generator().manual_seed(0))
    learning = trainable(Normed())
    learning.calibrate([clips])
    learning(clips).square().sum().backward()
    with torch.no_grad():
        for parameter in learning.parameters():
            parameter -= 0.1 * parameter.grad.sign()
    learning(clips)
    save_weights(learning, tmp_path / "frontend.safetensors")
    loaded = load_weights(Normed(seed=9), tmp_path / "frontend.safetensors").train()
    torch.testing.assert_close(loaded(clips), learning.eval()(clips), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(loaded(clips), Normed()(clips))
    assert loaded.input_scalars == learning.input_scalars
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert trainable(loaded).training


def test_what_describes_the_weights(path, tmp_path):
    assert read_description(path) == {
        "format": 1,
        "frontend": "vgg",
        "arguments": {"n_filters": 2, "size": None, "seed": 5},
        "sample_rate": 12_000,
        "input_scalars": [-40.0, 20.0],
        "n_samples": "3000",
        "task": "events",
    }
    again = load_weights(VGG(n_filters=2, seed=5), path)
    save_weights(again, tmp_path / "again", n_samples="3000", task="events")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_weights_are_not_drawn_again(path):
    with undrawn():
        frontend = VGG(n_filters=2)
    loaded = load_weights(frontend, path)
    loaded.draw()
    assert torch.equal(loaded.convs[0].weight, VGG(n_filters=2, seed=5).convs[0].weight)
    changed = load_weights(VGG(n_filters=2).with_options(pooling="mean_max"), path)
    assert changed.embedding_size == 20


def rewritten(path, changes=(), **described):
    """Write the file with other tensors or another description."""
    with safe_open(path, "pt") as file:
        known = json.loads(file.metadata()["untrained"])
    tensors = {**load_file(path), **dict(changes)}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    save_file(kept, path, {"untrained": json.dumps({**known, **described})})
    return path


def as_lightning(path):
    torch.save({"state_dict": {}, "pytorch-lightning_version": "2.6"}, path)


def as_probe(path):
    torch.save({"untrained": {"format": 4}, "state_dict": {}, "backend": {}}, path)


WEIGHT = "convs.1.weight"
BAD = {
    "absent": (
        lambda path: path.unlink(),
        "no weights at .*give the frontend.safetensors written by",
    ),
    "lightning": (as_lightning, "is a checkpoint of Lightning.*resumes.*give the frontend.safetensors"),
    "probe": (as_probe, "is the checkpoint of a probe.*`test` and `classify`.*give the frontend.safetensors"),
    "zip": (lambda path: torch.save({}, path), "is a zip file.*give the frontend.safetensors"),
    "text": (lambda path: path.write_text("weights"), "is not a safetensors file, or is damaged"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is not a safetensors file, or is damaged"),
    "other": (lambda path: save_file({}, path, {"clips": ""}), "without a description of a frontend"),
    "format": (lambda path: rewritten(path, format=2), "has format 2 of a later version.*train the"),
    "scalars": (lambda path: rewritten(path, input_scalars=[0, 0]), "has a damaged description"),
    "rate": (lambda path: rewritten(path, sample_rate=8000), "weights for 8000 Hz, but frontend 'vgg' takes 12000 Hz"),
    "missing": (lambda path: rewritten(path, {WEIGHT: None}), f"has no tensor '{WEIGHT}'; it was trained with n_filt"),
    "unknown": (lambda path: rewritten(path, {"more": torch.ones(1)}), "has an unknown tensor 'more'"),
    "shape": (lambda path: rewritten(path, {WEIGHT: torch.ones(3)}), rf"{WEIGHT}' has shape \(3,\) .*\(2, 2, 3, 3\)"),
    "nan": (lambda path: rewritten(path, {WEIGHT: torch.full((2, 2, 3, 3), torch.nan)}), "values that are not finite"),
}


@pytest.mark.parametrize("kind", BAD)
def test_other_files_are_refused_by_name(path, kind):
    spoil, message = BAD[kind]
    spoil(path)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_weights(VGG(n_filters=2), path)
    assert str(path) in str(caught.value)


def test_another_frontend_is_refused(path, tmp_path):
    with pytest.raises(
        CheckpointError, match=r"weights of frontend 'vgg', not of 'sample_level'.*--model.frontend vgg"
    ):
        load_weights(SampleLevel(n_filters=2), path)
    with pytest.raises(CheckpointError, match="'vgg' with n_filters=2, but the frontend has n_filters=3; give --model"):
        load_weights(VGG(n_filters=3), path)
    with pytest.raises(CheckpointError, match=r"has shape .* expected .*trained with n_filters=2"):
        load_weights(VGG(), path)
    save_weights(FrameLevel(n_filters=2, collapse_deep=True), tmp_path / "collapsed")
    with pytest.raises(CheckpointError, match="collapse_deep=True, but the frontend has collapse_deep=False"):
        load_weights(FrameLevel(n_filters=2), tmp_path / "collapsed")
    save_weights(VGG(size="small"), tmp_path / "small")
    assert load_weights(VGG(n_filters=32), tmp_path / "small").embedding_size == 160


def test_a_frontend_that_is_not_registered_is_named_by_its_class(tmp_path):
    save_weights(Normed(), tmp_path / "frontend.safetensors")
    assert read_description(tmp_path / "frontend.safetensors")["frontend"].endswith(":Normed")
    FRONTENDS.register("normed")(Normed)
    save_weights(Normed(), tmp_path / "frontend.safetensors")
    assert load_weights(Normed(), tmp_path / "frontend.safetensors").input_scalars == (0.0, 1.0)
