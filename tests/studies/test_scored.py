import numpy as np
from untrained.probes.record import Predictions
from untrained.studies.scored import align


def made(ids, predicted, folds=None, groups=None):
    n = len(ids)
    return Predictions(list(ids), folds or [""] * n, groups or [""] * n, ["x"] * n, list(predicted))


def test_only_common_clips_are_kept_in_the_same_order():
    scored = align([[made("abc", "xyx"), made("cba", "xxy")], [made("bcd", "xyx")]])
    assert scored.clips.ids == ["b", "c"]
    assert [table.tolist() for table in scored.correct] == [[[0, 1], [1, 1]], [[1, 0]]]
    nothing = align([[made("ab", "xx")], [made("cd", "xx")]])
    assert nothing.clips.ids == []
    assert not nothing.can_be_tested
    assert not align([]).can_be_tested


def test_each_fold_counts_equally():
    scored = align([[made("abcd", "xxyy", folds=["0", "0", "0", "1"])]])
    assert np.mean(scored.correct[0] * scored.weights) == np.mean([2 / 3, 0])
    assert np.mean(scored.weights) == 1


def test_clips_of_a_single_group_cannot_be_tested():
    assert not align([[made("abc", "xxy", groups=["g"] * 3)]]).can_be_tested
    assert align([[made("abc", "xxy", groups=["g", "g", ""])]]).can_be_tested
