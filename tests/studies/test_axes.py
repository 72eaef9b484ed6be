import pytest
from untrained.probes.record import ORIGIN, read_metrics, read_predictions, update_metrics
from untrained.studies.analysis import analyse
from untrained.studies.axes import compare_axes, variants
from untrained.studies.families import Model
from untrained.studies.findings import axis_lines, axis_table
from untrained.studies.weights import beside


def test_axes_and_variants_of_a_study(tmp_path, made, kept):
    """Two poolings of two frontends, and MFCCs without a pooling, give two families and one axis."""
    results = []
    for name, n_right in (("vgg", 50), ("temporal", 30)):
        results += [kept(tmp_path, made(name, seed), n_right + seed) for seed in (0, 1)]
        pooled = [made(f"{name}-pooling=max", seed) for seed in (0, 1)]
        results += [kept(tmp_path, each, n_right - 15, pooling="max") for each in pooled]
    results.append(kept(tmp_path, made("mfcc"), 40))
    analysis = analyse(results, tmp_path, ["mfcc"])
    assert [family.variant for family in analysis.families] == ["pooling=mean", "pooling=max"]
    first, second = analysis.families
    assert {name for test in first.tests for name in (test.a, test.b)} == {"vgg", "temporal", "mfcc"}
    assert len(second.tests) == 3
    assert list(analysis.axes) == ["pooling"]
    tests = analysis.axes["pooling"]
    assert [(found.frontend, found.test.a, found.test.b) for found in tests] == [
        ("vgg", "mean", "max"),
        ("temporal", "mean", "max"),
    ]
    assert tests[0].test.estimate.difference == (50.5 - 35) / 60
    assert all(found.test.is_significant for found in tests)
    assert axis_lines(analysis, "pooling")[:2] == [
        "along pooling, in points (* significant): 2 of 2 differences are significant",
        "  my copy, vgg, svm: mean - max: +25.8 *",
    ]
    assert axis_table(tests)[1][0][:6] == ["my copy", "vgg", "svm", "mean", "max", "**+25.8**"]


def test_training_is_compared_with_the_frontend_of_its_own_name(tmp_path, made, kept):
    """Other poolings and backends of the study have rows and columns of their own."""
    trained = made("vgg", backend="trained-linear", run="trained", weights="trained")
    results = [kept(tmp_path, made("vgg"), 30), kept(tmp_path, trained, 50)]
    results += [kept(tmp_path, made("vgg-pooling=max"), 20, pooling="max")]
    key = read_metrics(tmp_path / "trained")["key"]
    changed = {"backend": "trained-linear", "training": {"head": "linear"}, "weights": "trained"}
    update_metrics(tmp_path / "trained", {"key": {**key, **changed}})
    analysis = analyse(results, tmp_path)
    (found,) = analysis.axes["weights"]
    assert (found.frontend, found.test.a, found.test.b) == ("vgg", "trained", "random, svm")
    assert found.test.estimate.difference == pytest.approx(20 / 60)
    gains = {row.frontend: list(row.gains) for row in beside(analysis)}
    assert gains == {"vgg": ["random, svm"], "vgg-pooling=max": []}


def test_arguments_of_the_same_name_are_separate_axes(tmp_path, made, kept):
    results = [kept(tmp_path, made("vgg"), 40), kept(tmp_path, made("vgg-size=large"), 30)]
    results += [kept(tmp_path, made("vgg", backend="svm-size=2", run="other"), 20)]
    analysis = analyse(results, tmp_path)
    models = dict.fromkeys(analysis.cells)
    settings = {
        key: {"frontend": "vgg", "frontend.size": size, "backend": "svm", "backend.size": number}
        for key, (size, number) in zip(models, (("small", 1), ("large", 1), ("small", 2)), strict=True)
    }
    found = compare_axes(_models(tmp_path, results, analysis), settings)
    assert {name: [(each.test.a, each.test.b) for each in tests] for name, tests in found.items()} == {
        "frontend.size": [("small", "large")],
        "backend.size": [("1", "2")],
    }


def _models(folder, results, analysis):
    read = [read_predictions(folder / result.run / "predictions-test.csv") for result in results]
    cells = zip(analysis.cells.items(), read, strict=True)
    return {key: Model({0: found}, cell.accuracy, True, cross_validated=False) for (key, cell), found in cells}


def test_arguments_of_a_frontend_do_not_make_variants():
    options = {"init": "xavier", "layers": "all", "pooling": "mean", "tf32": False, **ORIGIN}
    settings = {
        ("data", f"vgg-{n}", "svm"): {"frontend": "vgg", "frontend.n_filters": n, **options, "backend": "svm"}
        for n in (8, 16)
    }
    assert variants(settings) == {"": list(settings)}
