import csv
import json
import shutil

from untrained.cli import main
from untrained.studies.results import append, read, start


def test_a_report_is_rewritten_from_stored_results(study, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    shutil.copytree(study, moved)
    report = (moved / "report.md").read_text()
    for name in ("report.md", "report.html", "results.png", "cost.png", "ranks.png", "comparisons.csv"):
        (moved / name).unlink()
    shutil.rmtree(moved / "_study")
    assert main(["report", str(moved)]) == 0
    out = capsys.readouterr().out
    assert "sample_level-n_filters=2" in out
    assert "synthetic-events, nearest_class: " in out
    assert (moved / "report.md").read_text() == report.replace("# small", "# elsewhere")
    assert (moved / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert (moved / "results.png").read_bytes().startswith(b"\x89PNG")
    assert (moved / "ranks.png").read_bytes().startswith(b"\x89PNG")
    assert "over all data sets and backends: best: " in out
    assert main(["report", str(moved), "--along", "pooling"]) == 2
    assert "differ in this setting only; varied settings: none" in capsys.readouterr().err
    assert main(["report", str(moved.parent)]) == 2
    found = f"no runs.json in {moved.parent}; expected the folder of a study: found {moved}"
    assert found in capsys.readouterr().err
    predictions = next(moved.glob("*/*/*/seed0/predictions-*.csv"))
    kept_as = predictions.read_text()
    predictions.write_text("")
    assert main(["report", str(moved)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    predictions.write_text(kept_as)
    runs = sorted(moved.glob("*/*/*/*/metrics.json"))
    whole = runs[1].read_bytes()
    for changed, reason in (
        ({"n_features": "x"}, "TypeError: n_features='x'; expected int"),
        ({"selected_on_test": 1}, "TypeError: selected_on_test=1; expected bool"),
        ({"extraction": 3}, "AttributeError: "),
        ({"best_candidate": None}, "AttributeError: "),
        ({"n_classes": True}, "TypeError: n_classes=True; expected int"),
        (None, "UnicodeDecodeError: "),
    ):
        content = b"caf\xe9" if changed is None else json.dumps({**json.loads(whole), **changed}).encode()
        runs[1].write_bytes(content)
        assert main(["report", str(moved)]) == 2
        assert f"{runs[1]} cannot be read ({reason}" in (err := capsys.readouterr().err)
        assert err.endswith("delete it, and run the study again, which keeps finished runs\n")
    runs[1].write_bytes(whole)
    planned = (moved / "runs.json").read_bytes()
    for damaged, reason in (
        (b"[", "JSONDecodeError: "),
        (b"\xe9", "UnicodeDecodeError: "),
        (b'{"format": 2}', "KeyError: "),
    ):
        (moved / "runs.json").write_bytes(damaged)
        assert main(["report", str(moved)]) == 2
        assert f"{moved}/runs.json cannot be read ({reason}" in capsys.readouterr().err
    (moved / "runs.json").write_bytes(planned)
    for path in runs[2:]:
        path.unlink()
    assert main(["report", str(moved)]) == 0
    assert f"**{len(runs) - 2} runs of this study have not finished yet.**" in (moved / "report.md").read_text()
    for path in runs[:2]:
        path.unlink()
    assert main(["report", str(moved)]) == 2
    assert "no run has finished yet; run the study again" in capsys.readouterr().err


def test_results_are_read_from_the_folders_of_the_runs(study, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    results, failures, n_waiting, controls = read(folder)
    assert controls == ["logmel_stats"]
    assert (len(results), failures, n_waiting) == (12, [], 0)
    runs = [
        {field: getattr(result, field) for field in ("dataset", "frontend", "backend", "seed", "run")}
        for result in results
    ]
    failed, waiting = runs[3]["run"], runs[5]["run"]
    (folder / failed / "error.txt").write_text('KeyError: "a, b"\n\nTraceback ...\n')
    (folder / waiting / "metrics.json").unlink()
    start(folder, runs, [runs[0]["run"]], controls)
    for run in (runs[3], runs[5], runs[0]):
        append(folder, run)
    again = read(folder)
    assert [result.run for result in again.results] == [
        run["run"] for run in runs if run["run"] not in (failed, waiting)
    ]
    assert [(failure.run, failure.error) for failure in again.failures] == [(failed, 'KeyError: "a, b"')]
    assert (again.n_waiting, again.controls) == (1, controls)
    with (folder / "results.csv").open(newline="") as file:
        rows = [(row["run"], row["error"]) for row in csv.DictReader(file)]
    assert rows[-2:] == [(failed, 'KeyError: "a, b"'), (runs[0]["run"], "")]
    assert len(rows) == 11
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [line["run"] for line in lines] == [run for run, _ in rows]
    assert (
        lines[0]["metrics"]["identity"]
        == json.loads((folder / lines[0]["run"] / "metrics.json").read_text())["identity"]
    )
