import csv
from itertools import combinations
from statistics import mean, stdev

import numpy as np
import pytest
from untrained.probes.metrics import bootstrap, interval
from untrained.probes.record import Predictions, read_predictions, write_predictions
from untrained.studies.analysis import analyse
from untrained.studies.clip_test import clip_test, seed_variance
from untrained.studies.findings import summary
from untrained.studies.report import markdown
from untrained.studies.results import read
from untrained.studies.significance import corrected_t_test, holm


def test_both_measures_of_spread(study, analysis):
    results, failures, _, _ = read(study)
    assert not failures
    key = ("synthetic-events", "temporal-n_filters=4", "nearest_class")
    cell = analysis.cells[key]
    runs = [result for result in results if (result.dataset, result.frontend, result.backend) == key]
    accuracies = [run.accuracy for run in runs]
    assert len(accuracies) == 2
    assert cell.accuracy == pytest.approx(mean(accuracies))
    assert cell.deviation == pytest.approx(stdev(accuracies))
    seeds = [read_predictions(study / run.run / "predictions-cv.csv") for run in runs]
    right = [[a == b for a, b in zip(p.labels, p.predicted, strict=True)] for p in seeds]
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


def test_differences_are_tested_clip_by_clip(study, analysis):
    (found,) = [family for family in analysis.families if family.dataset == "synthetic-events"]
    names = ["temporal-n_filters=4", "sample_level-n_filters=2", "mfcc", "logmel_stats"]
    assert [(test.a, test.b) for test in found.tests] == [*combinations(names, 2)]
    correct = {}
    for name in names:
        several = [
            read_predictions(study / run.run / "predictions-cv.csv")
            for run in analysis.cells["synthetic-events", name, "nearest_class"].runs
        ]
        correct[name] = np.array([np.array(each.labels) == np.array(each.predicted) for each in several])
    seeds = seed_variance([correct[name] for name in names[:2]])
    expected = clip_test(correct[names[0]], correct["mfcc"], seeds=seeds, deterministic=(False, True))
    assert found.tests[1].estimate.difference == pytest.approx(expected.difference)
    assert found.tests[1].estimate.p == pytest.approx(expected.p)
    assert [test.p_corrected for test in found.tests] == holm([test.estimate.p for test in found.tests])
    assert found.controls["logmel_stats"][0].estimate == found.tests[2].estimate
    assert [test.a for test in found.controls["logmel_stats"]] == names[:3]
    with (study / "comparisons.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == "synthetic-events"]
    assert [(row["a"], row["b"], float(row["p"])) for row in rows if row["family"] == "frontends"] == [
        (test.a, test.b, test.estimate.p) for test in found.tests
    ]


def test_the_test_over_folds_is_optional(study, analysis):
    found = analyse(read(study).results, study, method="folds")
    by_fold, one = [], found.families[0].tests[1]
    for name in (one.a, one.b):
        scores = []
        for run in analysis.cells["synthetic-events", name, "nearest_class"].runs:
            predictions = read_predictions(study / run.run / "predictions-cv.csv")
            right = np.array(predictions.labels) == np.array(predictions.predicted)
            scores.append([right[np.array(predictions.folds) == fold].mean() for fold in ("0", "1", "2")])
        by_fold.append(np.mean(scores, axis=0))
    assert one.estimate.p == pytest.approx(corrected_t_test(by_fold[0] - by_fold[1], [16, 16, 16]).p)
    assert [family.method for family in found.families] == ["corrected t-test over folds", "clip-level test"]


def test_groups_widen_intervals_and_hide_differences(tmp_path, made, kept):
    """The data have six recordings of ten clips each, which are all correct or all wrong."""
    groups = [f"recording {index // 10}" for index in range(60)]
    intervals, tests = [], []
    for number, of_clips in enumerate((None, groups)):
        folder = tmp_path / str(number)
        results = [kept(folder, made("vgg"), 40, groups=of_clips), kept(folder, made("timbral"), 20, groups=of_clips)]
        analysis = analyse(results, folder)
        cell = analysis.cells["my copy", "vgg", "svm"]
        intervals.append(cell.high - cell.low)
        tests.append(analysis.families[0].tests[0])
    assert intervals[1] > 2 * intervals[0]
    assert tests[0].is_significant
    assert not tests[1].is_significant


def test_scores_selected_on_the_scored_clips_are_not_tested(tmp_path, made, kept):
    optimistic = {"protocol": "study", "selected_on_test": True, "metric": "cv/accuracy"}
    results = [kept(tmp_path, made(name, **optimistic), n) for name, n in (("vgg", 50), ("mfcc", 10))]
    analysis = analyse(results, tmp_path)
    assert (analysis.families, analysis.overall, analysis.axes) == ([], [], {})
    report = markdown(analysis, [], "x")
    assert "No differences are tested: the candidates were chosen on the scored clips." in report
    assert summary(analysis) == []


def test_clips_lost_by_one_frontend_do_not_affect_other_pairs(tmp_path, made, kept):
    """Lost clips are left out of the differences from this frontend only."""
    results = [kept(tmp_path, made(name), n) for name, n in (("vgg", 40), ("mfcc", 30))]
    alone = analyse(results, tmp_path)
    lossy = kept(tmp_path, made("timbral", n_clips=20), 20, n=20)
    with_it = analyse([*results, lossy], tmp_path)
    assert with_it.cells["my copy", "vgg", "svm"] == alone.cells["my copy", "vgg", "svm"]
    by_pair = {(test.a, test.b): test.estimate for test in with_it.families[0].tests}
    assert by_pair["vgg", "mfcc"].difference == alone.families[0].tests[0].estimate.difference
    assert by_pair["vgg", "timbral"].difference == 0  # both are correct on those 20
    report = markdown(with_it, [], "x")
    text = "timbral could be scored on 20 clips only. Its differences from other frontends use the clips that both"
    assert f"{text} were scored on." in report
    write_predictions(tmp_path / lossy.run / "predictions-test.csv", Predictions(["other"], [""], [""], ["a"], ["a"]))
    (family,) = analyse([*results, lossy], tmp_path).families
    assert [(test.a, test.b) for test in family.tests] == [("vgg", "mfcc")]
    assert family.verdict is None
