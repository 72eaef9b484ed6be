from types import SimpleNamespace

import numpy as np
import pytest
import torch
from untrained.audio import load
from untrained.backends.nearest_class import NearestClass
from untrained.errors import UsageError
from untrained.frontends.baselines import LogMelStats
from untrained.probes.labelling import Labelled, label_sounds

RECIPE = SimpleNamespace(
    n_samples=4000,
    fit_length="repeat",
    sample_rate=12_000,
    class_names=["high", "low", "mid"],
    layers="all",
    tf32=False,
    fitted_to=[],
    inverse_temperature=None,
)


@pytest.fixture
def files(sounds):
    return [sounds / label / f"{label} {index}.wav" for label in ("low", "high") for index in ("00", "04")]


@pytest.fixture
def probe(files):
    """Frontend and a backend that is fitted to two of three classes, with two sounds each."""
    waveforms = np.stack([load(path, sample_rate=12_000, n_samples=4000).waveform for path in files])
    frontend = LogMelStats()
    return frontend, NearestClass().fit(frontend(torch.from_numpy(waveforms)).numpy(), [1, 1, 0, 0])


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_sounds_keep_their_order_for_any_batch_size(probe, files, tmp_path, batch_size):
    low, _, high, _ = map(str, files)
    (tmp_path / "broken.wav").write_bytes(b"")
    asked = [Labelled("gone.wav", error="does not exist"), *map(Labelled, [low, str(tmp_path / "broken.wav"), high])]
    found = list(label_sounds(*probe, RECIPE, asked, accelerator="cpu", batch_size=batch_size))
    assert [sound.path for sound in found] == [sound.path for sound in asked]
    assert [sound.label for sound in found] == ["", "low", "", "high"]
    assert found[0] is asked[0]
    assert "is empty" in found[2].error
    assert found[1].scores.keys() == {"high", "low"}  # the probe was not fitted to the third class
    assert max(found[1].scores, key=found[1].scores.get) == "low"


@pytest.mark.parametrize("tf32", [False, True])
def test_labelling_uses_the_precision_of_the_fit(probe, files, tf32):
    recipe, settings = SimpleNamespace(**{**vars(RECIPE), "tf32": tf32}), []
    probe[0].register_forward_hook(lambda *_: settings.append(torch.backends.cudnn.conv.fp32_precision))
    list(label_sounds(*probe, recipe, [Labelled(str(files[0]))], accelerator="cpu"))
    assert settings == ["tf32" if tf32 else "ieee"]


def test_an_unknown_accelerator_is_named(probe):
    with pytest.raises(UsageError, match="--accelerator abacus"):
        list(label_sounds(*probe, RECIPE, [], accelerator="abacus"))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"num_workers": -1}], ids=str)
def test_invalid_options_are_rejected(probe, files, options):
    with pytest.raises(UsageError, match=rf"{next(iter(options))}=.*expected an integer"):
        list(label_sounds(*probe, RECIPE, [Labelled(str(files[0]))], accelerator="cpu", **options))


def test_workers_give_the_same_labels(probe, files):
    asked = [Labelled(str(path)) for path in files]
    alone, shared = (list(label_sounds(*probe, RECIPE, asked, accelerator="cpu", num_workers=n)) for n in (0, 2))
    assert alone == shared
