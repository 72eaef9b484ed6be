import re

import numpy as np
import pytest
import soundfile
from untrained import FRONTENDS, PROXIES, Frontend, Proxy
from untrained.commands.proxy import chosen, spread
from untrained.errors import PluginError
from untrained.frontends.musical import Temporal
from untrained.frontends.trained import save_weights
from untrained.registry import Plugin

DATA = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000", "--data.clips_per_class", "5"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


def values(out):
    """Return value and needs of each proxy in a table."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    return {name: (value, needs) for name, value, _, needs in rows}


def test_all_proxies_of_a_frontend(untrained):
    status, out, err = untrained("proxy", *TEMPORAL, *DATA, "--n_clips", "8")
    assert (status, err) == (0, "")
    assert out.startswith("temporal (seed 0) on synthetic-events: 2 batches of 8 clips of 4,000 samples, 8 classes\n")
    found = values(out)
    assert list(found) == [*PROXIES.names(), "nngp"]
    assert found["n_features"] == ("56", "no data")
    assert found["zico"][1] == "clips, labels, head, backward pass"
    assert found["naswot"][1] == "clips, forward pass"
    assert all(re.fullmatch(r"-?[\d,.e+]+", value) for value, _ in found.values())
    assert "proxy '" not in out


def test_seeds_calibration_and_options(untrained, tmp_path):
    words = ["proxy", *TEMPORAL, *DATA, "--n_clips", "8"]
    single = {}
    for seed in (3, 4):
        _, out, _ = untrained(*words, "--proxies", "synflow", "--model.frontend.seed", seed)
        single[seed] = float(values(out)["synflow"][0])
    status, out, _ = untrained(*words, "--proxies=[synflow, n_features]", "--seeds", "3", "4")
    assert status == 0
    assert "temporal (seed 3, 4) on" in out
    assert float(values(out)["synflow"][0]) == pytest.approx(sum(single.values()) / 2, rel=1e-4)
    assert values(out)["n_features"][0] == "56"
    changed = set()
    for more in ([], ["--model.calibrate", "true"], ["--model.init", "orthogonal"], ["--model.pooling", "max"]):
        status, out, err = untrained(*words, "--proxies", "snip", *more)
        assert status == 0, err
        changed.add(values(out)["snip"][0])
    assert len(changed) == 4
    save_weights(Temporal(n_filters=4, seed=3), tmp_path / "frontend.safetensors")
    weights = ["--model.weights", tmp_path / "frontend.safetensors"]
    status, out, _ = untrained(*words, "--proxies", "synflow", *weights, "--model.frontend.seed", "3")  # of the head
    assert float(values(out)["synflow"][0]) == single[3]
    status, _, err = untrained(*words, *weights, "--seeds", "1")
    assert status == 2
    assert "--seeds has no effect, because the weights are loaded from" in err


def test_what_has_no_value_has_a_message_and_the_rest_is_printed(untrained, monkeypatch):
    @PROXIES.register("raising")
    class Raising(Proxy):
        """Raises."""

        def compute(self, subject):
            raise OSError("no disk")

    @PROXIES.register("worded")
    class Worded(Proxy):
        """Returns a word."""

        def compute(self, subject):
            return "high"

    @PROXIES.register("unmade")
    class Unmade(Proxy):
        """Needs an argument."""

        def __init__(self, power):
            self.power = power

    installed = [*PROXIES._installed, Plugin("gone", "a_package_that_nobody_has:Gone", "broken-package")]
    monkeypatch.setitem(PROXIES.__dict__, "_installed", installed)
    status, out, err = untrained("proxy", *TEMPORAL, *DATA, "--n_batches", "1", "--n_clips", "8")
    assert (status, err) == (0, "")
    found = values(out)
    assert (found["zico"][0], found["worded"][0], found["n_features"][0]) == ("nan", "nan", "56")
    for line in (
        "proxy 'raising' of frontend 'temporal': OSError: no disk",
        "proxy 'worded' of frontend 'temporal': compute returned str ('high'); expected a number",
        "proxy 'zico' of frontend 'temporal': it needs two batches of labelled clips or more; 1 is given",
    ):
        assert line in out.splitlines()
    assert "proxy 'gone' of broken-package cannot be imported" in out
    assert "proxy 'unmade' cannot be created: TypeError" in out
    for name, problem in (("gone", "of broken-package cannot be imported"), ("unmade", "cannot be created: TypeError")):
        status, _, err = untrained("proxy", *TEMPORAL, *DATA, "--proxies", "n_features", name)
        assert status == 2
        assert f"proxy {name!r} {problem}" in err


def test_a_plugin_with_the_name_of_nngp_is_refused():
    PROXIES.register("nngp")(type("Mine", (Proxy,), {"compute": lambda self, subject: 1.0}))
    with pytest.raises(PluginError, match=r"proxy 'nngp' of .* has the name of a score of untrained; rename it"):
        chosen([])


def test_smaller_batches_are_noted_and_the_device_is_checked_first(untrained, monkeypatch):
    _, out, _ = untrained("proxy", *TEMPORAL, *DATA, "--proxies", "n_features")
    assert "The batches have fewer than --n_clips 64 clips, because synthetic-events has too few training clips." in out
    monkeypatch.setattr("untrained.commands.proxy.draw_batches", None)
    status, _, err = untrained("proxy", *TEMPORAL, *DATA, "--device", "abacus")
    assert status == 2
    assert "--device 'abacus' cannot be used" in err


def test_a_frontend_without_weights(untrained):
    status, out, _ = untrained("proxy", "--model.frontend", "mfcc", *DATA, "--proxies", "n_features", "snip")
    assert status == 0
    assert {name: value for name, (value, _) in values(out).items()} == {"n_features": "120", "snip": "nan"}
    assert "proxy 'snip' of frontend 'mfcc': the frontend has no weights" in out


class Broken(Frontend):
    """Frontend that cannot compute maps."""

    def feature_maps(self, x):
        raise RuntimeError("no maps")


def test_a_frontend_that_raises(untrained):
    FRONTENDS.register("broken")(Broken)
    status, out, _ = untrained("proxy", "--model.frontend", "broken", *DATA, "--proxies", "snip")
    assert status == 0
    assert "proxy 'snip' of frontend 'broken': RuntimeError: " in out
    assert "no maps" in out


def test_silent_clips_cannot_calibrate(untrained, tmp_path):
    for index in range(8):
        (tmp_path / "sounds" / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "sounds" / "ab"[index % 2] / f"{index}.wav", np.zeros(4000), 12_000)
    data = ["--data", "folder", "--data.root", "sounds", "--data.folds", "2", "--data.n_samples", "4000"]
    status, _, err = untrained("proxy", *TEMPORAL, *data, "--model.calibrate", "true")
    assert status == 2
    assert "frontend 'temporal': cannot calibrate Temporal: all values of the spectrograms are" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*DATA], "no frontend was given: add --model.frontend, one of"),
        ([*TEMPORAL], "no data set given; use --data folder"),
        ([*TEMPORAL, *DATA, "--proxies", "nasswot"], "unknown proxy 'nasswot'; did you mean 'naswot'? registered: "),
        ([*TEMPORAL, *DATA, "--proxies", "snip", "snip"], "--proxies has 'snip' more than once; remove one"),
        ([*TEMPORAL, *DATA, "--proxies", "nngp", "nngp"], "--proxies has 'nngp' more than once; remove one"),
        ([*TEMPORAL, *DATA, "--proxies", "nngpp"], "unknown proxy 'nngpp'; did you mean 'nngp'? registered: "),
        ([*TEMPORAL, *DATA, "--seeds", "1", "1"], "--seeds 1 1 has a seed twice; remove one"),
        ([*TEMPORAL, *DATA, "--seeds", "x"], "--seeds"),
        ([*TEMPORAL, *DATA, "--n_clips", "0"], "n_clips=0; expected an integer of 1 or more"),
        ([*TEMPORAL, *DATA, "--device", "abacus"], "--device 'abacus' cannot be used: "),
        ([*TEMPORAL, "--data", "synthetic", "--data.sample_rate", "8000"], "does not match the frontend"),
        (["--model.frontend", "mfcc", *DATA, "--model.calibrate", "true"], "MFCC has nothing to calibrate"),
        (["--model.frontend", "mfcc", *DATA, "--model.pooling", "max"], "pooling='max' does not apply"),
        (["--model.frontend", "vgg6", *DATA], "unknown frontend 'vgg6'; did you mean 'vgg'?"),
    ],
)
def test_invalid_commands(untrained, words, message):
    status, _, err = untrained("proxy", *words)
    assert status == 2
    assert message in err


def test_a_configuration(untrained, tmp_path):
    frontend = "{class_path: temporal, init_args: {n_filters: 4}}"
    text = f"proxies: [n_features, n_parameters]\nn_clips: 4\nmodel: {{frontend: {frontend}}}\n"
    (tmp_path / "mine.yaml").write_text(text)
    status, out, err = untrained("proxy", "--config", "mine.yaml", *DATA)
    assert status == 0, err
    assert list(values(out)) == ["n_features", "n_parameters"]


def test_words_of_lists():
    assert spread(["--seeds", "[0,1]", "--config", "[a]"]) == ["--seeds", "0", "1", "--config", "[a]"]
