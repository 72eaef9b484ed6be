import json
import shutil

import pytest
from pytorch_lightning import Trainer

DATA = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000", "--data.clips_per_class", "5"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*TEMPORAL], "no data set given; use --data folder"),
        ([*DATA], "no frontend was given: add --model.frontend, one of"),
        ([*DATA, "--model.frontend", "mfcc"], "'mfcc' has no random weights, so there is nothing to train"),
        ([*DATA, *TEMPORAL, "--model.learning_rate", "0"], "learning_rate=0.0; expected a number above 0"),
        ([*DATA, *TEMPORAL, "--model.learning_rate", "[]"], "learning_rate=[]; expected a number above 0"),
        ([*DATA, *TEMPORAL, "--model.head", "deep"], "--model.head"),
        ([*DATA, *TEMPORAL, "--trainer.max_steps", "0"], "--trainer.max_steps 0: nothing would be trained"),
        ([*DATA, *TEMPORAL, "--trainer.devices", "50", "--trainer.accelerator", "cpu"], "40 clips cannot be shared by"),
        ([*DATA, *TEMPORAL, "--data.batch_size", "1"], "--data.batch_size 1: BatchNorm needs 2 clips or more"),
        ([*DATA, *TEMPORAL, "--ckpt_path", "absent.ckpt"], "no checkpoint at absent.ckpt"),
        ([*DATA, "--data.folds", "1", *TEMPORAL], "folds=1; expected 2 or more"),
    ],
)
def test_mistakes_are_refused_by_one_message(untrained, words, message):
    status, _, err = untrained("train", *words)
    assert status == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_split_without_validation_is_refused(untrained, tmp_path, sounds):
    lines = ["path,label,split"]
    for label in ("high", "low"):
        lines += [f"{label}/{label} 0{n}.wav,{label},{'test' if n else 'train'}" for n in (0, 4)]
    (tmp_path / "clips.csv").write_text("\n".join(lines))
    data = [
        "--data",
        "manifest",
        "--data.path",
        tmp_path / "clips.csv",
        "--data.root",
        sounds,
        "--data.n_samples",
        "4000",
    ]
    status, _, err = untrained("train", *data, *TEMPORAL)
    assert status == 2
    assert "train needs a validation split to select the checkpoint" in err
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def copied(trained, tmp_path):
    folder = tmp_path / "runs" / trained.name
    shutil.copytree(trained, folder)
    return folder


def test_test_and_classify_read_a_trained_probe(untrained, copied, sounds):
    before = json.loads((copied / "metrics.json").read_text())
    data = [*DATA[:-1], "6"]
    status, out, err = untrained("test", *data, "--ckpt_path", copied / "probe.ckpt")
    assert status == 0, err
    after = json.loads((copied / "metrics.json").read_text())
    assert after["test/accuracy"] == before["test/accuracy"]
    assert (copied / "predictions-test.csv").read_text().count("\n") == 9
    status, out, _ = untrained("classify", "--ckpt_path", copied, sounds / "low" / "low 00.wav")
    assert status == 0
    assert "(test/accuracy, protocol holdout)" in out


@pytest.mark.parametrize(
    ("name", "kind"),
    [("last.ckpt", "Lightning's checkpoint, from which train resumes"), ("frontend.safetensors", "a weights file")],
)
def test_the_other_files_are_refused_by_name(untrained, copied, sounds, name, kind):
    for command, rest in (("classify", [sounds / "low" / "low 00.wav"]), ("test", DATA)):
        status, _, err = untrained(command, *rest, "--ckpt_path", copied / name)
        assert status == 2
        assert f"{name} is {kind}" in err
        assert "pass the probe.ckpt next to it" in err


def test_a_run_is_listed(untrained, copied):
    status, out, _ = untrained("list", "runs", copied.parent)
    assert status == 0
    assert "trained-linear" in out
    assert "val " in out


def test_epochs_early_stopping_and_no_logger(untrained, tmp_path):
    words = [*DATA, *TEMPORAL, "--trainer.max_epochs", "3", "--trainer.logger", "false", "--model.head", "last"]
    stop = "{class_path: EarlyStopping, init_args: {monitor: val/loss, patience: 1, min_delta: 100}}"
    status, _, err = untrained("train", *words, "--trainer.callbacks", f"[{stop}]")
    assert status == 0, err
    (path,) = tmp_path.rglob("metrics.json")
    assert not list(path.parent.glob("events*"))
    assert json.loads(path.read_text())["layers"] == "last"


def test_all_processes_end_if_the_run_is_complete(untrained, trained, monkeypatch):
    words = ["--config", trained / "config.yaml", "--trainer.default_root_dir", trained.parents[3]]
    for is_first in (True, False):
        monkeypatch.setattr(Trainer, "is_global_zero", is_first)
        status, out, err = untrained("train", *words)
        assert status == 0, err
        assert ("run is already complete" in out) is is_first


def test_a_complete_run_is_not_resumed(untrained, trained):
    words = ["--config", trained / "config.yaml", "--trainer.default_root_dir", trained.parents[3], "--force"]
    status, _, err = untrained("train", *words, "--ckpt_path", trained / "last.ckpt")
    assert status == 2
    assert "run is already complete; to repeat it, pass --force without --ckpt_path" in err


@pytest.mark.slow
def test_two_processes_train_one_network(start, tmp_path):
    devices = ["--trainer.accelerator", "cpu", "--trainer.devices", "2", "--trainer.strategy", "ddp"]
    words = [*DATA, *TEMPORAL, "--trainer.max_steps", "3", "--data.batch_size", "9", *devices]  # 24 train, 8 validation
    process = start("train", *words)
    done = process.end()
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.rglob("metrics.json")
    metrics = json.loads(path.read_text())
    assert metrics["key"]["training"]["devices"] == 2
    assert metrics["n_train_clips"] == 24
    assert done.stdout.count("val/accuracy") == 1  # the first process alone speaks
