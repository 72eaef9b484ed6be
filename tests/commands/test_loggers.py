"""Loggers and callbacks of the user, with every command that runs a loop."""

import csv
import importlib
import sys

import pytest
import yaml

MINE = '''
from pytorch_lightning import Callback
from pytorch_lightning.loggers import Logger

SEEN = []

class Pictures(Logger):
    """Logger that takes images like that of Weights & Biases."""

    name = version = "mine"

    def log_hyperparams(self, params):
        SEEN.append(("hyper-parameters", params["frontend"]))

    def log_metrics(self, metrics, step=None):
        SEEN.extend(("score", name) for name in metrics if name.endswith("/accuracy"))

    def log_image(self, key, images):
        SEEN.append(("image", key, images[0].shape[2], images[0].dtype.name))

class Loops(Callback):
    def on_predict_end(self, trainer, module):
        SEEN.append("predict")

    def on_train_end(self, trainer, module):
        SEEN.append("fit")

    def on_test_end(self, trainer, module):
        SEEN.append("test")
'''
DATA = ["--data", "synthetic", "--data.clips_per_class", 6, "--data.n_samples", 8000]
MODEL = ["--model.frontend", "temporal", "--model.frontend.n_filters", 4, "--model.backend", "nearest_class"]
CSV = {"class_path": "CSVLogger", "init_args": {"save_dir": "tables"}}


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Calls of the loggers and callbacks in a module of the user, in order."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return importlib.import_module("mine").SEEN


def written(name, **trainer):
    with open(name, "w") as file:
        yaml.safe_dump({"trainer": trainer}, file)
    return ["--config", name]


def table(version):
    with open(f"tables/lightning_logs/version_{version}/metrics.csv", newline="") as file:
        return {name: value for row in csv.DictReader(file) for name, value in row.items() if value}


def test_named_loggers_and_callbacks_are_used(untrained, seen, tmp_path):
    named = written("mine.yaml", logger=[CSV, {"class_path": "mine.Pictures"}], callbacks={"class_path": "mine.Loops"})
    assert untrained("fit", *named, *DATA, *MODEL)[0] == 0
    (run,) = tmp_path.glob("runs/*/*/*/*/metrics.json")
    scores = yaml.safe_load(run.read_text())
    assert float(table(0)["val/accuracy"]) == pytest.approx(scores["val/accuracy"])
    assert float(table(0)["extraction/n_clips"]) == 48
    logged = yaml.safe_load((tmp_path / "tables/lightning_logs/version_0/hparams.yaml").read_text())
    assert (logged["frontend"], logged["backend"], logged["seed"]) == ("temporal-n_filters=4", "nearest_class", 0)
    assert not list(tmp_path.glob("runs/**/events.*"))
    assert yaml.safe_load(run.with_name("config.yaml").read_text())["trainer"]["logger"][0]["class_path"].endswith(
        "CSVLogger"
    )
    assert [what for what in seen if isinstance(what, str)] == ["predict", "fit"]
    assert ("hyper-parameters", "temporal-n_filters=4") in seen
    assert {("image", "confusion/val", 4, "uint8"), ("image", "random filters", 4, "uint8")} <= set(seen)

    seen.clear()
    assert untrained("test", *named, *DATA, "--ckpt_path", run.with_name("probe.ckpt"))[0] == 0
    assert "test/accuracy" in table(1)
    assert "test" in seen
    assert ("image", "confusion/test", 4, "uint8") in seen
    assert not list(tmp_path.glob("runs/**/events.*"))

    assert untrained("predict", *named, *DATA, *MODEL[:4], "--force")[0] == 0
    assert float(table(2)["extraction/n_clips"]) == 48


def test_without_a_logger_no_events_are_written(untrained, tmp_path):
    assert untrained("fit", *DATA, *MODEL)[0] == 0
    assert len(list(tmp_path.glob("runs/**/events.*"))) == 1
    assert untrained("fit", *DATA, *MODEL, "--trainer.logger", "false")[0] == 0
    assert not list(tmp_path.glob("runs/**/events.*"))


def test_each_run_of_a_study_has_its_own_loggers(untrained, seen, tmp_path, little):
    (tmp_path / "study.yaml").write_text(little)
    named = written("mine.yaml", logger=[CSV, {"class_path": "mine.Pictures"}], callbacks={"class_path": "mine.Loops"})
    status, out, _ = untrained("compare", "study.yaml", *named)
    assert status == 0
    assert [what for what in seen if isinstance(what, str)] == ["predict", "predict", "fit", "fit"]
    assert [what[1] for what in seen if what[0] == "hyper-parameters"] == ["temporal-n_filters=4", "mfcc"]
    assert "cv/accuracy" in table(0)
    assert "cv/accuracy" in table(1)
    assert not list(tmp_path.glob("runs/**/events.*"))
    assert "tensorboard" not in out


@pytest.mark.parametrize("command", [["predict"], ["fit"], ["test", "--ckpt_path", "gone"], ["compare"]])
def test_options_without_effect_are_refused_on_every_command(untrained, command):
    data = DATA if command != ["compare"] else []
    status, out, err = untrained(*command, *data, "--trainer.max_epochs", 7, "--trainer.fast_dev_run", "true")
    assert (status, out) == (2, "")
    assert "--trainer.fast_dev_run True has no effect" in err
    assert "--trainer.max_epochs 7 has no effect" in err
