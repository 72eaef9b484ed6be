import re

import pytest
from untrained import FRONTENDS
from untrained.frontends import Frontend
from untrained.probes.run import frontend_label
from untrained.studies.analysis import analyse
from untrained.studies.published import _ROWS
from untrained.studies.report import markdown
from untrained.studies.results import Failure


def test_published_accuracies_are_shown_next_to_results(tmp_path, made, kept):
    svm = "svm-standardize=none"
    results = [
        kept(tmp_path, made("vgg-large", seed, backend=svm, accuracy=0.55 + 0.1 * seed), 33 + 6 * seed)
        for seed in (0, 1)
    ]
    results.append(kept(tmp_path, made("vgg", backend=svm), 30))
    analysis = analyse(results, tmp_path)
    assert analysis.cells["my copy", "vgg-large", svm].published == pytest.approx(0.5965)
    assert analysis.cells["my copy", "vgg", svm].published is None
    shorter = analyse([kept(tmp_path, made("vgg-large", backend=svm, datamodule="gtzan-n_samples=8000"), 30)], tmp_path)
    assert shorter.cells["my copy", "vgg-large", svm].published is None
    report = markdown(analysis, [Failure("gtzan", "temporal", "svm", 0, "x", "Error: a | b")], "mine")
    (row,) = re.findall(r"^\| vgg-large \|.*%?\| \+?.*$", report, re.MULTILINE)[:1]
    cells = [cell.strip() for cell in row.split("|")]
    assert "60.0" in cells  # the mean
    assert "7.1" in cells  # the deviation over two seeds
    assert cells[-3:-1] == ["59.6", "+0.4"] or cells[-3:-1] == ["59.7", "+0.4"]
    assert "Protocol `holdout`" in report
    assert "Error: a \\| b" in report


def test_published_names_are_those_of_frontends(monkeypatch):
    """Every published name is the label of a frontend; weights are not drawn, because only labels matter."""
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
