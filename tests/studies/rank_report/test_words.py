from math import inf, nan

import pytest
from untrained.studies.rank_analysis.statistics import Statistic
from untrained.studies.rank_report.words import (
    UNKNOWN,
    as_p,
    band,
    count,
    estimate,
    interval,
    listed,
    number,
    percent,
    probability,
    several,
    signed,
)


@pytest.mark.parametrize("text", [number(nan), signed(nan), percent(inf), count(nan), probability(nan)])
def test_what_cannot_be_estimated_is_a_dash(text):
    assert text == UNKNOWN


def test_zero_has_no_sign():
    assert (number(-0.004), signed(-0.004), signed(0.004), signed(-0.006)) == ("0.00", "0.00", "0.00", "-0.01")


def test_an_estimate_without_an_interval_is_a_number_alone():
    assert estimate(Statistic(0.5)) == "0.50"
    assert interval(Statistic(0.5, 0.1, nan)) == UNKNOWN
    assert estimate(Statistic(nan, 0.1, 0.9)) == UNKNOWN


def test_text_of_counts_and_names():
    assert (several(0, "item"), several(1, "item"), several(1200, "item")) == ("0 items", "1 item", "1,200 items")
    assert listed(["a", "b"], 2) == "a, b"
    assert (band(0, 2), band(20, inf)) == ("0 to 2", "over 20")
    assert (as_p(0.5), as_p(0)) == ("p = 0.5", "p < 0.0001")
