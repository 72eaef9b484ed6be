"""Installed packages of third parties, one that works and one that is broken, and the code of the guide."""

import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from forked import Started
from untrained.testing import check_backend, check_datamodule, check_proxy

ROOT = Path(__file__).parents[1]


def install(package, target):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", target, package], check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Function that runs a command with the example installed, and optionally with the broken package."""
    root = tmp_path_factory.mktemp("plugins")
    packages = {"good": ROOT / "examples" / "untrained-example", "broken": ROOT / "tests" / "plugins" / "broken"}
    for name, package in packages.items():
        copied = shutil.copytree(package, root / f"{name}-source")  # because a build leaves files in the source
        install(copied, root / name)

    def run(*arguments, also=(), cwd=root):
        path = os.pathsep.join([str(root / "good"), *(str(root / name) for name in also), *map(str, also)])
        environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "160"}
        return Started("untrained", [str(argument) for argument in arguments], cwd, environment).end()

    return run


@pytest.fixture
def digits(tmp_path):
    """A few recordings in the layout of the example's data set."""
    (tmp_path / "recordings").mkdir()
    for digit in range(3):
        for index in range(14):
            sound = np.sin(np.arange(2000) * (0.1 + 0.2 * digit + 0.002 * index))
            soundfile.write(tmp_path / "recordings" / f"{digit}_somebody_{index}.wav", sound, 8000)
    return tmp_path


@pytest.mark.slow
def test_names_of_a_third_party_work_like_ours(installed, digits):
    listed = installed("list").stdout
    for name in ("gated", "cosine", "spoken_digits", "class_spread"):
        assert re.search(rf"^  {name} +untrained-example +\w", listed, re.MULTILINE)
    helped = installed("fit", "--model.frontend.help", "gated").stdout
    assert "--model.frontend.n_layers" in helped
    assert "van den Oord" in helped
    study = ROOT / "examples" / "untrained-example" / "study.yaml"
    small = ["--vary.datamodules.n_samples", "[4000]", "--vary.frontends.n_filters", "[4]"]
    # The broken package is installed, too, and breaks nothing.
    arguments = [f"--roots.digits={digits}", *small, "--name", "example"]
    done = installed("compare", study, *arguments, also=["broken"], cwd=digits)
    assert done.returncode == 0, done.stderr
    assert "gated-n_filters=4" in done.stdout
    assert "sample_level-n_filters=4" in done.stdout
    assert "cosine" in done.stdout


@pytest.mark.slow
def test_a_broken_package_breaks_nothing_else(installed):
    listed = installed("list", also=["broken"])
    assert listed.returncode == 0
    for name, message in (
        ("unimportable", "cannot be imported .*No module named 'a_package_that_nobody_has'"),
        ("absent", "has no attribute 'NotThere'"),
        ("no_frontend", r"is class NoFrontend, expected a subclass of untrained\.frontends\.base\.Frontend"),
        ("no_backend", r"is class NoFrontend, expected a subclass of untrained\.backends\.base\.Backend"),
        ("raising", "ZeroDivisionError: at import"),
        ("vgg", r"is registered by broken-example \(broken_example:Impostor\) and untrained"),
    ):
        assert re.search(rf"^  {name} +broken-example +FAILED: .*{message}", listed.stdout, re.MULTILINE), name
    assert re.search(r"^  gated +untrained-example", listed.stdout, re.MULTILINE)
    tiny = ["--data", "synthetic", "--data.clips_per_class", "3", "--data.n_samples", "4000"]
    asked = installed("predict", *tiny, "--model.frontend", "vgg", also=["broken"])
    assert asked.returncode == 2
    assert "registered by broken-example" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_the_code_of_the_guides_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)  # a guide writes a file of weights
    guides = [
        (ROOT / f"docs/howto/{name}.md").read_text() for name in ("frontend", "backend", "data-set", "python", "proxy")
    ]
    blocks = re.findall(r"```python\n(.*?)```", "\n".join(guides), re.DOTALL)
    # Code that reads runs and probes is executed when the documentation is built, after the commands that make them.
    blocks = [block for block in blocks if "import load_" not in block]
    module = types.ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    names = vars(module)
    for block in blocks:
        exec(block, names)
    assert "embedding" in capsys.readouterr().out
    assert names["embeddings"].shape == (2, 8)
    assert names["scenes"].shape == (2, 8)
    for check in names["test_contract"].pytestmark[0].args[1][:3]:
        check()
    for index in range(8):
        soundfile.write(
            tmp_path / f"{'ab'[index % 2]}_{index // 2}.wav", np.sin(np.arange(900) * (index + 1) / 9), 8000
        )
    check_datamodule(names["Takes"](str(tmp_path), n_samples=3000))
    check_backend(names["TwoNearest"])
    check_proxy(names["ActiveShare"])
    assert 0 < names["shares"][0].value < 1
