"""The rule of the verdict, and studies that are too small."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from untrained.studies.rank_analysis.statistics import Statistic
from untrained.studies.rank_analysis.verdict import MAX_WIDTH, MIN_ARCHITECTURES, verdict


def judge(headline, within, partial, more, *, n=80, high=0.9, left_out=()):
    pooled = SimpleNamespace(
        rho=Statistic(0.7, headline, high),
        within_family=Statistic(0.5, within, 0.9),
        partial=SimpleNamespace(rho=Statistic(0.5, partial, 0.9)),
    )
    return verdict(pooled, Statistic(0.5, more, 0.9), [80, n], left_out)


@pytest.mark.parametrize(
    ("lows", "text"),
    [
        ((0.51, 0.01, 0.01, 0.01), "predicts, beyond size"),
        ((0.51, 0.01, 0.01, 0.0), "predicts"),
        ((0.51, 0.01, -0.1, 0.1), "predicts"),
        ((0.51, 0.0, 0.1, 0.1), "between families only"),
        ((0.5, 0.1, 0.1, 0.1), "not shown"),
        ((0.6, np.nan, 0.1, 0.1), "between families only"),
    ],
)
def test_the_first_statement_whose_conditions_hold(lows, text):
    found = judge(*lows)
    assert found.text == text
    limits = (0.5, 0, 0, 0)
    assert [one.holds for one in found.conditions] == [low > limit for low, limit in zip(lows, limits, strict=True)]
    assert found.too_small == ""


def test_a_study_may_be_too_small():
    unknown = "the interval of the headline cannot be estimated"
    assert judge(0.6, 0.1, 0.1, 0.1, n=8).too_small == "8 architectures in a task; expected 9 or more"
    assert judge(0.6, 0.1, 0.1, 0.1, n=1).too_small == "1 architecture in a task; expected 9 or more"
    assert (MIN_ARCHITECTURES, MAX_WIDTH) == (9, 0.6)
    assert judge(0.6, 0.1, 0.1, 0.1, high=np.nan).too_small == unknown
    assert "0.65 wide; expected 0.6 or less" in judge(0.25, 0.1, 0.1, 0.1, high=0.9).too_small
    assert judge(0.6, 0.1, 0.1, 0.1, left_out=["rhythm"]).too_small == "the correlation cannot be estimated on rhythm"
    nothing = judge(np.nan, 0.1, 0.1, 0.1)
    assert (nothing.text, nothing.conditions[0].holds) == ("not shown", False)
    assert nothing.too_small == unknown


def test_conditions_keep_their_numbers():
    first = judge(0.6, 0.1, 0.1, 0.1).conditions[0]
    assert (first.statistic.value, first.limit) == (0.7, 0.5)
    assert not replace(first, limit=0.6).holds
