from dataclasses import replace

import pytest
from untrained.studies.rank_report.document import Text
from untrained.studies.rank_report.rival_tables import budget_table, budgets, rival_table, rivals, title


def test_every_rival_has_a_row_with_its_difference(whole):
    table = rival_table(whole.analysis)
    rows = {row[0]: row for row in table.rows}
    assert len(rows) == 11
    assert all(len(row) == len(table.header) for row in table.rows)
    naswot = next(rival for rival in whole.analysis.rivals if rival.name == "naswot")
    assert rows["naswot"][2] == f"{naswot.by_task['task-0']:.2f}"
    assert rows["naswot"][4].startswith(f"{naswot.difference.value:+.2f}")
    assert rows["untrained accuracy (u)"][4] == ""


def test_values_that_are_not_finite_are_counted(whole):
    said = [part.text for part in rivals(whole, whole.analysis) if isinstance(part, Text)]
    assert "Values that are not finite, over all tasks: jacob_cov (2)." in said


def test_a_budget_says_what_is_read_and_how_long_it_takes(whole, nothing):
    found = budgets(whole)
    assert found["untrained accuracy (u)"].labels == "960"
    assert found["untrained accuracy (u)"].forward == "1,200"
    assert found["untrained accuracy (u)"].seconds == pytest.approx(1.5)
    assert (found["naswot"].labels, found["naswot"].forward, found["naswot"].seconds) == (
        "0",
        "64",
        pytest.approx(0.02),
    )
    assert found["zico"].backward == "128"
    assert found["one_epoch"].seconds == pytest.approx(1.5 * 720 / 4800)
    assert found["n_parameters"].seconds is None
    assert budgets(nothing)["naswot"].seconds is None


def test_proxies_that_the_study_does_not_compute_have_no_budget(whole):
    settings = {**whole.protocol["settings"], "proxies": ["zico"]}
    rows = [row[0] for row in budget_table(replace(whole, protocol={**whole.protocol, "settings": settings})).rows]
    assert "zico" in rows
    assert "naswot" not in rows


def test_predictors_have_names_for_readers():
    assert (title("n_parameters"), title("naswot")) == ("parameters", "naswot")
