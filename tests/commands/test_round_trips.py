"""Configurations that commands write can be read back, whatever the names of folders."""

import json
import os

import pytest
import yaml
from untrained.files import as_path, as_yaml, unescaped

NAMES = ["1e3", "12e4", "null", "yes", "0x10", "1_000", "~", ".inf", "2020-01-01", "1:30", "012", "a: b", "a #b", "'q'"]
NAMES += ['"q"', "#1", "- x", "[x]", "{a: b}", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "=", "<<", "é", " a", "a:"]
NAMES += [
    "${x}",
    "\\${x}",
    "two\nlines",
    "tab\t",
    "",
    "b\udcff",
    "sounds",
    "/data/my-sounds.v2",
    "-1",
    "+1",
    "NaN",
    "On",
]


@pytest.mark.parametrize("name", NAMES)
def test_text_is_read_back_as_text(name):
    text = as_yaml({"root": name, "list": [name]})
    assert yaml.safe_load(text) == {"root": name, "list": [name]}
    assert unescaped(yaml.safe_load(as_yaml([name], literal=True))) == [name]


def test_unambiguous_names_are_not_quoted():
    assert as_yaml({"class_path": "untrained.datamodules.names.folder", "root": "/data/a"}).count("'") == 0


@pytest.mark.parametrize("name", ["1e3", "#1 hits", "null", "~", "-x", os.fsdecode(b"b\xff")])
def test_a_fit_is_repeated_by_its_configuration(untrained, sounds, tmp_path, name):
    (tmp_path / name).symlink_to(sounds)
    options = ["--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "nearest_class"]
    status, out, err = untrained("fit", "--data", "folder", "--data.root", name, *options)
    assert status == 0, ascii(err)
    run = tmp_path / out.strip().splitlines()[-1].removeprefix("-> ")
    status, again, err = untrained("fit", "--config", run / "config.yaml")
    assert status == 0, ascii(err)
    assert again.splitlines()[-1] == out.splitlines()[-1]
    assert "nothing to do" in again


def test_a_study_is_repeated_by_its_configurations(untrained, sounds, tmp_path):
    (tmp_path / "1e3").symlink_to(sounds)
    data = "[{class_path: folder, init_args: {root: '1e3', n_samples: 4000, folds: 3}}]"
    small = ["--frontends", "[mfcc]", "--backends", "[nearest_class]", "--controls", "[]", "--name", "12e4"]
    assert untrained("compare", "--datamodules", data, *small)[0] == 0
    for config in (
        "study.yaml",
        next(tmp_path.glob("runs/12e4/*/*/*/*/config.yaml")).relative_to(tmp_path / "runs/12e4"),
    ):
        command = ["compare"] if config == "study.yaml" else ["fit", "--config"]
        status, _, err = untrained(*command, tmp_path / "runs/12e4" / config)
        assert status == 0, err


def test_a_home_folder_that_does_not_exist_is_a_user_error(untrained):
    status, _, err = untrained("check", "data", "--data", "folder", "--data.root", "~nobody-here/x")
    assert status == 2
    assert "names the home of a user who does not exist" in err
    assert as_path("~").is_absolute()


def test_candidates_that_fail_are_in_the_metrics(untrained, sounds, tmp_path):
    options = ["--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "sklearn"]
    options += ["--model.backend.estimator", "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"]
    options += ["--model.backend.grid", "[{solver: [svd], shrinkage: [null, auto]}]"]
    with pytest.warns(UserWarning, match="1 of 2 candidates of AnyClassifier cannot be fitted and are skipped"):
        status, out, _ = untrained("fit", "--data", "folder", "--data.root", sounds, *options)
    assert status == 0
    metrics = json.loads((tmp_path / out.strip().splitlines()[-1].removeprefix("-> ") / "metrics.json").read_text())
    (failed,) = metrics["failed_candidates"]
    assert failed["candidate"]["arguments"]["shrinkage"] == "auto"
    assert failed["reason"].startswith("NotImplementedError: shrinkage not supported")
