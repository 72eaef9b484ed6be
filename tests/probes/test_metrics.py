import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from untrained.probes.metrics import bootstrap, interval, score_predictions


def each(n):
    """Return n different groups, one for each clip."""
    return list(range(n))


@pytest.fixture
def outcome():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 25, 15])
    return labels, np.where(rng.random(100) < 0.7, labels, rng.integers(0, 3, 100))


def test_all_classes_have_the_same_weight(outcome):
    labels, predictions = outcome
    shares = [(predictions[labels == label] == label).mean() for label in range(3)]
    scores = score_predictions(labels, predictions, [0] * 100, each(100))
    assert scores.balanced_accuracy == pytest.approx(np.mean(shares))
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predictions))
    assert abs(scores.balanced_accuracy - (labels == predictions).mean()) > 0.01
    f1 = []
    for label in range(3):
        right = np.sum((labels == label) & (predictions == label))
        f1.append(2 * right / (np.sum(labels == label) + np.sum(predictions == label)))
    assert scores.macro_f1 == pytest.approx(np.mean(f1))


@pytest.mark.filterwarnings("error")
def test_classes_without_clips_do_not_count():
    scores = score_predictions(np.array([0, 0, 1]), np.array([0, 2, 1]), each(1) * 3, each(3))
    assert scores.balanced_accuracy == pytest.approx(0.75)


@pytest.mark.parametrize("fold_sizes", [[100], [80, 10, 10], [34, 33, 33]])
def test_interval_is_the_bootstrap_of_the_mean_over_folds(outcome, fold_sizes):
    labels, predictions = outcome
    order = np.random.default_rng(1).permutation(100)
    labels, predictions = labels[order], predictions[order]
    right = np.split(labels == predictions, np.cumsum(fold_sizes)[:-1])
    rng = np.random.default_rng(2)
    means = [np.mean([rng.choice(fold, len(fold)).mean() for fold in right]) for _ in range(4000)]
    scores = score_predictions(labels, predictions, np.repeat(each(len(fold_sizes)), fold_sizes).tolist(), each(100))
    assert scores.accuracy_low == pytest.approx(np.quantile(means, 0.025), abs=0.02)
    assert scores.accuracy_high == pytest.approx(np.quantile(means, 0.975), abs=0.02)
    assert scores.accuracy_low < np.mean([fold.mean() for fold in right]) < scores.accuracy_high


def test_groups_are_drawn_together(outcome):
    """Ten copies of each clip in one group must not narrow the interval."""
    labels, predictions = outcome
    right = (labels == predictions).astype(float)[:, None]
    few = interval(bootstrap(right, [0] * 100, each(100)))
    copied = interval(bootstrap(np.repeat(right, 10, axis=0), [0] * 1000, np.repeat(each(100), 10).tolist()))
    independent = interval(bootstrap(np.repeat(right, 10, axis=0), [0] * 1000, each(1000)))
    assert copied == pytest.approx(np.array(few), abs=1e-12)
    assert (independent[1] - independent[0])[0] == pytest.approx((few[1] - few[0])[0] / 10**0.5, rel=0.1)


def test_groups_of_several_sizes_are_weighted_by_their_clips():
    """Compare the bootstrap of a ratio with separate draws of whole groups."""
    sizes = [1, 2, 3, 10, 20, 4, 5]
    groups = np.repeat(each(7), sizes)
    right = np.random.default_rng(0).random(45)[:, None]
    rng = np.random.default_rng(1)
    means = []
    for _ in range(4000):
        drawn = rng.choice(7, 7)
        means.append(np.concatenate([right[groups == group] for group in drawn]).mean())
    low, high = interval(bootstrap(right, ["a"] * 45, groups.tolist()))
    assert low[0] == pytest.approx(np.quantile(means, 0.025), abs=0.02)
    assert high[0] == pytest.approx(np.quantile(means, 0.975), abs=0.02)


def test_columns_share_their_draws(outcome):
    labels, predictions = outcome
    right = (labels == predictions).astype(float)
    draws = bootstrap(np.stack([right, 1 - right, right], axis=1), [0] * 100, each(100))
    assert np.allclose(draws[:, 0] + draws[:, 1], 1)
    assert np.array_equal(draws[:, 0], draws[:, 2])
