import contextlib
import csv
import io
import json
import shutil
import sys

import pytest
from forked import preloaded
from untrained.cli import main
from untrained.frontends.musical import Temporal
from untrained.frontends.trained import read_description
from untrained.probes.record import read_metrics
from untrained.training import pool
from untrained.training.module import EndToEnd

DATA = "{class_path: synthetic, init_args: {task: events, clips_per_class: 5, n_samples: 4000}}"
STUDY = f"""
name: small
datamodules: [{DATA}]
frontends:
  - {{class_path: temporal, init_args: {{n_filters: 4}}}}
  - class_path: hear
    init_args: {{module: pretrained_model}}
    optional: true
  - class_path: hear
    init_args: {{module: not_installed_anywhere}}
    optional: true
controls: [mfcc]
backends: [nearest_class]
model: {{weights: [random, linear, trained]}}
training: {{max_steps: 4, batch_size: 16, learning_rate: [0.01, 0.001]}}
"""


PRETRAINED = """
import torch


class Pretrained(torch.nn.Module):
    sample_rate, scene_embedding_size = 12_000, 3

    def forward(self, audio):
        return torch.stack([audio.mean(1), audio.std(1), audio.abs().amax(1)], 1)


def load_model():
    return Pretrained()


def get_scene_embeddings(audio, model):
    return model(audio)
"""


@pytest.fixture(scope="module", autouse=True)
def pretrained(tmp_path_factory):
    """An installed module with HEAR's common API."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "pretrained_model.py").write_text(PRETRAINED)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("pretrained_model", None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, pretrained):
    """Folder of a finished study of random and trained weights, and what it printed; tests change copies of it."""
    root = tmp_path_factory.mktemp("arms")
    (root / "study.yaml").write_text(STUDY)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["compare", str(root / "study.yaml"), "--trainer.default_root_dir", str(root / "runs")]) == 0
    return root, out.getvalue(), err.getvalue()


@pytest.fixture
def again(finished, tmp_path, untrained):
    """Function that runs the finished study again, in a copy of its folder."""
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return lambda *options: untrained("compare", "study.yaml", *options)


def rows(folder):
    with (folder / "runs/small/results.csv").open(newline="") as file:
        return {(row["frontend"], row["backend"]): row for row in csv.DictReader(file)}


TEMPORAL, HEAR = "temporal-n_filters=4", "hear-module=pretrained_model"


def test_random_linear_and_trained_weights_are_runs_of_one_study(finished):
    root, out, err = finished
    found = rows(root)
    kinds = ("nearest_class", "frozen-linear", "trained-linear")
    assert set(found) == {
        *((TEMPORAL, kind) for kind in kinds),
        *((name, kind) for name in (HEAR, "mfcc") for kind in kinds[:2]),
    }
    assert {row["weights"] for row in found.values()} == {"random", "linear", "trained"}
    assert "skipped in this study: weights 'trained': frontend 'mfcc' has no random weights" in err
    assert "frontends[2]: module='not_installed_anywhere' cannot be imported" in err
    assert "trained minus random, nearest_class, in points (* significant):" in out
    metrics = read_metrics(root / "runs/small" / found[TEMPORAL, "trained-linear"]["run"])
    assert metrics["clip_passes"] == 2 * 3 * 4 * 16 + 40  # two learning rates


def test_the_report_shows_what_training_adds_and_costs(finished):
    folder = finished[0] / "runs/small"
    text = (folder / "report.md").read_text()
    section = text.partition("## Random and trained weights")[2].partition("## ")[0]
    found = rows(finished[0])
    scores = [float(found[TEMPORAL, kind]["accuracy"]) for kind in ("nearest_class", "frozen-linear", "trained-linear")]
    (line,) = [line for line in section.splitlines() if f"| {TEMPORAL} |" in line and " s)" not in line][:1]
    cells = [cell.strip(" *") for cell in line.split("|")[3:-1]]
    assert cells[:3] == [f"{100 * score:.1f}" for score in scores]
    added = [f"{100 * (scores[2] - other):+.1f}".replace("-0.0", "+0.0") for other in scores[:2]]
    assert cells[3:] == added
    assert "multiply-adds" in section
    assert (folder / "weights.png").stat().st_size > 1000
    page = (folder / "report.html").read_text()
    assert "Random and trained weights" in page
    assert "What training adds" in page
    assert "does not test" not in page  # the report tests what training changes


def test_the_axis_of_weights_is_tested_like_any_other(finished):
    with (finished[0] / "runs/small/comparisons.csv").open(newline="") as file:
        pairs = {(row["a"], row["b"]) for row in csv.DictReader(file) if row["family"] == "weights"}
    assert pairs == {
        ("trained", "random, nearest_class"),
        ("trained", "linear"),
        ("linear", "random, nearest_class"),
    }


def test_a_finished_study_is_not_trained_again(again):
    status, _, err = again()
    assert status == 0
    assert "7 of 7 runs are done already" in err
    assert "[1/" not in err


def test_a_training_of_a_study_is_that_of_the_command(again, untrained, tmp_path):
    run = tmp_path / "runs/small" / rows(tmp_path)[TEMPORAL, "trained-linear"]["run"]
    assert untrained("train", "--config", run / "config.yaml", "--trainer.default_root_dir", "other")[0] == 0
    (other,) = (tmp_path / "other").rglob("metrics.json")
    ours, theirs = read_metrics(run), read_metrics(other.parent)
    assert ours["key"]["training"] == theirs["key"]["training"]
    config = (run / "config.yaml").read_text()
    assert "init: he_truncated" in config
    assert "pooling: mean" in config
    assert ours["test/accuracy"] == theirs["test/accuracy"]


def test_a_dry_run_estimates_the_time_of_training(again, tmp_path):
    shutil.rmtree(tmp_path / "runs/small" / rows(tmp_path)[TEMPORAL, "trained-linear"]["run"])
    _, out, _ = again("--dry_run")
    assert f"{TEMPORAL}/trained-linear/seed0: to do, to be trained" in out
    assert "7 runs: 6 done, 1 to do" in out
    assert ", training " in out


def test_a_training_that_fails_is_listed_and_the_others_go_on(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    options = ["--training.learning_rate", "1e25", "--training.warmup", "0.0", "--frontends", "[mfcc, vgg]"]
    small = ["--vary.frontends.n_filters", "[2]", "--training.max_steps", "2", "--model.weights", "[linear, trained]"]
    status, _, err = untrained("compare", "study.yaml", *options, *small)
    assert status == 1
    assert "diverged" in err
    assert "runs failed; run the same command to try them again" in err
    failed = json.loads((tmp_path / "runs/small/results.jsonl").read_text().splitlines()[-1])
    assert "Lower 'learning_rate'" in failed["error"] or "learning_rate" in failed["error"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("training.learning_rate", "0", "training: learning_rate=0"),
        ("training.head", "deep", "deep"),
        ("training.max_steps", "0", "training.max_steps: 0; expected 1 or more"),
        ("training.batch_size", "1", "training.batch_size: 1; expected 2 or more"),
        ("training.precision", "7-bit", "training.precision: "),
        ("training.jobs", "0", "training.jobs: 0; expected 1 or more"),
        ("model.weights", "[tained]", "tained"),
        ("model.weights", "[trained] --frontends [mfcc] --controls []", "no random weights"),
    ],
)
def test_an_odd_recipe_is_refused_before_anything_is_read(untrained, tmp_path, option, value, message):
    (tmp_path / "study.yaml").write_text(STUDY)
    words = f"--{option} {value}".split(" --")
    words = [part for word in words for part in f"--{word.removeprefix('--')}".split(" ", 1)]
    status, _, err = untrained("compare", "study.yaml", *words)
    assert status == 2
    assert message in err


def test_trainings_in_processes_of_their_own_have_the_same_results(again, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "get_context", lambda name: preloaded())  # whose processes start sooner
    before = {key: row["accuracy"] for key, row in rows(tmp_path).items()}
    weights = {}
    for key, row in rows(tmp_path).items():
        run = tmp_path / "runs/small" / row["run"]
        if key in ((TEMPORAL, "trained-linear"), (HEAR, "frozen-linear")):
            weights[key] = (run / "frontend.safetensors").read_bytes()
            shutil.rmtree(run)
    status, _, _ = again("--training.jobs", "2")
    assert status == 0
    found = rows(tmp_path)
    assert {key: row["accuracy"] for key, row in found.items()} == before
    for key, content in weights.items():
        path = tmp_path / "runs/small" / found[key]["run"] / "frontend.safetensors"
        assert path.read_bytes() == content, key
        assert read_description(path)["frontend"]


def test_the_names_of_the_values_are_those_of_the_modules():
    frontend = Temporal(n_filters=4)
    assert [EndToEnd(frontend, head_only=only).weights for only in (True, False)] == ["linear", "trained"]
