"""What a study says in the end: numbers against their definitions, files, and TensorBoard read back."""

import csv
import json
import re
import shutil
from statistics import mean, stdev

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from untrained import FRONTENDS
from untrained.cli import main
from untrained.frontends import Frontend
from untrained.probes.figures import filters_figure
from untrained.probes.metrics import bootstrap, interval
from untrained.probes.record import Predictions, read_predictions, write_predictions
from untrained.probes.run import frontend_label
from untrained.studies.analysis import analyse
from untrained.studies.figures import pareto_front
from untrained.studies.published import _ROWS
from untrained.studies.report import differences_in_short, markdown
from untrained.studies.results import Failure, Result, read
from untrained.studies.significance import corrected_t_test, holm

STUDY = """
name: small
datamodules:
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}
  - {class_path: synthetic, init_args: {task: timbre, clips_per_class: 5, n_samples: 8000}}
frontends:
  - {class_path: temporal, init_args: {n_filters: 4}}
  - {class_path: sample_level, init_args: {n_filters: 2}}
  - mfcc
backends: [nearest_class]
seeds: [0, 1]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Folder of a study of folds and of a test split."""
    root = tmp_path_factory.mktemp("study")
    (root / "study.yaml").write_text(STUDY)
    assert main(["compare", str(root / "study.yaml"), "--trainer.default_root_dir", str(root / "runs")]) == 0
    return root / "runs" / "small"


@pytest.fixture(scope="module")
def analysis(study):
    return analyse(read(study)[0], study)


def test_two_spreads(study, analysis):
    results, failures = read(study)
    assert not failures
    key = ("synthetic-events", "temporal-n_filters=4", "nearest_class")
    cell = analysis.cells[key]
    runs = [result for result in results if (result.dataset, result.frontend, result.backend) == key]
    accuracies = [run.accuracy for run in runs]
    assert len(accuracies) == 2
    assert cell.accuracy == pytest.approx(mean(accuracies))
    assert cell.deviation == pytest.approx(stdev(accuracies))
    seeds = [read_predictions(study / run.run / "predictions-cv.csv") for run in runs]
    right = [[a == b for a, b in zip(p.labels, p.given, strict=True)] for p in seeds]
    assert seeds[0].ids == seeds[1].ids
    for run, fold_scores in zip(runs, right, strict=True):
        folds = np.array(seeds[0].folds)
        by_fold = [np.mean(np.array(fold_scores)[folds == fold]) for fold in sorted(set(folds))]
        assert run.accuracy == pytest.approx(np.mean(by_fold))
    low, high = interval(bootstrap(np.mean(right, axis=0)[:, None], seeds[0].folds, seeds[0].ids))
    assert (cell.low, cell.high) == pytest.approx((low[0], high[0]), abs=0.01)
    mfcc = analysis.cells["synthetic-timbre", "mfcc", "nearest_class"]
    assert len(mfcc.runs) == 1
    assert mfcc.deviation is None


def test_differences_over_folds(study, analysis):
    found = [c for c in analysis.comparisons if c.dataset == "synthetic-events"]
    assert [(c.a, c.b) for c in found] == [
        ("temporal-n_filters=4", "sample_level-n_filters=2"),
        ("temporal-n_filters=4", "mfcc"),
        ("sample_level-n_filters=2", "mfcc"),
    ]
    by_fold = {}
    for name in ("temporal-n_filters=4", "mfcc"):
        runs = analysis.cells["synthetic-events", name, "nearest_class"].runs
        scores = []
        for run in runs:
            predictions = read_predictions(study / run.run / "predictions-cv.csv")
            right = np.array(predictions.labels) == np.array(predictions.given)
            scores.append([right[np.array(predictions.folds) == fold].mean() for fold in ("0", "1", "2")])
        by_fold[name] = np.mean(scores, axis=0)
    difference = by_fold["temporal-n_filters=4"] - by_fold["mfcc"]
    assert found[1].difference == pytest.approx(difference.mean())
    assert found[1].p == pytest.approx(corrected_t_test(difference, [16, 16, 16]))
    assert [c.p_corrected for c in found] == holm([c.p for c in found])
    assert {c.test for c in found} == {"corrected t-test over folds"}
    on_test = [c for c in analysis.comparisons if c.dataset == "synthetic-timbre"]
    assert {c.test for c in on_test} == {"paired bootstrap over clips"}
    with (study / "comparisons.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["a"], row["b"], float(row["p"])) for row in rows] == [(c.a, c.b, c.p) for c in analysis.comparisons]


def made(frontend, seed=0, **changes):
    """A result as a study would have it."""
    told = {
        "dataset": "my copy",
        "datamodule": "gtzan",
        "frontend": frontend,
        "backend": "svm",
        "seed": seed,
        "run": f"{frontend}-{seed}",
        "input": "spectrogram",
        "filters": "many",
        "protocol": "holdout",
        "selected_on_test": False,
        "metric": "test/accuracy",
        "accuracy": 0.5,
        "balanced_accuracy": 0.5,
        "macro_f1": 0.5,
        "accuracy_low": 0.4,
        "accuracy_high": 0.6,
        "best_candidate": "C=1",
        "n_features": 3585,
        "n_parameters": 10,
        "flop": 1000,
        "seconds_per_clip": None,
        "n_clips": 60,
        "n_classes": 2,
        "seconds": 1.0,
    }
    return Result(**{**told, **changes})


def kept(folder, result, n_right, n=60, groups=None):
    """Its predictions, of which the first are right."""
    given = ["a"] * n_right + ["b"] * (n - n_right)
    ids = [f"{index:02d}" for index in range(n)]
    name = f"predictions-{result.metric.split('/')[0]}.csv"
    folds = [""] * n if result.metric == "test/accuracy" else [str(index % 3) for index in range(n)]
    write_predictions(folder / result.run / name, Predictions(ids, folds, groups or [""] * n, ["a"] * n, given))
    return result


def test_published_accuracies_stand_beside_ours(tmp_path):
    results = [kept(tmp_path, made("vgg-large", seed, accuracy=0.55 + 0.1 * seed), 33 + 6 * seed) for seed in (0, 1)]
    results.append(kept(tmp_path, made("vgg"), 30))
    analysis = analyse(results, tmp_path)
    assert analysis.cells["my copy", "vgg-large", "svm"].published == pytest.approx(0.5965)
    assert analysis.cells["my copy", "vgg", "svm"].published is None
    shorter = analyse([kept(tmp_path, made("vgg-large", datamodule="gtzan-n_samples=8000"), 30)], tmp_path)
    assert shorter.cells["my copy", "vgg-large", "svm"].published is None
    report = markdown(analysis, [Failure("gtzan", "temporal", "svm", 0, "x", "Error: a | b")], "mine")
    (row,) = re.findall(r"^\| vgg-large \|.*%?\| \+?.*$", report, re.MULTILINE)[:1]
    cells = [cell.strip() for cell in row.split("|")]
    assert "60.0" in cells  # the mean
    assert "7.1" in cells  # the deviation over two seeds
    assert cells[-3:-1] == ["59.6", "+0.4"] or cells[-3:-1] == ["59.7", "+0.4"]
    assert "Protocol `holdout`" in report
    assert "Error: a \\| b" in report


def test_groups_widen_intervals_and_hide_differences(tmp_path):
    """Six recordings of ten clips each, all right or all wrong together."""
    groups = [f"recording {index // 10}" for index in range(60)]
    intervals, tests = [], []
    for number, of_clips in enumerate((None, groups)):
        folder = tmp_path / str(number)
        results = [kept(folder, made("vgg"), 40, groups=of_clips), kept(folder, made("timbral"), 20, groups=of_clips)]
        analysis = analyse(results, folder)
        cell = analysis.cells["my copy", "vgg", "svm"]
        intervals.append(cell.high - cell.low)
        tests.append(analysis.comparisons[0])
    assert intervals[1] > 2 * intervals[0]
    assert tests[0].is_more_than_chance
    assert not tests[1].is_more_than_chance


def test_scores_chosen_by_the_clips_that_are_scored_enter_no_test(tmp_path):
    optimistic = {"protocol": "study", "selected_on_test": True, "metric": "cv/accuracy"}
    results = [kept(tmp_path, made(name, **optimistic), n) for name, n in (("vgg", 50), ("mfcc", 10))]
    analysis = analyse(results, tmp_path)
    assert analysis.comparisons == []
    assert "No differences are tested: the protocol chose by the clips that it scores" in markdown(analysis, [], "x")
    assert differences_in_short(analysis) == []


def test_clips_that_one_frontend_lost_change_nothing_of_others(tmp_path):
    """They are left out of differences to it, and of nothing else."""
    results = [kept(tmp_path, made(name), n) for name, n in (("vgg", 40), ("mfcc", 30))]
    alone = analyse(results, tmp_path)
    lossy = kept(tmp_path, made("timbral", n_clips=20), 20, n=20)
    with_it = analyse([*results, lossy], tmp_path)
    assert with_it.cells["my copy", "vgg", "svm"] == alone.cells["my copy", "vgg", "svm"]
    by_pair = {(c.a, c.b): c for c in with_it.comparisons}
    assert by_pair["vgg", "mfcc"].p == alone.comparisons[0].p
    assert by_pair["vgg", "timbral"].difference == 0  # both are right on those 20
    report = markdown(with_it, [], "x")
    assert "`timbral` could be scored on 20 clips alone. Differences to it are of the clips that both have." in report
    write_predictions(tmp_path / lossy.run / "predictions-test.csv", Predictions(["other"], [""], [""], ["a"], ["a"]))
    assert {(c.a, c.b) for c in analyse([*results, lossy], tmp_path).comparisons} == {("vgg", "mfcc")}


def test_a_hold_out_with_folds_is_tested_as_one(untrained, sounds, tmp_path):
    """A manifest may have both columns; scores of a test split know of no folds."""
    lines = ["path,label,split,fold"]
    for label in ("high", "low", "mid"):
        for index, path in enumerate(sorted((sounds / label).glob(f"{label}*"))):
            split = ("train", "validation", "test")[index % 3]
            lines.append(f"{path},{label},{split},{index % 2}")
    (tmp_path / "clips.csv").write_text("\n".join(lines))
    data = f"[{{class_path: manifest, init_args: {{path: {tmp_path}/clips.csv, root: {sounds}, n_samples: 8000}}}}]"
    frontends = "[mfcc, logmel_stats]"
    arguments = ["--datamodules", data, "--frontends", frontends, "--backends", "[nearest_class]", "--name", "both"]
    arguments += ["--protocol", "auto"]
    status, out, _ = untrained("compare", "synthetic", *arguments)
    assert status == 0
    assert "protocol: holdout" in out
    assert "paired bootstrap over clips" in (tmp_path / "runs/both/comparisons.csv").read_text()
    assert set(read_predictions(next((tmp_path / "runs/both").rglob("predictions-test.csv"))).folds) == {""}


def test_report_is_made_again_from_what_is_stored(study, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    shutil.copytree(study, moved)
    report = (moved / "report.md").read_text()
    lines = (moved / "results.jsonl").read_text().splitlines(keepends=True)
    for name in ("report.md", "results.png", "cost.png", "comparisons.csv"):
        (moved / name).unlink()
    shutil.rmtree(moved / "_study")
    assert main(["report", str(moved)]) == 0
    out = capsys.readouterr().out
    assert "sample_level-n_filters=2" in out
    assert "synthetic-events, nearest_class: " in out
    assert (moved / "report.md").read_text() == report.replace("# small", "# elsewhere")
    assert (moved / "results.png").read_bytes().startswith(b"\x89PNG")
    assert main(["report", str(moved.parent)]) == 2
    assert (
        f"no results.jsonl in {moved.parent}: give the folder of a study; there are {moved}" in capsys.readouterr().err
    )
    predictions = next(moved.glob("*/*/*/seed0/predictions-*.csv"))
    kept_as = predictions.read_text()
    predictions.write_text("")
    assert main(["report", str(moved)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    predictions.write_text(kept_as)
    (moved / "results.jsonl").write_text('{"format": 2, "error": "", "dataset": "x"}\n')
    assert main(["report", str(moved)]) == 2
    assert "results.jsonl, line 1 cannot be read (KeyError: 'frontend')" in capsys.readouterr().err
    second = json.loads(lines[1])
    for line, reason in (
        (json.dumps({**second, "accuracy": "x"}).encode(), "TypeError: accuracy='x'; expected float"),
        (json.dumps({**second, "accuracy": True}).encode(), "TypeError: accuracy=True; expected float"),
        (
            json.dumps({**second, "seconds_per_clip": "x"}).encode(),
            "TypeError: seconds_per_clip='x'; expected float or NoneType",
        ),
        (json.dumps({**second, "error": 3}).encode(), "TypeError: error=3; expected str"),
        (b"caf\xe9", "UnicodeDecodeError: "),
    ):
        (moved / "results.jsonl").write_bytes(lines[0].encode() + line)
        assert main(["report", str(moved)]) == 2
        assert f"results.jsonl, line 2 cannot be read ({reason}" in (err := capsys.readouterr().err)
        assert err.endswith("run the study again, which writes the file anew and keeps what is done\n")
    (moved / "results.jsonl").write_text("".join(lines[:2]))
    planned = (moved / "runs.json").read_bytes()
    for damaged, reason in ((b"[", "JSONDecodeError: "), (b"\xe9", "UnicodeDecodeError: "), (b"[1]", "ValueError: ")):
        (moved / "runs.json").write_bytes(damaged)
        assert main(["report", str(moved)]) == 2
        assert f"{moved}/runs.json cannot be read ({reason}" in capsys.readouterr().err
    (moved / "runs.json").write_bytes(planned)
    (moved / "results.jsonl").write_text("".join(lines[:2]))
    assert main(["report", str(moved)]) == 0
    assert "**8 runs of this study have not ended yet.**" in (moved / "report.md").read_text()
    (moved / "results.jsonl").write_text("")
    assert main(["report", str(moved)]) == 2
    assert "no run has ended yet" in capsys.readouterr().err


def test_the_study_in_tensorboard(study):
    events = EventAccumulator(str(study / "_study"), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert set(events.Tags()["images"]) == {
        "_study/accuracy",
        "_study/cost",
        *(
            f"_study/confusion/{dataset}/{frontend}/nearest_class"  # of several seeds
            for dataset in ("synthetic-events", "synthetic-timbre")
            for frontend in ("temporal-n_filters=4", "sample_level-n_filters=2")
        ),
    }
    (report,) = events.Tensors("_study/report/text_summary")
    text = report.tensor_proto.string_val[0].decode()
    assert text == "\n".join(line for line in (study / "report.md").read_text().splitlines() if line[:2] != "![")
    (settings,) = events.Tensors("_study/settings/text_summary")
    assert b"n_filters: 4" in settings.tensor_proto.string_val[0]


def test_a_run_in_tensorboard(study):
    run = study / "synthetic-timbre/temporal-n_filters=4/nearest_class/seed1"
    events = EventAccumulator(str(run), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert {"confusion/val", "confusion/test", "random filters"} == set(events.Tags()["images"])
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    assert {name: value.string_value for name, value in hparams.items()} == {
        "dataset": "synthetic-timbre",
        "frontend": "temporal-n_filters=4",
        "backend": "nearest_class",
        "seed": "1",
        "candidate": "",
    }
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    declared = [info.name.tag for info in HParamsPluginData.FromString(content).experiment.metric_infos]
    assert declared == ["test/accuracy", "val/accuracy", "cv/accuracy"]
    (settings,) = events.Tensors("settings/text_summary")
    assert b"class_path: untrained.frontends.names.temporal" in settings.tensor_proto.string_val[0]


def test_published_names_are_those_of_frontends(monkeypatch):
    """Weights are not drawn, as only the names are looked at."""
    monkeypatch.setattr(Frontend, "_draw", lambda self: None)
    names = set()
    for name in set(FRONTENDS.names()) - {"hear"}:
        sized = {"size": "large"} if "size" in FRONTENDS.get(name).__init__.__wrapped__.__code__.co_varnames else {}
        several = [{}]
        several += [{"collapse_deep": True}] if name.startswith("frame_level") else []
        several += [{"lengths": "urbansound8k"}] if name == "timbral_temporal" else []
        for arguments in several:
            made = FRONTENDS.create(name, **sized, **arguments)
            names.add(frontend_label(made, {}))
    assert set(_ROWS) <= names


@pytest.mark.parametrize(
    "name", ["vgg", "timbral", "temporal", "sample_level", "frame_level_many", "logmel_projection"]
)
def test_random_filters_are_drawn(name):
    frontend = FRONTENDS.create(name)
    figure = filters_figure(frontend)
    first = [m for m in frontend.modules() if getattr(m, "in_channels", 0) == 1 and hasattr(m, "kernel_size")]
    assert figure is None if name == "logmel_projection" else len(figure.axes) == len(first)


def test_what_is_neither_cheaper_nor_better_is_not_in_front():
    assert pareto_front([(1, 40), (1, 50), (2, 50), (3, 60), (0, 10)]) == [(0, 10), (1, 50), (3, 60)]
    assert pareto_front([]) == []
