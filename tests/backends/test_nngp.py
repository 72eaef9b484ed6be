import numpy as np
import pytest
from untrained.backends.nngp import STRENGTHS, nngp


def by_hand(train, y_train, validation, y_validation, n_classes):
    """Return the score of the notebook: the kernel is a mean over networks, and each system is solved by itself."""
    k_tt = np.mean([each @ each.T for each in train], axis=0)
    k_vt = np.mean([v @ t.T for v, t in zip(validation, train, strict=True)], axis=0)
    targets = np.eye(n_classes)[y_train] - 1 / n_classes
    scores = []
    for power in np.linspace(-7, 2, 20):
        regulariser = 10**power * np.trace(k_tt) / len(k_tt) * np.eye(len(k_tt))
        answer = k_vt @ np.linalg.solve(k_tt + regulariser, targets)
        scores.append(np.mean(np.argmax(answer, axis=1) == y_validation))
    return max(scores), scores


def made(n_features, n_train=24, n_validation=60, n_networks=3):
    rng = np.random.default_rng(n_features)
    y = np.arange(n_train + n_validation) % 3
    clips = rng.standard_normal((len(y), 5)) + rng.standard_normal((3, 5))[y]
    features = [np.maximum(clips @ rng.standard_normal((5, n_features)), 0) for _ in range(n_networks)]
    return [f[:n_train] for f in features], y[:n_train], [f[n_train:] for f in features], y[n_train:], 3


@pytest.mark.parametrize("n_features", [3, 8, 40, 400])  # 9 to 1200 in all, for 24 clips
def test_the_score_equals_the_formula_of_the_notebook(n_features):
    problem = made(n_features)
    expected, scores = by_hand(*problem)
    assert nngp(*problem) == expected
    assert min(scores) < max(scores)  # the regulariser matters


def test_a_case_that_is_solved_by_hand():
    """Two networks of one feature each: K_tt is diag(2, 8) / 2, and K_vt a has the signs below for every e."""
    train, validation = [np.array([[2.0], [0.0]]), np.array([[0.0], [4.0]])], [np.array([[1.0]]), np.array([[1.0]])]
    # K_tt = diag(2, 8), K_vt = (1, 2), y = (.5, -.5), (-.5, .5) and trace(K_tt) / 2 = 5. The output of class 0 is
    # .5 / (2 + 5 e) - 1 / (8 + 5 e), which is positive for e < .8 and negative for larger e. Either class is predicted.
    assert [nngp(train, [0, 1], validation, [right], 2) for right in (0, 1)] == [1.0, 1.0]
    twice = [np.repeat(each, 2, axis=0) for each in validation]
    assert nngp(train, [0, 1], twice, [0, 1], 2) == 0.5
    assert STRENGTHS[[0, -1]].tolist() == [1e-7, 100.0]


def test_the_scale_of_all_features_and_the_order_of_networks_do_not_matter():
    train, y_train, validation, y_validation, n_classes = made(8)
    scaled = [[1e3 * each for each in part][::-1] for part in (train, validation)]
    assert nngp(scaled[0], y_train, scaled[1], y_validation, n_classes) == nngp(
        train, y_train, validation, y_validation, n_classes
    )


def changed(**changes):
    names = ("train", "y_train", "validation", "y_validation", "n_classes")
    return {**dict(zip(names, made(4), strict=True)), **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": made(4)[0][:2]}, "train has 2 networks and validation 3; expected as many of each"),
        ({"train": [], "validation": []}, r"train: features of shapes \[\] for labels of shape \(24,\)"),
        ({"y_validation": [0, 1]}, r"validation: features of shapes \[\(60, 4\).* labels of shape \(2,\)"),
        ({"validation": [np.ones((60, 3))] * 3}, "train has 12 features and validation 9; expected those of the s"),
        ({"n_classes": 2}, r"train: labels \[0, 1, 2\]; expected integers from 0 to 1"),
        ({"y_train": np.full(24, 0.5)}, r"train: labels \[0.5\]; expected integers from 0 to 2"),
        ({"y_train": np.ones(24, int)}, "all training clips are of one class; expected two classes or more"),
        ({"train": [np.zeros((24, 4))] * 3}, "the features are zero on all training clips"),
        ({"train": [np.full((24, 4), np.nan)] * 3}, "train: features are not finite"),
        ({"validation": [np.full((60, 4), np.inf)] * 3}, "validation: features are not finite"),
    ],
)
def test_invalid_input_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        nngp(**changed(**changes))
