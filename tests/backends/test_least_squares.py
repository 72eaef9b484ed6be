import numpy as np
import pytest
from untrained.backends import least_squares
from untrained.backends.least_squares import by_singular_values, from_sums, output_weights, outputs_of_splits


@pytest.mark.parametrize("n_hidden", [80, 90, 100, 110, 300])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
def test_least_squares_equal_the_pseudo_inverse(n_hidden, alpha):
    """Sizes include those near the number of clips; some units are dead, and columns differ greatly in scale."""
    rng = np.random.default_rng(0)
    hidden = np.maximum(rng.standard_normal((100, n_hidden)), 0) * 10.0 ** rng.uniform(-3, 3, n_hidden)
    hidden[:, ::9] = 0
    targets = np.where(np.arange(100)[:, None] % 3 == np.arange(3), 1.0, -1.0)
    stacked, padded = hidden, targets
    if alpha:
        stacked = np.concatenate([hidden, np.sqrt(alpha) * np.eye(n_hidden)])
        padded = np.concatenate([targets, np.zeros((n_hidden, 3))])
    expected = np.linalg.pinv(stacked, rcond=1e-15 * max(stacked.shape)) @ padded
    for found in (output_weights(hidden, targets, alpha), by_singular_values(hidden, targets, alpha)):
        np.testing.assert_allclose(hidden @ found, hidden @ expected, atol=1e-5)
        if alpha == 0 and n_hidden <= 80:
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("around", [-10, 0, 10])
@pytest.mark.parametrize("most_bytes", [0, 2**30])
def test_sizes_around_the_number_of_clips(around, most_bytes, monkeypatch):
    """Gram matrices and kernels that do not fit into memory are computed anew for each split."""
    monkeypatch.setattr(least_squares, "_MAX_BYTES", most_bytes)
    rng = np.random.default_rng(1)
    hidden = np.maximum(rng.standard_normal((100, 300)), 0)
    hidden[:, 3::11] = 0
    hidden[:75, 5] = 0  # dead on one train set, alive on its test clips
    targets = np.where(np.arange(100)[:, None] % 3 == np.arange(3), 1.0, -1.0)
    splits = [(np.arange(75), np.arange(75, 100)), (np.arange(25, 100), np.arange(25))]
    sizes = [20, 300, 75 + around]
    for (train, test), outputs in zip(splits, outputs_of_splits(hidden, targets, splits, sizes), strict=True):
        for size, found in zip(sizes, outputs, strict=True):
            expected = hidden[test, :size] @ (np.linalg.pinv(hidden[train, :size]) @ targets[train])
            np.testing.assert_allclose(found, expected, atol=1e-6 * max(1, np.abs(expected).max()))


def test_rank_deficiency_gives_the_minimum_norm():
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((200, 10)) @ rng.standard_normal((10, 50))
    targets = rng.standard_normal((200, 2))
    expected = np.linalg.pinv(hidden) @ targets
    np.testing.assert_allclose(output_weights(hidden, targets), expected, atol=1e-9)
    np.testing.assert_allclose(from_sums(hidden.T @ hidden, hidden.T @ targets), expected, atol=1e-6)


def assert_equals_pseudo_inverse(hidden):
    """Fit 100 of 120 clips of three classes, and compare weights and outputs with those of the pseudo-inverse."""
    targets = np.where(np.arange(120)[:, None] % 3 == np.arange(3), 1.0, -1.0)
    train, test = np.arange(100), np.arange(100, 120)
    expected = np.linalg.pinv(hidden[train]) @ targets[train]
    found = output_weights(hidden[train], targets[train])
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    ((outputs,),) = outputs_of_splits(hidden, targets, [(train, test)], [hidden.shape[1]])
    np.testing.assert_allclose(outputs, hidden[test] @ expected, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("n_hidden", [90, 99, 100, 101, 110])
def test_square_and_nearly_square_layers_need_no_singular_values(n_hidden, monkeypatch):
    """The Gram matrices of random square layers are too ill-conditioned for plain normal equations."""
    monkeypatch.setattr(least_squares, "by_singular_values", None)
    rng = np.random.default_rng(0)
    hidden = np.maximum(rng.standard_normal((120, 20)) @ rng.standard_normal((20, n_hidden)) + 1, 0)
    assert_equals_pseudo_inverse(hidden)


@pytest.mark.parametrize("n_hidden", [90, 100, 110])
@pytest.mark.parametrize("twins", ["clips", "units"])
def test_singular_layers_give_the_minimum_norm(n_hidden, twins):
    """Some clips occur twice with different labels, or some units occur twice."""
    rng = np.random.default_rng(0)
    hidden = np.maximum(rng.standard_normal((120, n_hidden)), 0)
    if twins == "clips":
        hidden[60:80] = hidden[:20]
    else:
        hidden[:, 60:80] = hidden[:, :20]
    assert_equals_pseudo_inverse(hidden)
