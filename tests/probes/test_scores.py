import numpy as np
import pytest
from untrained.datamodules import Clip
from untrained.probes.scores import all_scores, candidates_of, predictions_for
from untrained.probes.selection import Selection

CLIPS = [Clip("a", "high", group="g"), Clip("b", "low"), Clip("c", "low")]


def test_predictions_and_scores_have_names():
    predictions = predictions_for(CLIPS, np.array([0, 1, 0]), ["high", "low"], ["0", "0", "1"])
    assert predictions.predicted == ["high", "low", "high"]
    assert predictions.groups == ["g", "", ""]
    scores = all_scores("cv/accuracy", 0.5, predictions)
    assert scores["cv/accuracy"] == 0.5  # the mean over folds, which is passed in
    assert scores["cv/balanced_accuracy"] == pytest.approx((1 + 0.5) / 2)


def test_the_best_candidate_is_marked_as_chosen():
    selection = Selection("nested", None, [{"C": 1}, {"C": 2}], [0.4, 0.6], 1, "cv/accuracy", 0.6, None, None)
    assert [(each.arguments, each.accuracy, each.is_chosen) for each in candidates_of(selection)] == [
        ("C=1", 0.4, False),
        ("C=2", 0.6, True),
    ]
