import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from untrained.metrics import score


@pytest.fixture
def outcome():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 25, 15])
    return labels, np.where(rng.random(100) < 0.7, labels, rng.integers(0, 3, 100))


def test_classes_count_alike(outcome):
    labels, predictions = outcome
    shares = [(predictions[labels == label] == label).mean() for label in range(3)]
    scores = score(labels, predictions, [100])
    assert scores.balanced_accuracy == pytest.approx(np.mean(shares))
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predictions))
    assert abs(scores.balanced_accuracy - (labels == predictions).mean()) > 0.01
    f1 = []
    for label in range(3):
        right = np.sum((labels == label) & (predictions == label))
        f1.append(2 * right / (np.sum(labels == label) + np.sum(predictions == label)))
    assert scores.macro_f1 == pytest.approx(np.mean(f1))


@pytest.mark.filterwarnings("error")
def test_classes_that_are_not_there_do_not_count():
    assert score(np.array([0, 0, 1]), np.array([0, 2, 1]), [3]).balanced_accuracy == pytest.approx(0.75)


@pytest.mark.parametrize("fold_sizes", [[100], [80, 10, 10], [34, 33, 33]])
def test_interval_is_the_bootstrap_of_the_mean_over_folds(outcome, fold_sizes):
    labels, predictions = outcome
    order = np.random.default_rng(1).permutation(100)
    labels, predictions = labels[order], predictions[order]
    right = np.split(labels == predictions, np.cumsum(fold_sizes)[:-1])
    rng = np.random.default_rng(2)
    means = [np.mean([rng.choice(fold, len(fold)).mean() for fold in right]) for _ in range(4000)]
    scores = score(labels, predictions, fold_sizes)
    assert scores.accuracy_low == pytest.approx(np.quantile(means, 0.025), abs=0.02)
    assert scores.accuracy_high == pytest.approx(np.quantile(means, 0.975), abs=0.02)
    assert scores.accuracy_low < np.mean([fold.mean() for fold in right]) < scores.accuracy_high
