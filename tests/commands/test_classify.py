import contextlib
import csv
import io
import json
import os
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from untrained.audio import load
from untrained.commands.classify import write_json, write_table
from untrained.probes.fitted import load_probe
from untrained.probes.labelling import Labelled


@pytest.fixture(scope="module")
def probes(sounds, tmp_path_factory):
    """Function that fits a probe with a backend and returns its checkpoint."""
    from untrained.cli import main

    root = tmp_path_factory.mktemp("probes")
    data = ["--data", "folder", "--data.root", str(sounds), "--data.n_samples", "4000", "--model.frontend", "mfcc"]

    def fit(backend, *more):
        folder = root / "-".join([backend, *more])
        if not folder.is_dir():
            arguments = ["--model.backend", backend, *more, "--trainer.default_root_dir", str(folder)]
            with contextlib.redirect_stdout(io.StringIO()):
                assert main(["fit", *data, *arguments, "--embeddings", str(root / "embeddings")]) == 0
        (found,) = folder.rglob("probe.ckpt")
        return found

    return fit


@pytest.fixture
def new(tmp_path, sounds):
    """Folder of new sounds, one of them broken."""
    (tmp_path / "new" / "deeper").mkdir(parents=True)
    for source, name in (("low/low 02.ogg", "deeper/low.ogg"), ("high/high 00.wav", "high, really.wav")):
        waveform, rate = soundfile.read(sounds / source)
        soundfile.write(tmp_path / "new" / name, 0.9 * waveform, rate)  # copies would be recognised
    (tmp_path / "new" / "broken.wav").write_bytes(b"RIFF")
    (tmp_path / "new" / "readme.txt").write_text("no audio")
    (tmp_path / "empty").mkdir()
    return tmp_path / "new"


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


@pytest.mark.parametrize(
    "chosen",
    [("elm",), ("svm",), ("svm", "--model.standardize", "none"), ("knn",), ("nearest_class",), ("logistic",)],
    ids=" ".join,
)
def test_labels_of_new_sounds(untrained, probes, new, chosen):
    checkpoint = probes(*chosen)
    status, out, err = untrained("classify", "--ckpt_path", checkpoint, "new", "gone.wav", "--format", "csv")
    assert status == 1
    assert "untrained: new/broken.wav: the file cannot be decoded" in err
    assert "untrained: gone.wav: the file does not exist" in err
    found = {row["path"]: row for row in rows(out)}
    assert list(found) == ["new/broken.wav", "new/deeper/low.ogg", "new/high, really.wav", "gone.wav"]
    assert found["new/deeper/low.ogg"]["label"] == "low"
    assert found["new/high, really.wav"]["label"] == "high"
    assert found["new/broken.wav"]["label"] == found["gone.wav"]["score_low"] == ""
    assert "cannot be decoded" in found["new/broken.wav"]["error"]
    low = found["new/deeper/low.ogg"]
    assert low["used_to_fit"] == "false"
    assert "untrained: Accuracy to expect: " in err
    assert float(low["score_low"]) == max(float(low[f"score_{name}"]) for name in ("low", "mid", "high"))


def test_scores_do_not_depend_on_the_batch_size(untrained, probes, new):
    checkpoint = probes("elm")
    fitted = load_probe(checkpoint)
    probe, recipe = fitted.probe, fitted.recipe
    waveform = load(new / "high, really.wav", sample_rate=recipe.sample_rate, n_samples=recipe.n_samples).waveform
    expected = probe.backend.class_scores(probe(torch.from_numpy(waveform)[None]).numpy())[0][0]
    for batch_size in (1, 3):
        _, out, _ = untrained(
            "classify", "new", "--ckpt_path", checkpoint, "--format", "json", "--batch_size", batch_size
        )
        (found,) = (row for row in json.loads(out) if row["path"] == "new/high, really.wav")
        assert list(found["scores"]) == recipe.class_names
        np.testing.assert_allclose(list(found["scores"].values()), expected, rtol=1e-4, atol=1e-6)


def test_control_characters_are_escaped(capsys, probes):
    recipe = replace(load_probe(probes("elm")).recipe, class_names=["[red]x"])
    sounds = [Labelled(":heart:\x1b[31m.wav", "[red]x", {"[red]x": float("nan")}, "decision value")]
    write_table(sounds, recipe, sys.stdout)
    out = capsys.readouterr().out
    assert ":heart:\\x1b[31m.wav" in out
    assert "[red]x" in out
    write_json(sounds, recipe, sys.stdout)
    assert json.loads(capsys.readouterr().out)[0]["scores"] == {"[red]x": None}


def test_the_first_score_of_a_table_is_that_of_the_label(capsys, probes):
    scores = {"high": 0.4, "low": 0.4, "mid": 0.2}
    write_table(
        [Labelled("a.wav", "low", scores, "calibrated probability")], load_probe(probes("elm")).recipe, sys.stdout
    )
    out = capsys.readouterr().out
    assert "│ a.wav │ low   │ 0.40        │ high 0.40, mid 0.20 │" in out


def test_json_holds_errors(untrained, probes, new):
    status, out, _ = untrained("classify", "new/broken.wav", "empty", "--ckpt_path", probes("elm"), "--format", "json")
    assert status == 1
    broken, empty = json.loads(out)
    assert broken["path"] == "new/broken.wav"
    assert "label" not in broken
    assert empty == {"path": "empty", "error": "the folder contains no audio (0 other files)"}


def test_several_checkpoints_are_named(untrained, probes, new):
    first, second = probes("elm"), probes("knn")
    for one, other in ((first, second), (first.parent, second.parent)):
        status, out, err = untrained("classify", "--ckpt_path", one, other, "new")
        assert (status, out) == (2, "")
        assert f"2 checkpoints are given, expected one: {one}, {other}. Give one with --ckpt_path" in err
    shutil.copy(second, new)  # in a folder, a checkpoint is skipped like any other file that is not audio
    _, out, _ = untrained("classify", "--ckpt_path", first, "new", "--format", "csv")
    assert "ckpt" not in out


def test_the_table(untrained, probes, new):
    status, out, _ = untrained("classify", "new/deeper", "new/deeper/low.ogg", "--ckpt_path", probes("svm"))
    assert status == 0
    assert out.count("low.ogg") == 1
    assert "Scores are uncalibrated (soft vote)" in out
    assert "Accuracy to expect: " in out
    assert "(val/accuracy, protocol holdout)" in out or "(cv/accuracy, protocol nested)" in out
    assert re.search(r"│ low +│ \S+ +│ (mid|high) \S+, (mid|high) \S+ │", out)


def test_lengths_are_reported_after_the_labels(untrained, probes, new, monkeypatch):
    soundfile.write(new / "short.wav", np.sin(np.arange(1200)), 12_000)
    classify = ["classify", "new/deeper", "new/short.wav", "--ckpt_path", probes("nearest_class"), "--format", "json"]
    status, out, err = untrained(*classify)
    assert (status, len(json.loads(out))) == (0, 2)
    assert err == (
        "untrained: 1 of 2 files are longer than 0.33 s: only the first 0.33 s are used; 1 of 2 are shorter and are "
        "repeated up to 3 times\n"
    )
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    assert untrained(*classify)[1] == out + err


def test_sounds_that_the_probe_was_fitted_to_are_named(untrained, probes, sounds):
    fitted = load_probe(probes("elm"))
    learned = [found for found in fitted.label([Labelled(str(p)) for p in sounds.rglob("*.*")]) if found.used_to_fit]
    assert len(learned) == len(fitted.recipe.fitted_to)
    _, out, err = untrained("classify", learned[0].path, "--ckpt_path", probes("elm"), "--format", "json")
    assert json.loads(out)[0]["used_to_fit"] is True
    assert 0 <= json.loads(out)[0]["expected_accuracy"]["value"] <= 1
    assert "the probe was fitted to 1 of these 1 sounds" in err


def test_a_list_from_standard_input(untrained, probes, new, monkeypatch):
    strange = b"new/\xff.wav"
    shutil.copy(new / "high, really.wav", os.fsdecode(os.fsencode(new.parent) + b"/" + strange))
    listed = b"new/deeper\r\n\nnew/high, really.wav\n" + strange + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", written)
    status, _, _ = untrained("classify", "-", "--ckpt_path", probes("elm"), "--format", "csv")
    written.seek(0)
    lines = written.buffer.read().splitlines()
    assert status == 0
    assert [line.split(b",")[0] for line in lines] == [b"path", b"new/deeper/low.ogg", b'"new/high', strange]


def test_invalid_options(untrained, probes, new, tmp_path):
    for arguments, message in (
        (["new"], "required: ckpt_path"),
        (["--ckpt_path", probes("elm")], "required: paths"),
        (["new", "--ckpt_path", "gone.ckpt"], "no checkpoint at gone.ckpt"),
        (["new", "--ckpt_path", probes("elm"), "--format", "xml"], "--format"),
        (["new", "--ckpt_path", probes("elm"), "--accelerator", "abacus"], "--accelerator abacus: "),
        (["new", "--ckpt_path", probes("elm"), "--batch_size", "0"], "batch_size=0; expected"),
        (
            ["new", "--ckpt_path", probes("elm"), "--trust", "a.B,c.D"],
            "--trust 'a.B,c.D' is not a type or module; expected",
        ),
    ):
        status, out, err = untrained("classify", *arguments)
        assert (status, out) == (2, "")
        assert message in err
