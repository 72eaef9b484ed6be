"""Studies: runs, results, what is done again and what is not, and what is refused before anything runs."""

import csv
import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from untrained.backends.nearest_class import NearestClass
from untrained.durable import held
from untrained.frontends.baselines import MFCC
from untrained.parsing import load_names
from untrained.registry import BACKENDS, FRONTENDS
from untrained.study import plan, study_parser


def results_of(tmp_path, name="small"):
    with (tmp_path / "runs" / name / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


STUDY = """
name: small
datamodules:
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 5, n_samples: 8000}}
frontends: [{class_path: temporal, init_args: {n_filters: 4}}, mfcc]
backends: [nearest_class, elm]
seeds: [0, 1]
"""


def test_compare(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    status, out, err = untrained("compare", "study.yaml")
    assert status == 0
    assert "temporal-n_filters=4" in out
    assert "chance" in out
    results = results_of(tmp_path)
    # For each data set: temporal with two back-ends and seeds; mfcc with nearest_class once, with elm twice.
    assert len(results) == 2 * (4 + 3)
    assert {(row["protocol"], row["metric"]) for row in results} == {
        ("nested", "cv/accuracy"),
        ("holdout", "test/accuracy"),
    }
    assert len({row["run"] for row in results}) == len(results)
    assert {row["dataset"] for row in results} == {  # never averaged
        "synthetic-events-clips_per_class=6-folds=3",
        "synthetic-events-clips_per_class=5-folds=None",
    }
    for row in results:
        metrics = json.loads((tmp_path / "runs/small" / row["run"] / "metrics.json").read_text())
        assert metrics[row["metric"]] == float(row["accuracy"])
        assert (tmp_path / "runs/small" / row["run"] / "probe.ckpt").is_file()
    assert (tmp_path / "runs/small/results.png").read_bytes().startswith(b"\x89PNG")
    assert "[14/14]" in err
    # Nothing is extracted twice: 3 stores for each data set of that size.
    assert len(list((tmp_path / "runs/embeddings").iterdir())) == 3

    config = tmp_path / "runs/small" / results[0]["run"] / "config.yaml"
    status, out, _ = untrained("fit", "--config", config, "--trainer.default_root_dir", "repeated")
    assert status == 0
    assert f"cv/accuracy {100 * float(results[0]['accuracy']):.2f} %" in out

    status, out, err = untrained("compare", "study.yaml", "--seeds", "[0]", "--backends", "[elm]", "--name", "again")
    assert status == 0
    assert "nothing to do" in err
    again = results_of(tmp_path, "again")
    scores = {(r["dataset"], r["metric"], r["front_end"], r["back_end"], r["seed"]): r["accuracy"] for r in results}
    assert all(scores[r["dataset"], r["metric"], r["front_end"], r["back_end"], "0"] == r["accuracy"] for r in again)


def test_compare_by_the_study_s_protocol_says_so(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    only_folds = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 2}}]"
    arguments = ["--protocol", "study", "--datamodules", only_folds, "--backends", "[elm]", "--seeds", "[0]"]
    status, out, _ = untrained("compare", "study.yaml", *arguments)
    assert status == 0
    assert "chosen by the clips that are scored" in " ".join(out.split())
    results = results_of(tmp_path)
    assert {row["selected_on_test"] for row in results} == {"True"}


def test_compare_sweeps_options(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY + "model: {pooling: [mean, max], layers: [all, last, [0]]}\n")
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]"
    few = ["--datamodules", one, "--backends", "[elm]", "--seeds", "[0]"]
    front_ends = "[{class_path: sample_level, init_args: {n_filters: 2}}, mfcc]"
    status, _, _ = untrained("compare", "study.yaml", *few, "--frontends", front_ends)
    assert status == 0
    results = results_of(tmp_path)
    assert {row["front_end"]: row["n_features"] for row in results} == {
        "sample_level-n_filters=2": "14",
        "sample_level-n_filters=2-layers=last": "2",
        "sample_level-n_filters=2-layers=0": "2",
        "sample_level-n_filters=2-pooling=max": "14",
        "sample_level-n_filters=2-layers=last-pooling=max": "2",
        "sample_level-n_filters=2-layers=0-pooling=max": "2",
        "mfcc": "120",  # has neither maps nor layers, and is there once
    }
    assert len(list((tmp_path / "runs/embeddings").iterdir())) == 3  # a pooling each, and mfcc
    (row,) = (row for row in results if row["front_end"] == "sample_level-n_filters=2-layers=0-pooling=max")
    status, out, _ = untrained("fit", "--config", tmp_path / "runs/small" / row["run"] / "config.yaml")
    assert status == 0
    assert f"cv/accuracy {100 * float(row['accuracy']):.2f} %" in out
    both = ["--frontends", "[{class_path: sample_level, init_args: {n_filters: 2}}, mfcc, temporal]", "--name", "both"]
    status, _, err = untrained("compare", "study.yaml", *few, *both, "--model.layers", "[all, [0, 2]]")
    assert status == 0
    assert "not in this study: layers=[0, 2]; expected" in err
    assert err.count("as Temporal has 1 layers") == 1
    assert "not in this study: MFCC overrides forward()" in err
    results = results_of(tmp_path, "both")
    assert len([row for row in results if row["front_end"].startswith("temporal")]) == 2  # poolings, of all layers
    status, _, err = untrained("compare", "study.yaml", *few, "--frontends", front_ends, "--model.layers", "[[7]]")
    assert status == 2
    assert "frontends[0]: layers=[7]; expected" in err


def test_compare_reads_features_as_they_are_and_as_z_scores(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY + "model: {standardize: [none, zscore]}\n")
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}]"
    few = ["--datamodules", one, "--frontends", "[mfcc]", "--backends", "[svm, elm]", "--seeds", "[0]"]
    status, out, _ = untrained("compare", "study.yaml", *few)
    assert status == 0
    results = results_of(tmp_path)
    score_of = {row["back_end"]: float(row["accuracy"]) for row in results}
    assert set(score_of) == {"svm", "svm-standardize=zscore", "elm", "elm-standardize=zscore"}
    assert score_of["svm"] != score_of["svm-standardize=zscore"]
    assert len(list((tmp_path / "runs/embeddings").iterdir())) == 1
    (row,) = (row for row in results if row["back_end"] == "svm-standardize=zscore")
    config = tmp_path / "runs/small" / row["run"] / "config.yaml"
    assert yaml.safe_load(config.read_text())["model"]["standardize"] == "zscore"
    status, out, _ = untrained("fit", "--config", config)
    assert f"cv/accuracy {100 * float(row['accuracy']):.2f} %" in out


def test_force_computes_each_data_set_again_in_the_store_that_they_share(untrained, sounds, tmp_path):
    """Parts of one folder have one store, as their clips have one source."""
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        files = ("00.wav", ("01.flac", "02.ogg")[number])
        lines = [f"{label}/{label} {file},{label}" for label in ("high", "low") for file in files]
        (tmp_path / name / "clips.csv").write_text("\n".join(["path,label", *lines, ""]))
    one, two = (
        f"{{class_path: manifest, init_args: {{path: {name}/clips.csv, root: {sounds}, n_samples: 8000, folds: 2}}}}"
        for name in ("one", "two")
    )
    (tmp_path / "study.yaml").write_text(
        f"datamodules: [{one}, {two}]\nfrontends: [mfcc]\nbackends: [elm]\nprotocol: study\n"
    )
    assert untrained("compare", "study.yaml")[0] == 0
    status, _, err = untrained("compare", "study.yaml", "--force")
    assert status == 0
    assert err.count("4 of 4 clips computed") == 2
    assert len(list((tmp_path / "runs/embeddings").iterdir())) == 1
    assert "force: false" in (tmp_path / "runs/study/study.yaml").read_text()
    (store,) = (tmp_path / "runs/embeddings").iterdir()
    assert len((store / "clips.csv").read_text().splitlines()) == 1 + 6
    (store / "embeddings.safetensors").write_bytes(b"junk")
    assert "are done already" in untrained("compare", "study.yaml")[2]  # which needs no embeddings
    assert "compute it again with --force" in untrained("compare", "study.yaml", "--seeds", "[1]")[2]
    assert untrained("compare", "study.yaml", "--force")[0] == 0


def test_table_and_figure_have_front_ends_of_a_kind_together(untrained):
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]"
    front_ends = "[mfcc, timbral, frame_level, vgg, sample_level]"
    few = ["--datamodules", one, "--backends", "[elm]", "--seeds", "[0]"]
    status, out, _ = untrained("compare", "synthetic", *few, "--frontends", front_ends)
    assert status == 0
    rows = [name for line in out.splitlines() if line.startswith("│") and (name := line.split("│")[1].strip())]
    assert rows == [
        *["spectrogram:", "vgg", "timbral"],
        *["waveform:", "sample_level", "frame_level"],
        *["others:", "mfcc"],
        "chance",
    ]


TINY = "{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}"
LITTLE = f"""
name: small
datamodules: [{TINY}]
frontends: [{{class_path: temporal, init_args: {{n_filters: 4}}}}, mfcc]
backends: [nearest_class]
"""


def test_a_rerun_does_only_what_is_new(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(LITTLE)
    assert untrained("compare", "study.yaml")[0] == 0
    before = results_of(tmp_path)
    files = {path: path.read_bytes() for path in (tmp_path / "runs/small").rglob("*") if path.is_file()}
    status, out, err = untrained("compare", "study.yaml")
    assert status == 0
    assert err == "2 of 2 runs are done already\n"
    assert "temporal-n_filters=4" in out
    assert {path: path.read_bytes() for path in files} == files  # the report is not made again either
    shutil.rmtree(tmp_path / "runs/embeddings")  # which nothing needs that is done
    more = ["--frontends", "[{class_path: temporal, init_args: {n_filters: 8}}, mfcc]"]
    status, _, err = untrained("compare", "study.yaml", *more)
    assert status == 0
    assert "1 of 2 runs are done already" in err
    assert "[1/1] synthetic-events/temporal-n_filters=8/nearest_class/seed0: " in err
    assert not list((tmp_path / "runs/embeddings").glob("*mfcc*"))
    assert {row["front_end"] for row in results_of(tmp_path)} == {"temporal-n_filters=8", "mfcc"}
    assert "temporal-n_filters=4" not in (tmp_path / "runs/small/report.md").read_text()
    assert untrained("compare", "study.yaml")[2] == "2 of 2 runs are done already\n"
    assert results_of(tmp_path) == before
    status, _, err = untrained("compare", "study.yaml", "--force")
    assert status == 0
    assert err.count("32 of 32 clips computed") == 2
    assert "[2/2]" in err


def test_what_has_changed_is_run_again(untrained, sounds, tmp_path):
    shutil.copytree(sounds, tmp_path / "sounds")
    data = "{class_path: folder, init_args: {root: sounds, n_samples: 8000, folds: 3}}"
    (tmp_path / "study.yaml").write_text(LITTLE.replace(TINY, data))
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    shutil.copy(tmp_path / "sounds/low/low 00.wav", tmp_path / "sounds/high/high 00.wav")
    status, _, err = untrained("compare", "study.yaml", "--frontends", "[mfcc]")
    assert status == 0
    assert "1 of 36 clips computed" in err
    assert "[1/1]" in err
    assert "done already" in untrained("compare", "study.yaml", "--frontends", "[mfcc]")[2]
    (only_run,) = (tmp_path / "runs/small").glob("*/*/*/seed0")
    (only_run / "predictions-cv.csv").unlink()
    assert "[1/1]" in untrained("compare", "study.yaml", "--frontends", "[mfcc]")[2]


class Fragile(MFCC):
    """Fails when it is told to."""

    broken = True

    def forward(self, waveform):
        if Fragile.broken:
            raise RuntimeError("this plug-in\nfails")
        return super().forward(waveform)


class Refusing(NearestClass):
    """A back-end that cannot be fitted."""

    def fit(self, X, y):
        raise ValueError("cannot learn")


def test_a_run_that_fails_is_recorded_and_the_others_go_on(untrained, tmp_path):
    FRONTENDS.register("fragile")(Fragile)
    BACKENDS.register("refusing")(Refusing)
    Fragile.broken = True
    (tmp_path / "study.yaml").write_text(
        f"{{name: small, datamodules: [{TINY}], frontends: [fragile, mfcc], backends: [refusing, nearest_class]}}"
    )
    status, out, err = untrained("compare", "study.yaml")
    assert status == 1
    errors = {(row["front_end"], row["back_end"]): row["error"] for row in results_of(tmp_path)}
    assert errors.pop(("mfcc", "nearest_class")) == ""
    assert errors.pop(("mfcc", "refusing")) == "UsageError: Refusing cannot be fitted: cannot learn"
    assert set(errors.values()) == {"RuntimeError: this plug-in fails"}
    assert len(errors) == 2
    assert "nearest_class" in out
    assert "untrained: 3 runs failed; the same command tries them again" in err
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


class Slow(NearestClass):
    """Takes its time, and tells that it has begun."""

    def fit(self, X, y):
        Path("begun").touch()
        time.sleep(0.5)
        return super().fit(X, y)


def test_ctrl_c_keeps_what_is_done(untrained, tmp_path, monkeypatch):
    """A real process, which is interrupted in its second run and goes on from there."""
    (tmp_path / "study.yaml").write_text(LITTLE.replace("nearest_class", "slow"))
    source = "from pathlib import Path\nimport time\nfrom untrained.backends.nearest_class import NearestClass\n"
    source += f"class Slow(NearestClass):\n    {Slow.__doc__!r}\n"
    source += (
        "    def fit(self, X, y):\n        Path('begun').touch(); time.sleep(0.5)\n        return super().fit(X, y)\n"
    )
    (tmp_path / "slow.py").write_text(source)
    script = "import sys; sys.path.insert(0, '.'); from slow import Slow; from untrained.registry import BACKENDS\n"
    script += (
        "BACKENDS.register('slow')(Slow); from untrained.cli import main; sys.exit(main(['compare', 'study.yaml']))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    path = tmp_path / "runs/small/results.csv"
    while not path.is_file() or len(path.read_text().splitlines()) < 2:  # a header, and the first run
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith(
        "untrained: interrupted; what was computed so far is kept, and the same command goes on from there\n"
    )
    assert "Traceback" not in err
    assert len(results_of(tmp_path)) == 1
    monkeypatch.syspath_prepend(tmp_path)
    BACKENDS.register("slow")(importlib.import_module("slow").Slow)
    status, _, err = untrained("compare", "study.yaml")
    assert status == 0
    assert "1 of 2 runs are done already" in err
    assert len(results_of(tmp_path)) == 2


def test_a_dry_run_tells_what_is_there_and_leaves_nothing(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(LITTLE)
    status, out, err = untrained("compare", "study.yaml", "--dry_run")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "runs/small/synthetic-events/temporal-n_filters=4/nearest_class/seed0: to do, 0 of 32 embeddings are there",
        "runs/small/synthetic-events/mfcc/nearest_class/seed0: to do, 0 of 32 embeddings are there",
        "2 runs: 0 done, 2 to do; 64 embeddings to compute",
    ]
    assert out.splitlines()[3].startswith("about ")
    assert not (tmp_path / "runs").exists()
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", "--backends", "[nearest_class, elm]")
    assert status == 0
    assert "mfcc/nearest_class/seed0: done" in out
    assert "mfcc/elm/seed0: to do, 32 of 32 embeddings are there" in out
    assert "4 runs: 1 done, 3 to do; 32 embeddings to compute" in out
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", "--frontends", "[mfcc]")
    assert out.endswith("1 runs: 1 done, 0 to do; 0 embeddings to compute\n")


def test_a_study_lies_where_the_trainer_s_root_is(untrained, tmp_path, monkeypatch):
    """As with fit, null is the current folder, and ~ the user's."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "study.yaml").write_text(LITTLE)
    for given, root in (("null", tmp_path), ("~/runs", tmp_path / "home" / "runs"), ("runs/", Path("runs"))):
        root_of_runs = ["--trainer.default_root_dir", given]
        status, out, _ = untrained("compare", "study.yaml", "--frontends", "[mfcc]", "--dry_run", *root_of_runs)
        assert status == 0
        assert out.startswith(f"{root}/small/synthetic-events/mfcc/nearest_class/seed0: to do")


def test_axes_over_any_argument(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(
        LITTLE.replace("{n_filters: 4}", "{}")
        + "vary: {frontends: {n_filters: [4, 8]}, datamodules: {fit_length: [repeat, zero]}}\n"
    )
    arguments = ["--vary.backends.shrinking", "[true]", "--backends", "[{class_path: svm}, elm]", "--seeds", "[0, 1]"]
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", *arguments[2:])
    assert status == 0
    runs = [line.split(":")[0].removeprefix("runs/small/") for line in out.splitlines() if "seed" in line]
    front_ends = ["temporal-n_filters=4", "temporal-n_filters=8"]
    assert set(runs) == {
        f"synthetic-events-fit_length={fit}/{front_end}/{back_end}/seed{seed}"
        for fit in ("repeat", "zero")
        for front_end, back_end, seed in [
            *(
                (front_end, back_end, seed)
                for front_end in front_ends
                for back_end in ("svm", "elm")
                for seed in (0, 1)
            ),
            ("mfcc", "svm", 0),  # without randomness, it runs once
            *(("mfcc", "elm", seed) for seed in (0, 1)),
        ]
    }
    status, _, err = untrained("compare", "study.yaml", *arguments)
    assert status == 2
    assert "vary.backends.shrinking: none of the backends has this argument" in err


def test_everything_wrong_with_a_study_is_listed_at_once(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(
        """
        roots: {gtzan: null}
        datamodules:
          - synthetik
          - {class_path: folder, init_args: {root: nowhere}}
          - {class_path: gtzan, init_args: {root: "${....roots.gtzan}", n_sample: 3}}
          - {class_path: synthetic, init_args: {task: music}}
          - {class_path: synthetic, init_args: {folds: 2, clips_per_class: 4}}
        frontends:
          - vgg6
          - {class_path: vgg, init_args: {n_filter: 3}}
          - {class_path: vgg, init_args: {n_filters: 3}}
          - {class_path: temporal, init_args: {n_filters: many}}
          - {init_args: {}}
          - {class_path: torch.nn.Linear, init_args: {in_features: 3}}
          - {class_path: nowhere.Thing}
        backends: []
        vary: {frontends: {n_filters: [1], size: []}}
        model: {init: [he_trunc]}
        protocol: nested
        """
    )
    status, out, err = untrained("compare", "study.yaml", "--seeds", "[]")
    assert (status, out) == (2, "")
    first, *lines = err.splitlines()
    assert first == f"untrained: error: the study cannot run, for {len(lines)} reasons:"
    expected = {
        "roots.gtzan": "no folder is given; add --roots.gtzan DIR",
        "datamodules[0]": "unknown datamodule 'synthetik'; did you mean 'synthetic'?",
        "datamodules[1]": "no folder at root='nowhere'",
        "datamodules[2].n_sample": "gtzan has no such argument; did you mean 'n_samples'?",
        "datamodules[3].task": "Expected one of 'rhythm', 'timbre', 'events'",
        "datamodules[4]": "protocol 'nested' chooses on the folds that it does not score",
        "frontends[0]": "unknown front-end 'vgg6'; did you mean 'vgg'?",
        "frontends[1].n_filter": "vgg has no such argument; did you mean 'n_filters'? it takes n_filters, size, seed",
        "frontends[2].n_filters": "given here, and varied too; leave out one",
        "frontends[3].n_filters": "given here, and varied too; leave out one",
        "frontends[4]": "no class_path; expected a name",
        "frontends[5]": "torch.nn.Linear is no front-end; derive it from untrained.frontends.base.FrontEnd",
        "frontends[6]": "nowhere.Thing cannot be imported",
        "backends": "empty; give at least one",
        "seeds": "empty; give at least one",
        "vary.frontends.size": "empty; give at least one value",
        "model.init[0]": "Expected one of 'he_truncated'",
    }
    assert {line.strip().split(": ")[0] for line in lines} == set(expected)
    for place, message in expected.items():
        assert any(line.startswith(f"  {place}: {message}") for line in lines), place
    assert not (tmp_path / "runs").exists()
    # What a class itself refuses is found when it is made, which is before anything runs too.
    odd = "[{class_path: vgg, init_args: {n_filters: 0}}, {class_path: temporal, init_args: {n_filters: 3}}]"
    status, _, err = untrained("compare", "synthetic", "--frontends", odd)
    assert status == 2
    assert "frontends[0]: n_filters=0; expected an integer of 1 or more" in err
    assert "frontends[1]: n_filters=3; expected a multiple of 4, as 4" in err


def test_configuration_is_printed_and_read_back(untrained, tmp_path, capsys):
    (tmp_path / "study.yaml").write_text(LITTLE)
    with pytest.raises(SystemExit, match="0"):
        untrained("compare", "study.yaml", "--seeds", "[3]", "--print_config")
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["seeds"] == [3]
    (tmp_path / "again.yaml").write_text(printed)
    status, out, _ = untrained("compare", "again.yaml", "--dry_run")
    assert status == 0
    assert "temporal-n_filters=4/nearest_class/seed3: to do" in out


def test_entries_that_differ_and_entries_that_do_not(untrained, tmp_path):
    """Of two that differ each has its name, and the same one twice is one."""
    (tmp_path / "study.yaml").write_text(LITTLE)
    entries = "[{class_path: svm, init_args: {gamma: 0.5}}, {class_path: svm, init_args: {gamma: 0.25}}]"
    status, _, _ = untrained("compare", "study.yaml", "--backends", entries, "--frontends", "[mfcc, mfcc]")
    assert status == 0
    assert {(row["front_end"], row["back_end"]) for row in results_of(tmp_path)} == {
        ("mfcc", "svm-gamma=0.5"),
        ("mfcc", "svm-gamma=0.25"),
    }


def test_the_example_of_the_guide_is_a_study(sounds):
    guide = (Path(__file__).parents[1] / "docs" / "studies.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    load_names()
    config = study_parser().parse_object(yaml.safe_load(example.replace("~/sounds", str(sounds))))
    study = plan(config, "32-true", Path("runs"))
    assert {run.params["front_end"] for run in study.runs} == {
        *("vgg", "vgg-n_filters=64", "mfcc"),
        *("vgg-pooling=mean_std", "vgg-n_filters=64-pooling=mean_std"),
    }
    assert {run.params["back_end"] for run in study.runs} == {
        *("svm", "elm", "elm-alpha=1.0"),
        *("svm-standardize=zscore", "elm-standardize=zscore", "elm-alpha=1.0-standardize=zscore"),
    }
    # Two lengths; of five variants mfcc has no seeds with an SVM.
    assert len(study.runs) == 2 * (4 * 6 * 3 + 2 * 1 + 4 * 3)


def test_a_study_is_reproduced_by_the_settings_in_its_folder(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(LITTLE)
    assert untrained("compare", "study.yaml")[0] == 0
    shutil.move(tmp_path / "runs", tmp_path / "old")
    assert untrained("compare", "old/small/study.yaml")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "runs/small/results.jsonl").read_text().splitlines()]
    old = [json.loads(line) for line in (tmp_path / "old/small/results.jsonl").read_text().splitlines()]
    for line, former in zip(lines, old, strict=True):
        assert line["accuracy"] == former["accuracy"]
        assert line["metrics"]["identity"] == former["metrics"]["identity"]
        assert line["metrics"]["fold_scores"] == former["metrics"]["fold_scores"]


def test_no_run_is_lost_to_a_changed_study(untrained, tmp_path):
    """What is asked for again is there, under whatever name; TensorBoard is shown the study alone."""
    (tmp_path / "study.yaml").write_text(LITTLE)
    few = ["--frontends", "[mfcc]"]
    assert untrained("compare", "study.yaml", *few)[0] == 0
    other = ["--datamodules", f"[{TINY.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    assert "[1/1]" in untrained("compare", "study.yaml", *few, *other)[2]
    assert len(list((tmp_path / "runs/small").rglob("events*"))) == 1 + 1  # of the run, and of the study
    both = ["--datamodules", f"[{TINY}, {TINY.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    _, out, err = untrained("compare", "study.yaml", *few, *both)
    assert err == "2 of 2 runs are done already\n"
    assert "synthetic-events-clips_per_class=4" in out
    swapped = ["--datamodules", f"[{TINY.replace('clips_per_class: 4', 'clips_per_class: 5')}, {TINY}]"]
    assert untrained("compare", "study.yaml", *few, *swapped, "--seeds", "[3]")[2] == "2 of 2 runs are done already\n"
    assert untrained("compare", "study.yaml", *few)[2] == "1 of 1 runs are done already\n"
    assert [row["run"] for row in results_of(tmp_path)] == ["synthetic-events/mfcc/nearest_class/seed0"]
    assert "1 done, 0 to do" in untrained("compare", "study.yaml", *few, *other, "--dry_run")[1]
    metrics = tmp_path / "runs/small/synthetic-events/mfcc/nearest_class/seed0/metrics.json"
    told = metrics.read_text()
    for identity in ("of another version", "../../x", 3, ["a/b"]):
        metrics.write_text(json.dumps({**json.loads(told), "identity": identity}))
        assert "0 done, 1 to do" in untrained("compare", "study.yaml", *few, "--dry_run")[1]
    earlier = tmp_path / "runs" / "small-earlier"
    kept = set(earlier.iterdir())
    for damaged in ("", metrics.read_text()):
        metrics.write_text(damaged)
        assert "[1/1]" in untrained("compare", "study.yaml", *few)[2]
    assert {path.name for path in set(earlier.iterdir()) - kept} == {"__a_b__"}
    assert untrained("compare", "study.yaml", *few, *other)[2] == "1 of 1 runs are done already\n"  # it was put aside


def test_one_command_at_a_time_works_on_a_study(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(LITTLE)
    with held(tmp_path / "runs/small", "nothing"):
        status, out, err = untrained("compare", "study.yaml")
    assert (status, out) == (1, "")
    assert "runs/small is in use by process" in err
    assert err.endswith("wait until that has ended, or give the study another --name\n")


def test_a_study_whose_runs_all_fail_keeps_no_old_report(untrained, tmp_path):
    BACKENDS.register("refusing")(Refusing)
    (tmp_path / "study.yaml").write_text(LITTLE)
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    status, out, _ = untrained("compare", "study.yaml", "--frontends", "[mfcc]", "--backends", "[refusing]")
    assert status == 1
    assert "accuracy" not in out
    assert "## Failed: 1 runs" in (tmp_path / "runs/small/report.md").read_text()
    assert not (tmp_path / "runs/small/results.png").exists()


class RaisesWhenMade(MFCC):
    """Raises when it is made."""

    def __init__(self, *, seed: int = 0) -> None:
        raise KeyError("what it needs")


class SaysNothing(MFCC):
    """Raises without a text."""

    def __init__(self, *, seed: int = 0) -> None:
        raise NotImplementedError


def test_what_a_plug_in_raises_is_one_line_in_every_command(untrained):
    FRONTENDS.register("raises_when_made")(RaisesWhenMade)
    FRONTENDS.register("says_nothing")(SaysNothing)
    tiny = ["--data", "synthetic", "--data.n_samples", "4000"]
    no_module = "module='nosuch' cannot be imported (ModuleNotFoundError: No module named 'nosuch')"
    for front_end, message in (
        (["raises_when_made"], "KeyError: 'what it needs'"),
        (["says_nothing"], "a plug-in raises an error without a text when it is made; make it in Python"),
        (["hear", "module", "nosuch"], no_module),
    ):
        name, *option = front_end
        argument = {option[0]: option[1]} if option else {}
        for command in (
            ["predict", *tiny, "--model.frontend"],
            ["fit", *tiny, "--model.backend", "elm", "--model.frontend"],
            ["check", "frontend"],
        ):
            flag = "--frontend" if command[0] == "check" else "--model.frontend"
            more = [f"{flag}.{option[0]}", option[1]] if option else []
            status, out, err = untrained(*command, name, *more)
            assert (status, out) == (2, "")
            assert err.startswith(f"untrained: error: {message}")
            assert err.count("\n") == 1
        entry = json.dumps([{"class_path": name, "init_args": argument}])
        status, _, err = untrained("compare", "--frontends", entry)
        assert status == 2
        assert err == f"untrained: error: frontends[0]: {message if 'says' not in name else 'NotImplementedError'}\n"


def test_a_configuration_that_is_no_utf_8_is_named(untrained, tmp_path):
    (tmp_path / "bad.yaml").write_bytes("name: café".encode("latin-1"))
    (tmp_path / "outer.yaml").write_text("trainer: bad.yaml\n")
    for command in ("compare bad.yaml", "fit --config bad.yaml", "check data --config=bad.yaml"):
        status, _, err = untrained(*command.split())
        assert status == 2
        reason = "unexpected end of data at byte 9"
        assert err == f"untrained: error: bad.yaml is not UTF-8 ({reason}); save it as UTF-8\n"
    status, _, err = untrained("compare", "outer.yaml")
    assert status == 2
    assert "a file that the configuration names is not UTF-8" in err


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("frontends: [raises_when_made]", "frontends[0]: KeyError: 'what it needs'"),
        ("frontends: null", "frontends: nothing is given"),
        ("vary: null", "vary: nothing is given"),
        ("vary: {frontends: null}", "vary.frontends: nothing is given"),
        ("model: null", "model: nothing is given"),
        ("roots: null", "roots: nothing is given"),
        ("seeds: 0", "--seeds: "),
        ("seeds: [many]", "seeds[0]: Expected int"),
        ("seeds: [-1]", "frontends[0]: seed=-1; expected an integer of 0 or more"),
        ("frontends: temporal", "--frontends: "),
        (
            "frontends: [{class_path: temporal, init_args: [1]}]",
            "frontends[0].init_args: [1]; expected arguments by name",
        ),
        (
            "frontends: [{class_path: temporal, init_args: {1: 2}}]",
            "frontends[0].init_args: {1: 2}; expected arguments",
        ),
        ("frontends: [os.path]", "frontends[0]: os.path is no front-end"),
        (
            "frontends: [{class_path: temporal, init_args: {seed: 1}}]",
            "frontends[0].seed: seeds of front-ends and back-ends",
        ),
        ("vary: {frontends: {seed: [1]}}", "frontends[0].seed: seeds of front-ends and back-ends"),
        ("vary: {frontends: {n_filters: 4}}", "--vary.frontends"),
        ("name: ''", "name: ''; expected the name of a folder"),
        ("name: ../x", "name: '../x'; expected the name of a folder"),
        ("name: embeddings", "name: 'embeddings'; expected the name of a folder"),
        ("something: 1", "something"),
    ],
)
def test_odd_studies_end_in_one_message(untrained, tmp_path, study, message):
    FRONTENDS.register("raises_when_made")(RaisesWhenMade)
    text = {**yaml.safe_load(LITTLE), "frontends": ["temporal"], **yaml.safe_load(study)}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(text))
    status, out, err = untrained("compare", "study.yaml")
    assert (status, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()
