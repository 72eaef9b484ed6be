from dataclasses import replace

import numpy as np
from untrained.studies.rank_analysis.analysis import Agreement, Band
from untrained.studies.rank_report.decision_tables import agreement_table, decisions, worth
from untrained.studies.rank_report.document import Table, Text


def test_regret_has_a_row_for_each_task_and_the_mean(whole):
    regret, search = (part for part in decisions(whole.analysis) if isinstance(part, Table))
    n = len(whole.analysis.decisions.regrets)
    assert [row[0] for row in regret.rows] == ["mean over tasks"] * n + ["task-0"] * n + ["task-1"] * n
    first = whole.analysis.decisions.regrets[0]
    assert regret.rows[0][1:3] == ["1 of 12", f"{first.points:.1f}".replace("-0.0", "0.0")]
    within = whole.analysis.decisions.searches[0].n_within_point
    assert search.rows[0][2:] == [str(within[order]) for order in ("untrained", "random", "parameters")]


def test_too_few_architectures_have_no_regret(nothing, parts):
    study = parts(lambda record: record.item.arm == "random")
    assert decisions(study.analysis) == [Text("Too few architectures have both scores.")]


def test_what_a_difference_is_worth():
    bands = [Band(0, 2, 0.5, 100), Band(20, np.inf, np.nan, 0)]
    places = np.array([0.0, 5.0, 10.0])
    found = Agreement(places, np.array([0.5, 0.8, 0.95]), places, places, bands)
    assert [list(row) for row in agreement_table(found).rows] == [["0 to 2", "50", "100"], ["over 20", "–", "0"]]
    assert worth(found) == ["From a difference of 10.0 points on, the same order is at least 90 % likely."]
    assert "No difference" in worth(replace(found, probability=np.array([0.5, 0.6, 0.7])))[0]
    assert worth(replace(found, difference=np.empty(0), probability=np.empty(0))) == []
