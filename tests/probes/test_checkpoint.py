import functools

import numpy as np
import pytest
import skops.io
import torch
from untrained.backends.elm import ELMClassifier
from untrained.errors import CheckpointError
from untrained.frontends.musical import Temporal
from untrained.probes import checkpoint
from untrained.probes.checkpoint import save
from untrained.probes.embedded import EmbeddedData
from untrained.probes.fitted import load_probe


def test_a_checkpoint_holds_tensors_and_plain_values(tmp_path, fitted):
    probe, datamodule, store = fitted()
    save(tmp_path / "probe.ckpt", probe, datamodule, EmbeddedData(store, datamodule, datamodule.class_names))
    content = torch.load(tmp_path / "probe.ckpt", weights_only=True)
    assert set(content) == {"untrained", "state_dict", "backend", "digest"}
    assert "class_path" not in str(content["untrained"])
    assert set(content["backend"]) == {"skops"}


class Unregistered(Temporal):
    pass


def test_an_unregistered_frontend_cannot_be_saved():
    with pytest.raises(CheckpointError, match=r"Unregistered is not registered.*entry point"):
        checkpoint.name_frontend(Unregistered())


def as_tensor(content):
    return torch.from_numpy(np.frombuffer(content, np.uint8).copy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backend": {"skops": torch.zeros(100, dtype=torch.uint8)}}, "backend is damaged"),
        ({"untrained": {"standardize": "none"}}, "its backend and standardize='none' do not match"),
        ({"untrained": {"standardize": "bogus"}}, "standardize has an invalid type or value"),
        ({"untrained": {"tf32": 1}}, "tf32 has an invalid type or value"),
        ({"untrained": {"n_samples": "x"}}, "n_samples has an invalid type or value"),
        ({"untrained": {"class_names": 5}}, "class_names has an invalid type or value"),
        ({"untrained": {"class_names": ["a"]}}, "labels do not match 1 classes"),
        ({"backend": {"skops": as_tensor(skops.io.dumps(ELMClassifier()))}}, "backend is damaged"),  # not fitted
        ({"state_dict": {"convs.0.weight": torch.zeros(2)}}, "does not match the installed frontend 'temporal'"),
        ({"untrained": {"format": 99}}, "has format 99"),
        ({"untrained": {"surprise": 1}}, "is damaged"),
        ({"untrained": {"sample_rate": 44_100}}, "was fitted at 44100 Hz"),
        ({"untrained": {"frontend_arguments": {"n_filters": 5}}}, "does not match the installed"),
        ({"hyper_parameters": {"_class_path": "os.system"}}, "not a checkpoint of untrained"),
    ],
)
def test_tampered_checkpoints_are_rejected(changes, message, stored):
    if "hyper_parameters" in changes:
        path = stored()
        content = torch.load(path, weights_only=True)
        torch.save({**content, **changes}, path)
    else:
        path = stored(**changes)
    with pytest.raises(CheckpointError, match=message):
        load_probe(path)


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
def test_unusual_contents_raise_an_error_without_a_hang(odd, stored):
    path = stored()
    content = torch.load(path, weights_only=True)
    content["state_dict"]["odd"] = odd
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"is damaged|cannot load"):
        load_probe(path)


def test_a_changed_byte_is_rejected_or_has_no_effect(stored):
    path = stored()
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
        else:  # a byte of the archive that carries no information
            other = reloaded.probe
            assert reloaded.recipe == recipe
            np.testing.assert_array_equal(other.backend.backend_.coefs_, probe.backend.backend_.coefs_)
            np.testing.assert_array_equal(other.frontend.temporal[0].weight, probe.frontend.temporal[0].weight)
    assert n_refused > 40


class Harmful:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_files_that_are_not_checkpoints_are_rejected(tmp_path, capsys):
    path = tmp_path / "x.ckpt"
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_probe(path)
    path.write_text("text")
    with pytest.raises(CheckpointError, match="cannot load"):
        load_probe(path)
    torch.save({"untrained": Harmful()}, path)
    with pytest.raises(CheckpointError, match=r"names builtins.print, which could run code|names .*print"):
        load_probe(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"not a checkpoint of untrained \(it holds \['state_dict'\]\)"):
        load_probe(path)
    assert "never run" not in capsys.readouterr().out
