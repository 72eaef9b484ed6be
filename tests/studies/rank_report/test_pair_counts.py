from math import nan

import numpy as np
from untrained.studies.rank_analysis.analysis import Agreement
from untrained.studies.rank_report.pair_counts import Pair, has_band, in_pairs, pairs_of


def test_pairs_lie_within_a_task_and_leave_out_those_apart_and_without_a_score():
    untrained, trained = [0.5, 0.6, 0.9, 0.7, 0.7, 0.1], [0.3, 0.2, 0.8, None, 0.2, nan]
    found = pairs_of([(untrained, trained), (untrained[:2] + [None] * 4, trained)], [False] * 4 + [True, False])
    assert found == [
        Pair(10.0, False, 0, 1),
        Pair(40.0, True, 0, 2),
        Pair(30.0, True, 1, 2),
        Pair(10.0, False, 0, 1),
    ]


def test_pairs_from_a_difference_on_are_counted_with_their_architectures():
    pairs = [Pair(2.0, False, 0, 1), Pair(10.0, True, 0, 2), Pair(30.5, True, 1, 2), Pair(10.0, True, 0, 2)]
    assert in_pairs(pairs, 10.0) == "in all 3 pairs of 3 architectures with a difference of 10.0 points or more"
    assert in_pairs(pairs, 0.0).startswith("in 3 of 4 pairs of 3 architectures")
    assert in_pairs(pairs, 99.0) == "in the only pair of 2 architectures with a difference of 30.5 points or more"
    assert in_pairs([], 1.0) == "in no pair"


def test_a_band_that_is_empty_or_unknown_says_nothing():
    low, high = np.array([0.2, 1.0, nan]), np.array([0.9, 1.0, 0.9])
    assert has_band(Agreement(low, low, low, high, [])).tolist() == [True, False, False]
