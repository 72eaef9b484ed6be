"""The guide to error messages shows the messages that its commands print."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs/reference/errors.md"
MFCC = ["--data", "folder", "--data.root", "sounds", "--model.frontend", "mfcc"]
WHO, MOODS = ("anna", "bob"), ("happy", "sad")
FOREST = [
    *["--model.backend", "sklearn", "--model.backend.estimator", "sklearn.ensemble.RandomForestClassifier"],
    *["--model.backend.arguments", "{n_estimators: 1}"],
]


@pytest.fixture
def folders(untrained, sounds, tmp_path):
    """Folders of sounds, some with a fault, a manifest that lacks a column, and two fitted probes."""
    shutil.copytree(sounds, tmp_path / "sounds")
    for label in ("low", "high"):
        (tmp_path / "damaged" / label).mkdir(parents=True)
        for name in "abc":
            (tmp_path / "damaged" / label / f"{name}.wav").write_bytes(b"RIFF, and nothing behind")
    (tmp_path / "lacking" / "low").mkdir(parents=True)
    for folder in ("lacking/high", "lacking/mid", *(f"speakers/{who}/{mood}" for who in WHO for mood in MOODS)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "0.wav").touch()
    (tmp_path / "clips.csv").write_text("path,class\na.wav,low\n")
    for name, backend in (("probe", ["--model.backend", "nearest_class"]), ("forest", FOREST)):
        assert untrained("fit", *MFCC, *backend)[0] == 0
        (checkpoint,) = tmp_path.glob("runs/*/*/*/*/probe.ckpt")
        shutil.move(checkpoint, tmp_path / f"{name}.ckpt")


@pytest.mark.usefixtures("folders")
def test_messages_are_as_in_the_guide(untrained):
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    cases = [
        case for block in blocks for case in re.findall(r"^\$ untrained (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
    ]
    assert len(cases) > 15
    for command, message in cases:
        status, _, err = untrained(*shlex.split(command))
        assert err == message, command
        assert status == (1 if "damaged" in command else 2)
