"""A study that is run again keeps finished runs, and repeats changed, failed and interrupted runs."""

import importlib
import shutil
import signal
import time

import numpy as np
import pytest
import soundfile
from untrained.backends.nearest_class import NearestClass
from untrained.files import locked
from untrained.frontends.baselines import MFCC
from untrained.registry import BACKENDS, FRONTENDS

HEARD = (
    "synthetic-events: 31 of 32 clips are longer than 0.67 s: only the first 0.67 s are used; 1 of 32 are shorter and "
    "are repeated once"
)


def test_a_rerun_computes_only_new_runs(untrained, tmp_path, results_of, little):
    (tmp_path / "study.yaml").write_text(little)
    status, _, err = untrained("compare", "study.yaml")
    assert status == 0
    assert err.count(HEARD) == err.count("are longer") == 1  # once for two frontends with the same sample rate
    before = results_of(tmp_path)
    files = {path: path.read_bytes() for path in (tmp_path / "runs/small").rglob("*") if path.is_file()}
    status, out, err = untrained("compare", "study.yaml")
    assert status == 0
    assert err.splitlines() == ["2 of 2 runs are done already", HEARD]
    assert "temporal-n_filters=4" in out
    assert {path: path.read_bytes() for path in files} == files  # the report is not rewritten either
    shutil.rmtree(tmp_path / "runs/embeddings")  # finished runs do not need them
    more = ["--frontends", "[{class_path: temporal, init_args: {n_filters: 8}}, mfcc]"]
    status, _, err = untrained("compare", "study.yaml", *more)
    assert status == 0
    assert "1 of 2 runs are done already" in err
    assert "[1/1] synthetic-events/temporal-n_filters=8/nearest_class/seed0: " in err
    assert not list((tmp_path / "runs/embeddings").glob("*mfcc*"))
    assert {row["frontend"] for row in results_of(tmp_path)} == {"temporal-n_filters=8", "mfcc"}
    assert "temporal-n_filters=4" not in (tmp_path / "runs/small/report.md").read_text()
    assert untrained("compare", "study.yaml")[2].splitlines() == ["2 of 2 runs are done already"]
    assert results_of(tmp_path) == before
    status, _, err = untrained("compare", "study.yaml", "--force")
    assert status == 0
    assert err.count("32 of 32 clips computed") == 2
    assert "[2/2]" in err


def test_a_run_is_repeated_if_its_clips_or_files_change(untrained, sounds, tmp_path, little, tiny):
    shutil.copytree(sounds, tmp_path / "sounds")
    data = "{class_path: folder, init_args: {root: sounds, n_samples: 8000, folds: 3}}"
    (tmp_path / "study.yaml").write_text(little.replace(tiny, data))
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    soundfile.write(tmp_path / "sounds/high/high 00.wav", np.linspace(-0.5, 0.5, 9000), 8000)
    status, _, err = untrained("compare", "study.yaml", "--frontends", "[mfcc]")
    assert status == 0
    assert "1 of 36 clips computed" in err
    assert "[1/1]" in err
    assert "done already" in untrained("compare", "study.yaml", "--frontends", "[mfcc]")[2]
    (only_run,) = (tmp_path / "runs/small").glob("*/*/*/seed0")
    (only_run / "predictions-cv.csv").unlink()
    assert "[1/1]" in untrained("compare", "study.yaml", "--frontends", "[mfcc]")[2]


class Fragile(MFCC):
    """Frontend that fails while `broken` is True."""

    broken = True

    def forward(self, waveform):
        if Fragile.broken:
            raise RuntimeError("this plug-in\nfails")
        return super().forward(waveform)


class Refusing(NearestClass):
    """Backend that cannot be fitted."""

    def fit(self, X, y):
        raise ValueError("cannot learn")


def test_a_failed_run_is_recorded_and_the_other_runs_continue(untrained, tmp_path, results_of, tiny):
    FRONTENDS.register("fragile")(Fragile)
    BACKENDS.register("refusing")(Refusing)
    Fragile.broken = True
    (tmp_path / "study.yaml").write_text(
        f"{{name: small, datamodules: [{tiny}], frontends: [fragile, mfcc], controls: [], "
        "backends: [refusing, nearest_class]}"
    )
    status, out, err = untrained("compare", "study.yaml")
    assert status == 1
    errors = {(row["frontend"], row["backend"]): row["error"] for row in results_of(tmp_path)}
    assert errors.pop(("mfcc", "nearest_class")) == ""
    assert errors.pop(("mfcc", "refusing")) == "UsageError: Refusing cannot be fitted: ValueError: cannot learn"
    (failed,) = set(errors.values())
    assert failed.startswith("PluginError: frontend Fragile cannot compute a batch of shape (")
    assert failed.endswith("RuntimeError: this plug-in fails")
    assert len(errors) == 2
    assert "nearest_class" in out
    assert "untrained: 3 runs failed; run the same command to try them again" in err
    traceback = tmp_path / "runs/small/synthetic-events/fragile/nearest_class/seed0/error.txt"
    assert str(traceback.relative_to(tmp_path)) in err
    assert "in forward" in traceback.read_text()
    report = (tmp_path / "runs/small/report.md").read_text()
    assert "## Failed: 3 runs" in report
    assert "RuntimeError: this plug-in fails" in report
    assert untrained("report", "runs/small")[0] == 1
    Fragile.broken = False
    status, _, err = untrained("compare", "study.yaml", "--backends", "[nearest_class]")
    assert status == 0
    assert "1 of 2 runs are done already" in err
    assert not traceback.exists()
    assert {row["error"] for row in results_of(tmp_path)} == {""}


SLOW = """
import os
import time
from pathlib import Path
from untrained.backends.nearest_class import NearestClass

class Slow(NearestClass):
    \"\"\"Backend that waits in its second run to be interrupted.\"\"\"

    def fit(self, X, y):
        if "WAITS" in os.environ and len(Path("runs/small/results.csv").read_text().splitlines()) > 1:
            time.sleep(200)
        return super().fit(X, y)
"""


@pytest.mark.slow
def test_ctrl_c_keeps_finished_runs(untrained, start, tmp_path, monkeypatch, results_of, little):
    """A separate process is interrupted in its second run, and the study resumes there."""
    (tmp_path / "study.yaml").write_text(little.replace("nearest_class", "slow"))
    (tmp_path / "slow.py").write_text(SLOW)
    registered = "from slow import Slow; from untrained.registry import BACKENDS; BACKENDS.register('slow')(Slow)"
    (tmp_path / "sitecustomize.py").write_text(registered)
    process = start("compare", "study.yaml", WAITS="1")
    path = tmp_path / "runs/small/results.csv"
    while not path.is_file() or len(path.read_text().splitlines()) < 2:  # a header, and the first run
        time.sleep(0.05)
        assert process.is_running
    process.send(signal.SIGINT)
    ended = process.end()
    assert ended.returncode == 130
    err = ended.stderr
    assert err.endswith(
        "untrained: interrupted; the results so far are kept, and the same command resumes from there\n"
    )
    assert "Traceback" not in err
    assert len(results_of(tmp_path)) == 1
    monkeypatch.syspath_prepend(tmp_path)
    BACKENDS.register("slow")(importlib.import_module("slow").Slow)
    status, _, err = untrained("compare", "study.yaml")
    assert status == 0
    assert "1 of 2 runs are done already" in err
    assert len(results_of(tmp_path)) == 2


def test_a_study_is_locked_while_a_command_runs_it(untrained, tmp_path, little):
    (tmp_path / "study.yaml").write_text(little)
    with locked(tmp_path / "runs/small", "nothing"):
        status, out, err = untrained("compare", "study.yaml")
    assert (status, out) == (1, "")
    assert "runs/small is in use by process" in err
    assert err.endswith("wait until it has ended, or give the study another --name\n")


def test_old_figures_are_deleted_if_all_runs_fail(untrained, tmp_path, little):
    BACKENDS.register("refusing")(Refusing)
    (tmp_path / "study.yaml").write_text(little)
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    status, out, _ = untrained("compare", "study.yaml", "--frontends", "[mfcc]", "--backends", "[refusing]")
    assert status == 1
    assert "accuracy" not in out
    assert "## Failed: 1 runs" in (tmp_path / "runs/small/report.md").read_text()
    assert not (tmp_path / "runs/small/results.png").exists()
