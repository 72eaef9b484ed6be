"""Table of runs: runs of a study, fits with different settings, and runs that are not finished."""

import itertools
import json
import os
import shutil

import pytest


@pytest.fixture
def run(study, tmp_path):
    """Function that copies a run of the study to a folder and changes its metrics."""

    def copy(name, hour, **changes):
        folder = tmp_path / "runs" / name
        shutil.copytree(study / "synthetic-events/mfcc/nearest_class/seed0", folder)
        metrics = json.loads((folder / "metrics.json").read_text())
        changes["key"] = {**metrics["key"], **changes.get("key", {})}
        (folder / "metrics.json").write_text(json.dumps({**metrics, **changes}))
        os.utime(folder / "probe.ckpt", (3600 * hour, 3600 * hour))
        return folder

    return copy


def table(out):
    """Return the cells of each line, split at the columns of the header."""
    header, *lines = out.splitlines()
    starts = [header.index(name) for name in ("data set", "frontend", "backend", "protocol", "scores", "fitted")]
    starts += [header.index("differs in"), header.index("run", header.index("differs in")), None]
    return [[line[a:b].strip() for a, b in itertools.pairwise(starts)] for line in lines]


def test_runs_of_a_study(untrained, study):
    status, out, _ = untrained("list", "runs", study)
    assert status == 0
    rows = table(out)
    assert len(rows) == len(list(study.glob("**/metrics.json"))) == 12
    assert [row[:3] for row in rows] == sorted(row[:3] for row in rows)
    assert {row[6] for row in rows if row[1].startswith("sample_level")} == {"seed=0", "seed=1"}
    for row in rows:
        metrics = json.loads((study.parent / row[7] / "metrics.json").read_text())
        assert row[3] == metrics["protocol"]
        if row[0] == "synthetic-timbre":
            expected = f"val {100 * metrics['val/accuracy']:.1f}, test {100 * metrics['test/accuracy']:.1f}"
        else:
            expected = f"cv {100 * metrics['cv/accuracy']:.1f}"
        assert row[4] == expected


def test_similar_runs_by_time_with_what_differs(untrained, run):
    run("a", 50, datamodule="folder-folds=5", selected_on_test=True)
    run("b", 40, key={"init": "orthogonal"})
    run("c", 30, key={"files": "0"}, datamodule="folder")
    status, out, _ = untrained("list", "runs")
    assert status == 0
    rows = table(out)
    assert [row[7] for row in rows] == ["runs/c", "runs/b", "runs/a"]
    assert "default data" in rows[0][6]
    assert "init=orthogonal" in rows[1][6]
    assert "folds=5" in rows[2][6]
    assert rows[2][4].endswith("(chosen on the scored clips)")
    assert rows[2][5].startswith("1970-01-0")


def test_runs_that_differ_only_in_their_files(untrained, run):
    for name in ("a", "b"):
        run(name, 1, key={"files": name})
    assert [row[6] for row in table(untrained("list", "runs")[1])] == ["audio files", "audio files"]


def test_missing_and_unfinished_runs(untrained, run, tmp_path):
    status, _, err = untrained("list", "runs")
    assert status == 2
    assert "no folder at runs; give the folder" in err
    (tmp_path / "empty").mkdir()
    status, _, err = untrained("list", "runs", "empty")
    assert status == 2
    assert "no run in empty; untrained fit creates a run" in err
    run("old", 1, format=1)
    failed, killed = (run(name, 1) for name in ("failed", "killed"))
    (failed / "error.txt").write_text("why")
    for folder in (failed, killed):
        (folder / "metrics.json").unlink()
    status, out, _ = untrained("list", "runs")
    assert status == 0
    for text in ("has format 1 of an earlier version", "failed, see error.txt", "not finished"):
        assert text in out
    status, _, err = untrained("list", "runs", "--details")
    assert status == 2
    assert "runs takes one folder, without other kinds or --details" in err
