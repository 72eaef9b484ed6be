"""Changes that keep embeddings and results valid, and changes that make exactly the affected ones run again."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import untrained as package
from untrained import BACKENDS, FRONTENDS
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.provenance import VERSIONS, data_fields, frontend_fields, run_fields
from untrained.files import digest

ROOT = Path(package.__file__).parent
FRONTEND = """
from torch import nn
from untrained.frontends import Frontend, Waveform
from . import maths


class Mine(Frontend):
    '''Documented.'''

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.conv = nn.Conv1d(1, 4, 8)

    def feature_maps(self, x):
        return [maths.rectified(self.conv(x[:, None]))]  # a comment
"""
DATA = """
from untrained import AudioDataModule, Clip, audio
from . import maths


class Mine(AudioDataModule):
    def clips(self):
        return [Clip(str(i), "ab"[i % 2], fold=i % 3) for i in range(12)]

    def read(self, clip, sample_rate):
        return maths.rectified(audio.load("x.wav", sample_rate=sample_rate, n_samples=self.n_samples))
"""
MATHS = "def rectified(x):\n    return x\n"


def all_keys():
    """Return a digest of the key fields of each bundled frontend and backend, by name."""
    frontends = [plugin.name for plugin in FRONTENDS.plugins if plugin.is_ours and plugin.name != "hear"]
    backends = [plugin.name for plugin in BACKENDS.plugins if plugin.is_ours and plugin.name != "sklearn"]
    keys = {name: digest(frontend_fields(FRONTENDS.create(name))) for name in frontends}
    data = Synthetic("events", clips_per_class=3)
    return keys | {
        name: digest(run_fields({}, {}, BACKENDS.create(name), data, "", standardize="none")) for name in backends
    }


EDITS = {  # edits of docstrings, a message, printed text and speed, none of which changes a value
    "frontends/vgg.py": ('"""', '"""Edited. '),
    "frontends/base.py": ("expected (batch, n_samples)", "expected two dimensions"),
    "frontends/measure.py": ('"for {self.n_samples} samples:"', '"for so many samples:"'),
    "frontends/single_channel.py": ("_TILES = ", "_TILES = 1 * "),
    "backends/svm.py": ('"""', '"""Edited. '),
}


@pytest.mark.slow
def test_edits_that_change_no_values_keep_the_keys(tmp_path):
    for path in [*ROOT.glob("*.py"), *ROOT.glob("*/*.py")]:
        if path.relative_to(ROOT).parts[0] not in ("tests", "docs", "benchmarks", "build"):
            name = path.relative_to(ROOT).as_posix()
            before, after = EDITS.get(name, ("", ""))
            text = path.read_text()
            assert before in text, name
            copy = tmp_path / "untrained" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace(before, after, 1) if before else text)
    code = f"import json, sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; import test_provenance as here\n"
    code += "assert here.package.__file__.startswith(sys.argv[1]); print(json.dumps(here.all_keys()))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path).stdout
    assert json.loads(printed) == all_keys()


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Function that writes the package of a plug-in and imports its class anew."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(package_name, text, maths=MATHS):
        folder = tmp_path / package_name
        folder.mkdir(exist_ok=True)
        for name, content in (("__init__.py", ""), ("mine.py", text), ("maths.py", maths)):
            (folder / name).write_text(content)
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == package_name]:
            del sys.modules[name]
        return importlib.import_module(f"{package_name}.mine").Mine

    return write


@pytest.mark.parametrize(
    ("old", "new", "matters"),
    [
        ("x[:, None]", "-x[:, None]", True),
        ("Documented.", "Documented at length.", False),
        ("# a comment", "# another", False),
    ],
)
def test_the_key_depends_on_the_code_of_a_plug_in_frontend(written, old, new, matters):
    before = frontend_fields(written("edited", FRONTEND)())
    assert old in FRONTEND
    after = frontend_fields(written("edited", FRONTEND.replace(old, new))())
    assert (after != before) == matters
    assert before["code"].keys() == {"frontends", "source"}
    helper = frontend_fields(written("edited", FRONTEND, MATHS.replace("return x", "return 2 * x"))())
    assert helper["code"]["source"] != before["code"]["source"]  # a function in another file


def test_keys_do_not_depend_on_module_names(written):
    before, moved = (frontend_fields(written(name, FRONTEND)()) for name in ("here", "there"))
    assert before == moved
    before, moved = (data_fields(written(name, DATA)(), 12_000, "32-true") for name in ("here", "there"))
    assert before == moved
    assert not any("untrained." in str(value) for value in frontend_fields(FRONTENDS.create("vgg")).values())


def test_the_key_depends_on_the_read_method_of_a_plug_in_datamodule(written):
    before = data_fields(written("read", DATA)(), 12_000, "32-true")
    edited = DATA.replace("return maths", "return 2 * maths")
    assert data_fields(written("read", edited)(), 12_000, "32-true")["reading"] != before["reading"]
    relabelled = DATA.replace('"ab"', '"cd"')
    assert data_fields(written("read", relabelled)(), 12_000, "32-true")["source"] == before["source"]


def test_a_new_version_of_decoding_changes_only_keys_of_decoded_audio(sounds, monkeypatch, written):
    plugin = written("decoding", DATA)()
    data, made = AudioFolder(str(sounds), n_samples=8000), Synthetic("events")
    before = [data_fields(each, 12_000, "32-true") for each in (data, made, plugin)]
    monkeypatch.setitem(VERSIONS, "audio decoding", 3)
    after = [data_fields(each, 12_000, "32-true") for each in (data, made, plugin)]
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert before[2] != after[2]  # the plug-in decodes audio in its own `read`


def test_a_new_version_of_a_plug_in_changes_only_its_own_key(monkeypatch):
    before = all_keys()
    for part in ("frontend vgg", "backend svm"):
        monkeypatch.setitem(VERSIONS, part, 3)
    changed = {name for name, key in all_keys().items() if key != before[name]}
    assert changed == {"vgg", "svm"}


def test_a_key_depends_on_the_code_and_on_the_weights():
    vgg, other = FRONTENDS.create("vgg", n_filters=2, seed=1), FRONTENDS.create("vgg", n_filters=3)
    assert frontend_fields(vgg)["code"] == frontend_fields(other)["code"] == {"frontends": 2, "frontend vgg": 1}
    assert frontend_fields(vgg)["weights"] != frontend_fields(other)["weights"]


@pytest.mark.parametrize(("standardize", "matters"), [("zscore", True), ("none", False)])
def test_a_new_version_of_z_scoring_changes_only_keys_of_z_scored_runs(monkeypatch, standardize, matters):
    def key():
        return run_fields({}, {}, BACKENDS.create("svm"), Synthetic("events"), "", standardize=standardize)

    before = key()
    monkeypatch.setitem(VERSIONS, "z-scoring", 2)
    assert (key() != before) == matters


def test_the_key_depends_on_the_precision():
    data = Synthetic("events")
    assert data_fields(data, 12_000, "32-true") != data_fields(data, 12_000, "bf16-mixed")


def predict(untrained, sounds, *more):
    data = ["--data", "folder", "--data.root", sounds, "--data.n_samples", "8000", "--model.frontend", "mfcc"]
    status, out, _ = untrained("predict", *data, *more)
    assert status == 0
    return out


def test_a_note_explains_why_clips_are_computed_again(untrained, sounds, monkeypatch):
    assert "again" not in predict(untrained, sounds)
    monkeypatch.setitem(VERSIONS, "audio decoding", 3)
    monkeypatch.setitem(VERSIONS, "frontend vgg", 2)
    out = predict(untrained, sounds)
    assert "36 of 36 clips computed" in out
    assert "note: 36 clips are computed again: audio decoding has changed (version 2 -> 3)\n" in out
    assert "nothing to do" in predict(untrained, sounds)
    assert "again" not in predict(untrained, sounds, "--data.fit_length", "zero")  # requested by the user


def test_a_note_explains_why_runs_are_run_again(untrained, tmp_path, monkeypatch, little):
    (tmp_path / "study.yaml").write_text(little)
    zscore = ["--model.standardize", "[none, zscore]"]
    assert untrained("compare", "study.yaml", *zscore)[0] == 0
    monkeypatch.setitem(VERSIONS, "z-scoring", 2)
    status, _, err = untrained("compare", "study.yaml", *zscore)
    assert status == 0
    assert "2 of 4 runs are done already\n2 runs are repeated because z-scoring has changed (version 1 -> 2)\n" in err
    assert "nothing to do" in err  # no extraction
