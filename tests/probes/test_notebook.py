"""Use of a run in a notebook: loading embeddings, and labelling new sounds."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import untrained as package
from untrained.errors import CheckpointError, UsageError
from untrained.probes.notebook import Embeddings


@pytest.fixture
def run(untrained, sounds, tmp_path):
    """Folder of a run that the command `fit` has made."""
    data = ["--data", "folder", "--data.root", sounds, "--data.n_samples", "8000"]
    model = ["--model.frontend", "sample_level", "--model.frontend.n_filters", "2", "--model.backend", "elm"]
    assert untrained("fit", *data, *model, "--model.layers", "[0, 6]")[0] == 0
    (found,) = (tmp_path / "runs").glob("*/*/*/seed0-*")
    return found


def test_embeddings_of_a_run(run, sounds):
    found = package.load_embeddings(run)
    assert found.X.shape == (36, 4)
    assert found.X.dtype == np.float32
    assert found.features == ["layer0.map0", "layer0.map1", "layer6.map0", "layer6.map1"]
    assert list(found.classes) == ["high", "low", "mid"]
    assert found.ids[0] == "high/high 00.wav"
    assert [found.classes[label] for label in found.y] == [clip.split("/")[0] for clip in found.ids]
    assert {split: found.splits.count(split) for split in set(found.splits)} == {
        "train": 24,
        "validation": 6,
        "test": 6,
    }
    assert set(found.folds) == {-1}
    assert set(found.groups) == {""}
    frontend = package.FRONTENDS.create("sample_level", n_filters=2)
    waveforms = package.RandomFeatures("sample_level", arguments={"n_filters": 2}, n_samples=8000)
    again = waveforms.fit_transform([sounds / clip for clip in found.ids])
    assert np.allclose(found.X, again[:, frontend.columns([0, 6])], atol=1e-4)


def test_embeddings_of_a_run_whose_root_is_the_current_folder(run, tmp_path):
    shutil.move(tmp_path / "runs" / "embeddings", tmp_path / "embeddings")
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("default_root_dir: runs", "default_root_dir: null"))
    assert len(package.load_embeddings(run).X) == 36


def test_embeddings_of_a_store_from_another_folder(untrained, sounds, tmp_path, monkeypatch):
    shutil.copytree(sounds, tmp_path / "here")
    asked = ["predict", "--data", "folder", "--data.root", "here", "--data.n_samples", "8000", "--data.folds", "3"]
    asked += ["--model.frontend", "mfcc"]
    assert untrained(*asked)[0] == 0
    (store,) = (path.parent for path in tmp_path.glob("runs/embeddings/*/manifest.json"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = package.load_embeddings(store)
    assert found.X.shape == (36, 120)
    assert set(found.folds) == {0, 1, 2}
    (store / "request.json").unlink()
    with pytest.raises(UsageError, match=r"cannot determine the data set of store .*; run `untrained predict` again"):
        package.load_embeddings(store)


def test_embeddings_as_a_frame(monkeypatch):
    about = {"splits": ["train", "test"], "folds": np.array([-1, -1]), "groups": ["", "g"], "features": ["f0", "f1"]}
    X = np.float32([[1, 2], [3, 4]])
    found = Embeddings(X=X, y=np.array([1, 0]), ids=["a", "b"], classes=["high", "low"], **about)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pandas", None)
        with pytest.raises(UsageError, match=r"to_frame needs pandas.*: pip install 'untrained\[pandas\]'"):
            found.to_frame()
    pytest.importorskip("pandas")
    frame = found.to_frame()
    assert list(frame.columns) == ["label", "split", "fold", "group", "f0", "f1"]
    assert frame.loc["b"].to_dict() == {"label": "high", "split": "test", "fold": -1, "group": "g", "f0": 3, "f1": 4}
    assert frame["f1"].dtype == np.float32


def test_a_probe_labels_files(run, sounds):
    probe = package.load_probe(run)
    assert repr(probe) == "FittedProbe(sample_level -> elm, 3 classes: high, low, mid; clips of 0.6667 s at 12000 Hz)"
    files = [sounds / "low" / "low 00.wav", sounds / "high" / "high 00.wav"]
    labels = probe.predict(files)
    assert set(labels) <= set(probe.classes) == {"high", "low", "mid"}
    assert probe.predict(files[::-1]) == labels[::-1]
    assert probe.predict([files[0], files[1], files[0]]) == [labels[0], labels[1], labels[0]]
    with pytest.raises(UsageError, match="expected a list of paths"):
        probe.predict(files[0])
    scores = probe.scores(files)
    assert [max(each, key=each.get) for each in scores] == labels
    assert package.load_probe(run / "probe.ckpt").predict(files) == labels
    with pytest.raises(UsageError, match=r"gone\.wav"):
        probe.predict(["gone.wav"])


def test_missing_or_changed_files_are_named(run, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"no config\.yaml in .*; pass a run folder"):
        package.load_embeddings(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        package.load_probe(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert len(package.load_embeddings(run).X) == 36
    assert Path.cwd() == elsewhere
    metrics = run / "metrics.json"
    recorded = metrics.read_text()
    metrics.write_text(recorded.replace(json.dumps(str(tmp_path)), json.dumps(str(tmp_path / "gone"))))
    with pytest.raises(UsageError, match=r"no embeddings at .*; call load_embeddings in the working folder of the run"):
        package.load_embeddings(run)
    assert list(elsewhere.iterdir()) == []
    metrics.write_text(recorded)
    monkeypatch.chdir(tmp_path)
    metrics.write_text(json.dumps({**json.loads(recorded), "n_clips": 35}))
    with pytest.raises(UsageError, match="has 36 clips, but the run had 35; run `untrained fit` again"):
        package.load_embeddings(run)
    metrics.write_text(recorded)
    (run / "config.yaml").write_text("[]")
    with pytest.raises(UsageError, match=r"config\.yaml cannot be used"):
        package.load_embeddings(run)
    assert json.loads((run / "metrics.json").read_text())["n_clips"] == 36


def test_a_trained_run_has_no_stored_embeddings(tmp_path):
    (tmp_path / "metrics.json").write_text('{"format": 2, "weights": "trained"}')
    with pytest.raises(UsageError, match=r"run of `untrained train`.* --model.weights .*frontend.safetensors"):
        package.load_embeddings(tmp_path)
