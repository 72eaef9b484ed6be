import json
import re
import shutil

import pytest
from untrained.studies import tables
from untrained.studies.tables import (
    candidate_tables,
    cost_table,
    data_table,
    difference_tables,
    note_list,
    repeat,
    result_table,
    version_table,
)


def text_of(parts):
    return " ".join(re.sub("<[^>]*>", " ", "".join(parts)).split())


def test_results_are_sortable_by_their_values(analysis):
    drawn = "".join(result_table(analysis))
    rows = re.findall(r"<tr><th.*?</tr>", drawn[drawn.index("<tbody") :])
    assert len(rows) == len(analysis.cells)
    found = [re.findall(r'data-value="([^"]*)"', row)[0] for row in rows]
    cells = [sorted(analysis.of(dataset), key=lambda cell: -cell.accuracy) for dataset in analysis.datasets]
    assert found == [f"{cell.accuracy:.6g}" for several in cells for cell in several]
    assert drawn.count('aria-sort="none"') == drawn.count('<button type="button">')
    assert 'data-filters="results-table"' in drawn  # two data sets


def test_data_sets_and_costs_agree_with_the_report(study, analysis):
    report = (study / "report.md").read_text()
    found = text_of([data_table(analysis, {"nested": "N", "holdout": "H"})])
    assert "synthetic-events 48 8 12.5 % nested: N" in found
    for row in re.findall(r"<tr>(<th scope=\"row\".*?)</tr>", cost_table(analysis)):
        assert "| " + " | ".join(re.findall(r">([^<]+)</t", row)) + " |" in report


def test_differences_are_limited_to_keep_the_page_small(study, analysis, monkeypatch):
    drawn = difference_tables(analysis)
    assert len(drawn) == 2
    assert "All pairs: synthetic-events, nearest_class Row minus column, in points" in text_of(drawn)
    monkeypatch.setattr(tables, "MAX_PAIRS", 20)
    assert "All of them are in comparisons.csv" in text_of(difference_tables(analysis))


def test_candidates_notes_and_versions_are_read_from_the_runs(study, analysis, tmp_path):
    assert "temporal-n_filters=4 synthetic-events nearest_class 1 no arguments" in text_of(
        candidate_tables(study, analysis)
    )
    folder = shutil.copytree(study, tmp_path / "copy", ignore=shutil.ignore_patterns("_study"))
    first, second = [cell.first.run for cell in analysis.cells.values()][:2]
    lines = [f"C={index},{0.9 - index / 100},{int(index == 1)}" for index in range(12)]
    (folder / first / "candidates.csv").write_text("\n".join(["arguments,accuracy,is_chosen", *lines]))
    (folder / second / "candidates.csv").unlink()
    found = text_of(candidate_tables(folder, analysis))
    assert "nearest_class not recorded no arguments" in found
    assert "C=0 90.0 C=1 89.0 chosen C=2 88.0" in found
    assert "; 4 more in candidates.csv" in found
    metrics = json.loads((folder / first / "metrics.json").read_text())
    changed = {**metrics, "notes": ["<odd>"], "n_failed": 2, "versions": {"torch": "0.0.1"}}
    (folder / first / "metrics.json").write_text(json.dumps(changed))
    notes = "".join(note_list(folder, analysis))
    assert "&lt;odd&gt; (<code>" in notes
    assert "2 clips could not be read and were skipped." in notes
    versions = text_of(version_table(folder, analysis))
    assert re.search(r"torch [\d.+a-z]*, 0\.0\.1|torch 0\.0\.1, ", versions)
    assert "Code versions of the computations: " in versions


@pytest.mark.parametrize(("config", "said"), [("", "no study.yaml"), ("name: <x>", "name: &lt;x&gt;")])
def test_the_page_shows_how_to_reproduce_a_study(config, said):
    assert said in "".join(repeat(config))
