import json
import os
import re
import shutil

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from untrained.cli import main

SMALL = ["--data.n_samples", "8000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


def folder(sounds, *more):
    return ["--data", "folder", "--data.root", sounds, *SMALL, *more]


def only(root, pattern):
    (found,) = root.glob(pattern)
    return found


def test_predict_fit_test_on_a_folder(untrained, sounds, tmp_path):
    data = ["--data", "AudioFolder", "--data.root", sounds, *SMALL]
    status, out, _ = untrained("predict", *data, *TEMPORAL)
    assert status == 0
    assert "36 of 36 clips computed" in out
    assert "hours of audio per hour (time summed over processes, in s: decoding" in out
    status, out, _ = untrained("fit", *data, *TEMPORAL, "--model.backend", "elm")
    assert status == 0
    assert "All 36 clips present" in out
    assert re.search(r"^val/accuracy .* \(holdout; n_hidden=\d+\) in ", out, re.MULTILINE)
    checkpoint = only(tmp_path, "runs/*/temporal-n_filters=4/elm/seed0-*/probe.ckpt")
    assert str(checkpoint.parent.relative_to(tmp_path)) in out.replace("\n", "")

    run = checkpoint.parent
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["protocol"] == "holdout"
    assert metrics["selected_on_test"] is False
    assert metrics["best_candidate"]["n_hidden"] in (100, 250, 500, 1200, 1800, 2500)
    assert "test/accuracy" not in metrics

    status, out, _ = untrained("test", *data, "--ckpt_path", checkpoint)
    assert status == 0
    tested = json.loads((run / "metrics.json").read_text())
    assert tested["val/accuracy"] == metrics["val/accuracy"]
    assert f"test/accuracy {100 * tested['test/accuracy']:.2f} %" in out

    events = EventAccumulator(str(run), size_guidance={"tensors": 0, "scalars": 0}).Reload()
    (test_score,) = events.Scalars("test/accuracy")
    assert test_score.value == pytest.approx(tested["test/accuracy"])
    assert events.Scalars("val/accuracy")[0].value == pytest.approx(metrics["val/accuracy"])
    (candidates,) = events.Tensors("candidates/text_summary")
    rows = candidates.tensor_proto.string_val[0].decode().splitlines()[2:]
    assert len(rows) == 6
    assert rows == sorted(rows, key=lambda row: -float(row.split("|")[2]))
    (chosen,) = [row for row in rows if row.endswith("chosen |")]
    assert chosen.startswith(f"| n_hidden={metrics['best_candidate']['n_hidden']} |")
    extraction = metrics["extraction"]  # from predict, because fit had nothing to compute
    assert extraction["n_clips"] == 36
    work = sum(extraction[f"seconds_{part}"] for part in ("decoding", "representation", "network", "writing"))
    assert 0.3 * extraction["seconds_wall"] < work < 1.1 * extraction["seconds_wall"]
    assert extraction["clips_per_second"] == pytest.approx(36 / extraction["seconds_wall"], rel=0.01)
    assert events.Scalars("extraction/seconds_network")[0].value == pytest.approx(extraction["seconds_network"])
    assert {"confusion/val", "confusion/test"} <= set(events.Tags()["images"])
    assert {"report/val/text_summary", "report/test/text_summary"} <= set(events.Tags()["tensors"])
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    assert hparams["frontend"].string_value == "temporal-n_filters=4"
    assert hparams["candidate"].string_value == f"n_hidden={metrics['best_candidate']['n_hidden']}"
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    declared = HParamsPluginData.FromString(content).experiment.metric_infos
    assert {info.name.tag for info in declared} == {"val/accuracy", "cv/accuracy", "test/accuracy"}
    header, *lines = only(run, "*/default/metadata.tsv").read_text().splitlines()
    assert header == "label\tclip"
    assert "high\thigh/high 00.wav" in lines
    assert {line.split("\t")[0] for line in lines} == {"high", "low", "mid"}
    assert "random filters" in events.Tags()["images"]


@pytest.mark.slow
def test_saved_config_repeats_the_run_in_a_fresh_process(untrained, start, sounds, tmp_path):
    assert untrained("fit", *folder(sounds, "--data.folds", 3), *TEMPORAL, "--model.backend", "elm")[0] == 0
    metrics = only(tmp_path, "runs/**/metrics.json")
    first = json.loads(metrics.read_text())
    config = metrics.with_name("config.yaml")
    assert yaml.safe_load(config.read_text())["model"]["frontend"]["class_path"] == "untrained.frontends.names.temporal"
    shutil.copy(config, tmp_path / "again.yaml")
    assert start("fit", "--config", "again.yaml").end().returncode == 0
    again = json.loads(only(tmp_path, "runs/**/metrics.json").read_text())
    assert again["cv/accuracy"] == first["cv/accuracy"]
    assert again["fold_scores"] == first["fold_scores"]
    assert len(list(metrics.parent.glob("events.*"))) == 1  # a repeated run replaces its logs


def test_config_with_relative_interpolation_follows_overrides(untrained, tmp_path):
    (tmp_path / "c.yaml").write_text(
        "data: {class_path: synthetic, init_args: {task: events, clips_per_class: 3, n_samples: 8000}}\n"
        "model: {frontend: {class_path: temporal}}\n"
        "trainer: {default_root_dir: 'runs-of-${..data.init_args.task}'}\n"
    )
    status, _, _ = untrained("predict", "--config", "c.yaml", "--data.task", "timbre")
    assert status == 0
    assert (tmp_path / "runs-of-timbre").is_dir()
    (tmp_path / "bad.yaml").write_text("trainer: {default_root_dir: 'runs-${nowhere}'}\n")
    status, _, err = untrained("predict", "--config", "bad.yaml", "--data", "synthetic")
    assert status == 2
    assert "relatively" in err or "nowhere" in err


@pytest.mark.slow
def test_print_config_can_be_read_back(start):
    printed = start("predict", "--data", "synthetic", "--model.frontend", "vgg", "--print_config").end()
    assert yaml.safe_load(printed.stdout)["data"]["init_args"]["clips_per_class"] == 20


def test_skipped_files_are_listed_in_the_summary(untrained, sounds, tmp_path):
    root = tmp_path / "sounds"
    shutil.copytree(sounds, root)
    (root / "low" / "broken.wav").write_bytes(b"RIFF")
    command = ["fit", *folder(root), *TEMPORAL, "--model.backend", "svm"]
    status, out, err = untrained(*command)
    assert status == 1
    assert "low/broken.wav" in err
    assert "--data.on_error skip" in err
    status, out, _ = untrained(*command, "--data.on_error", "skip")
    assert status == 0
    assert "1 clips could not be read, listed in runs/embeddings/" in out.replace("\n", "")
    assert json.loads(only(tmp_path, "runs/**/metrics.json").read_text())["n_failed"] == 1


def test_a_folder_that_cannot_be_written(untrained, sounds, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, _, err = untrained("predict", *folder(sounds), *TEMPORAL, "--trainer.default_root_dir", tmp_path / "file")
    assert status == 1
    assert str(tmp_path / "file") in err


@pytest.fixture(scope="module")
def runs(sounds, tmp_path_factory):
    """Folder of a fit, which tests copy."""
    root = tmp_path_factory.mktemp("fitted")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(root)
        assert main(["fit", *map(str, folder(sounds)), *TEMPORAL, "--model.backend", "elm"]) == 0
    return root / "runs"


@pytest.fixture
def fitted(untrained, runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    return only(tmp_path, "runs/**/probe.ckpt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model.frontend", "mfcc"], "has --model.frontend='temporal', but the command line has 'mfcc'"),
        (
            ["--model.frontend", "temporal", "--model.frontend.n_filters", "8"],
            "has --model.frontend.n_filters=4, but the command line has 8; leave out",
        ),
        (["--model.pooling", "max"], "has --model.pooling='mean', but the command line has 'max'; leave it out"),
        (
            ["--model.standardize", "none"],
            "has --model.standardize='zscore', but the command line has 'none'; leave it out",
        ),
        (["--model.layers", "[0]"], "has --model.layers='all', but the command line has [0]; leave it out"),
        (
            ["--data.n_samples", "9000"],
            "has --data.n_samples=8000, but the command line has 9000; add --data.n_samples 8000",
        ),
        (["--data.fit_length", "zero"], "has --data.fit_length='repeat'"),
        (["--data.folds", "3"], "has no test split: fit has already reported cv/accuracy"),
        (["--model.backend", "svm"], "error: --model.backend does not match checkpoint "),
        (["--data.seed", "1"], "of the 6 clips of this test split ("),
    ],
)
def test_options_that_contradict_the_checkpoint(untrained, fitted, sounds, arguments, message):
    status, _, err = untrained("test", *folder(sounds), "--ckpt_path", fitted, *arguments)
    assert status == 2
    assert message in err


def test_probe_of_a_cross_validation_is_not_scored_on_what_it_learned(untrained, sounds, tmp_path):
    assert untrained("fit", *folder(sounds, "--data.folds", 3), *TEMPORAL, "--model.backend", "elm")[0] == 0
    status, out, err = untrained("test", *folder(sounds), "--ckpt_path", only(tmp_path, "runs/**/probe.ckpt"))
    assert status == 2
    assert "was fitted to 6 of the 6 clips" in err
    assert "accuracy" not in out


def test_the_latest_of_several_runs(untrained, fitted, sounds):
    latest, runs = fitted.parents[1] / "latest", fitted.parents[1]
    folds = ["--data.folds", 3]
    for more, expected in ((folds, "nested"), ([], "holdout")):  # the second run is already finished
        assert untrained("fit", *folder(sounds, *more), *TEMPORAL, "--model.backend", "elm")[0] == 0
        assert json.loads((runs / latest.read_text().strip() / "metrics.json").read_text())["protocol"] == expected
    every = sorted(runs.glob("*/probe.ckpt"))
    assert len(every) == 2
    status, _, err = untrained("test", *folder(sounds), "--ckpt_path", *every)
    assert status == 2
    assert f"2 checkpoints are given, expected one: {every[0]}, {every[1]}. Give one" in err
    for path in (latest, fitted.parent):
        status, out, _ = untrained("test", *folder(sounds), "--ckpt_path", path)
        assert status == 0
        assert f"-> {fitted.parent}" in out.replace("\n", "")
    latest.write_text("gone")
    status, _, err = untrained("test", *folder(sounds), "--ckpt_path", latest)
    assert status == 2
    assert "latest names the run 'gone', which does not exist in the same folder" in err


def test_options_of_the_frontend(untrained, sounds, tmp_path):
    chosen = ["--model.init", "orthogonal", "--model.pooling", "mean_std", "--model.layers", "[2, 0]"]
    chosen += ["--model.tf32", "true"]
    sample_level = ["--model.frontend.n_filters", "2", "--model.frontend", "sample_level"]  # in any order
    status, out, _ = untrained("fit", *folder(sounds), *sample_level, *chosen, "--model.backend", "elm")
    assert status == 0
    label = "sample_level-n_filters=2-init=orthogonal-layers=2,0-pooling=mean_std-tf32=True"
    checkpoint = only(tmp_path, f"runs/*/{label}/elm/*/probe.ckpt")
    manifest = json.loads(only(tmp_path, "runs/embeddings/*/manifest.json").read_text())
    assert (manifest["init"], manifest["pooling"], manifest["embedding_size"]) == ("orthogonal", "mean_std", 28)
    assert manifest["precision"] == "32-true+tf32"
    metrics = json.loads((checkpoint.parent / "metrics.json").read_text())
    assert (metrics["layers"], metrics["tf32"]) == ("2,0", True)
    status, out, _ = untrained("test", *folder(sounds), "--ckpt_path", checkpoint)
    assert status == 0
    assert "nothing to do" in out
    status, _, err = untrained("test", *folder(sounds), "--ckpt_path", checkpoint, "--model.pooling", "mean")
    assert status == 2
    assert "has --model.pooling='mean_std', but the command line has 'mean'" in err  # the default, but given explicitly


def test_arguments_of_a_backend_are_kept(untrained, sounds, tmp_path):
    more = ["--model.backend", "svm", "--model.backend.kernel", "rbf", "--model.backend.C", 1]
    assert untrained("fit", *folder(sounds), *TEMPORAL, *more)[0] == 0
    metrics = json.loads(only(tmp_path, "runs/*/*/svm-C=1.0-kernel=rbf/*/metrics.json").read_text())
    assert metrics["best_candidate"].items() >= {"C": 1.0, "kernel": "rbf"}.items()
    config = yaml.safe_load(only(tmp_path, "runs/*/*/*/*/config.yaml").read_text())
    arguments = config["model"]["backend"]["init_args"]
    assert (arguments["kernel"], arguments["C"], arguments["gamma"]) == ("rbf", 1.0, "search")
    status, _, err = untrained("fit", *folder(sounds), *TEMPORAL, "--model.backend", "elm", "--model.backend.seed", -1)
    assert status == 2
    assert "ELMClassifier cannot be fitted: seed=-1" in err


@pytest.mark.draws
def test_names_that_tools_would_interpret(untrained, sounds, tmp_path):
    root = tmp_path / "my [old] so[b]unds"
    for label in ("high", "low"):
        shutil.copytree(sounds / label, root / f"${label}_$")
    status, out, _ = untrained("fit", *folder(root), *TEMPORAL, "--model.backend", "elm")
    assert status == 0
    assert "my [old] so[b]unds" in out
    os.rename(os.fsencode(root / "$low_$" / "low 00.wav"), os.fsencode(root / "$low_$") + b"/caf\xe9.wav")
    status, out, _ = untrained("predict", *folder(root), *TEMPORAL)
    assert status == 0
    assert "note: 1 clips were renamed or copied" in out


def test_checkpoint_of_other_classes(untrained, fitted):
    data = ["--data", "synthetic", "--data.clips_per_class", "3", *SMALL]
    status, _, err = untrained("test", *data, "--ckpt_path", fitted)
    assert status == 2
    assert "classes that the probe was not fitted to: chacha, five" in err
    assert "it knows high, low, mid" in err


@pytest.mark.slow
def test_help_of_a_plug_in(start):
    printed = start("predict", "--model.frontend.help", "vgg", COLUMNS="100").end()
    assert "--model.frontend.n_filters" in printed.stdout
    assert "Choi et al. 2016" in printed.stdout
