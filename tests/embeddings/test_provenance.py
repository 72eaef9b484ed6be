import importlib
import shutil
import sys

import pytest
from untrained.backends.svm import SVMClassifier
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings import provenance
from untrained.embeddings.provenance import code_digest, embedding_fields, frontend_fields
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.frontends.vgg import VGG
from untrained.probes import selection as protocols


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


PLUGIN = """
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
MATHS = "def rectified(x):\n    return x.relu()\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "matters"),
    [
        ("mine.py", "x[:, None]", "-x[:, None]", True),
        ("maths.py", "x.relu()", "2 * x.relu()", True),  # a function of another file
        ("mine.py", "Documented.", "Documented at length.", False),
        ("mine.py", "# a comment", "# another", False),
    ],
)
def test_the_code_of_a_frontend_decides_its_store(tmp_path, monkeypatch, file, old, new, matters):
    monkeypatch.syspath_prepend(tmp_path)

    def digest_of(package, changed):
        folder = tmp_path / package
        folder.mkdir()
        for name, text in (("__init__.py", ""), ("mine.py", PLUGIN), ("maths.py", MATHS)):
            assert name != file or old in text
            (folder / name).write_text(text.replace(old, new) if changed and name == file else text)
        importlib.invalidate_caches()
        frontend = importlib.import_module(f"{package}.mine").Mine()
        digest = code_digest([type(module) for module in frontend.modules()])
        assert embedding_fields(frontend, Synthetic(), "32-true")["code"] == digest
        for name in (package, f"{package}.mine", f"{package}.maths"):
            del sys.modules[name]
        shutil.rmtree(folder)
        return digest

    assert digest_of("mypackage", False) == digest_of("mypackage", False)
    assert (digest_of("mypackage", False) != digest_of("mypackage", True)) == matters


@pytest.mark.parametrize(
    ("name", "matters"),
    [("errors", False), ("terminal", False), ("backends.least_squares", True)],
)
def test_an_edit_of_what_decides_no_value_changes_no_digest(monkeypatch, name, matters):
    module = importlib.import_module(f"untrained.{name}")
    monkeypatch.setattr(protocols, "used", module, raising=False)
    before, source = code_digest([SVMClassifier, protocols]), provenance._source
    monkeypatch.setattr(provenance, "_source", lambda thing: source(thing) + "edited" * (thing is module))
    assert (code_digest([SVMClassifier, protocols]) != before) == matters


def test_a_digest_is_of_the_code_and_not_of_the_weights():
    vgg, other = VGG(2, seed=1), VGG(3)
    assert len({frontend_fields(frontend)["code"] for frontend in (vgg, Temporal(4), MFCC())}) == 3
    assert frontend_fields(vgg)["code"] == frontend_fields(other)["code"]
    assert frontend_fields(vgg)["weights"] != frontend_fields(other)["weights"]
