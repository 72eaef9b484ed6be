import pytest
from untrained.studies.rank_report.architecture_table import architecture_table


def test_all_architectures_are_listed_with_their_scores(whole):
    table = architecture_table(whole.data, whole.analysis)
    assert len(table.rows) == 27
    assert list(table.header[:6]) == ["architecture", "family", "input", "parameters", "features", "MFLOP per clip"]
    assert all(len(row) == len(table.header) for row in table.rows)
    assert sum("(apart)" in row[0] for row in table.rows) == 3
    index = whole.analysis.architectures.index(table.rows[0][0].removesuffix(" (apart)"))
    scores = whole.analysis.tasks[0].scores
    assert table.rows[0][6].startswith(f"{100 * scores.untrained[index]:.1f} ± ")
    trained = [sum(float(row[column].split(" ")[0]) for column in (7, 9)) for row in table.rows]
    assert trained == pytest.approx(sorted(trained, reverse=True), abs=0.21)


def test_architectures_without_a_trained_score_come_last(parts, made):
    name = made[0]["architectures"][0]["name"]
    study = parts(lambda record: record.item.architecture != name or record.item.arm == "random")
    last = architecture_table(study.data, study.analysis).rows[-1]
    assert last[0] == name
    assert last[7] == "–"
