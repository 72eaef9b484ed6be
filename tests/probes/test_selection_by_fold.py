"""Selection with embeddings of each fold: as `select` if they are equal, and without leaks if they differ."""

import numpy as np
import pytest
from untrained.backends.svm import SVMClassifier
from untrained.datamodules import Clip
from untrained.probes.selection import select
from untrained.probes.selection_by_fold import select_by_fold


class SmallSVM(SVMClassifier):
    param_grid = {"C": [0.01, 1.0, 100.0], "gamma": [0.01, 1.0]}


CLIPS = [Clip(f"{i:03d}", str(i % 2), fold=i // 2 % 4) for i in range(64)]


@pytest.fixture
def problem():
    y = np.arange(64) % 2
    return np.random.default_rng(0).standard_normal((64, 3)) + y[:, None], y


@pytest.mark.parametrize("protocol", ["nested", "study"])
def test_equal_embeddings_give_the_selection_of_all_folds_at_once(problem, protocol):
    X, y = problem
    expected = select(SmallSVM(), X, y, CLIPS, protocol)
    found = select_by_fold(SmallSVM(), X, lambda fold: X, y, CLIPS, protocol)
    assert found.fold_scores == expected.fold_scores
    assert found.best_candidate == expected.best_candidate
    np.testing.assert_array_equal(found.predictions, expected.predictions)
    np.testing.assert_array_equal(found.scored, expected.scored)
    assert found.calibration.inverse_temperature == pytest.approx(expected.calibration.inverse_temperature)
    assert found.selected_on_test == expected.selected_on_test == (protocol == "study")


def test_each_fold_is_scored_on_its_own_embeddings(problem):
    X, y = problem
    noise = np.random.default_rng(1).standard_normal(X.shape)
    of_fold = {0: noise, 1: X + 100 * y[:, None], 2: X, 3: X}
    found = select_by_fold(SmallSVM(), X, of_fold.__getitem__, y, CLIPS, "nested")
    assert found.fold_scores[0] < 0.8
    assert found.fold_scores[1] == 1.0
    expected = SmallSVM(**found.best_candidate).fit(X, y)  # the model reads the embeddings of all clips
    np.testing.assert_array_equal(found.model.predict(X), expected.predict(X))
