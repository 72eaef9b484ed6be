import json
import shutil
from pathlib import Path

import pytest
import yaml


def test_configuration_is_printed_and_read_back(untrained, tmp_path, capsys, little):
    (tmp_path / "study.yaml").write_text(little)
    with pytest.raises(SystemExit, match="0"):
        untrained("compare", "study.yaml", "--seeds", "[3]", "--print_config")
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["seeds"] == [3]
    (tmp_path / "again.yaml").write_text(printed)
    status, out, _ = untrained("compare", "again.yaml", "--dry_run")
    assert status == 0
    assert "temporal-n_filters=4/nearest_class/seed3: to do" in out


def test_a_study_is_in_the_root_folder_of_the_trainer(untrained, tmp_path, monkeypatch, little):
    """As with fit, null is the current folder and ~ the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "study.yaml").write_text(little)
    for given, root in (("null", tmp_path), ("~/runs", tmp_path / "home" / "runs"), ("runs/", Path("runs"))):
        root_of_runs = ["--trainer.default_root_dir", given]
        status, out, _ = untrained("compare", "study.yaml", "--frontends", "[mfcc]", "--dry_run", *root_of_runs)
        assert status == 0
        assert out.startswith(f"{root}/small/synthetic-events/mfcc/nearest_class/seed0: to do")


def test_a_study_is_reproduced_by_the_configuration_in_its_folder(untrained, tmp_path, monkeypatch, little):
    (tmp_path / "study.yaml").write_text(little)
    shown = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(address) or True)
    assert untrained("compare", "--open", "study.yaml")[0] == 0
    assert shown == [(tmp_path / "runs/small/report.html").as_uri()]
    assert "open" not in yaml.safe_load((tmp_path / "runs/small/study.yaml").read_text())
    shutil.move(tmp_path / "runs", tmp_path / "old")
    assert untrained("compare", "old/small/study.yaml")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "runs/small/results.jsonl").read_text().splitlines()]
    old = [json.loads(line) for line in (tmp_path / "old/small/results.jsonl").read_text().splitlines()]
    for line, former in zip(lines, old, strict=True):
        assert line["accuracy"] == former["accuracy"]
        assert line["metrics"]["identity"] == former["metrics"]["identity"]
        assert line["metrics"]["fold_scores"] == former["metrics"]["fold_scores"]
