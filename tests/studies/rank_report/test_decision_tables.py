import re
from dataclasses import replace

import numpy as np
from untrained.studies.rank_analysis.analysis import Agreement, Band
from untrained.studies.rank_report.decision_tables import agreement_table, decisions, without_band, worth
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


def test_the_lower_end_of_a_band_says_from_where_on_an_order_is_likely():
    places, p = np.array([0.0, 5.0, 10.0]), np.array([0.5, 0.95, 1.0])
    found = Agreement(places, p, np.array([0.4, 0.8, 0.92]), np.array([0.6, 0.99, 1.0]), [])
    assert worth(found) == [
        "From a difference of 10.0 points on, the same order is at least 90 % likely (lower end of the band)."
    ]
    assert worth(replace(found, low=np.array([0.4, 0.8, 0.89]))) == []
    assert worth(replace(found, low=np.array([0.4, 0.8, 1.0]))) == []  # all drawn pairs agree
    assert worth(replace(found, low=np.full(3, np.nan))) == []
    assert worth(Agreement(*[np.empty(0)] * 4, [])) == []


def test_differences_without_a_band_are_counted_in_pairs(whole):
    found, last = whole.analysis.agreement, len(whole.analysis.agreement.low) - 1
    ones = [np.where(np.arange(last + 1) > last - 3, 1.0, values) for values in (found.probability, found.low)]
    high = np.maximum(found.high, found.low + 0.1)
    bare = replace(found, probability=ones[0], low=ones[1], high=np.where(ones[1] == 1, 1.0, high))
    (said,) = without_band(replace(whole.analysis, agreement=bare))
    assert re.search(r"was the same in .*pairs? of \d+ architectures with a difference of [\d.]+ points or more", said)
    assert said.endswith("too few for a band.")
    banded = replace(found, low=np.full(last + 1, 0.5), high=np.full(last + 1, 0.9))
    assert without_band(replace(whole.analysis, agreement=banded)) == []
