"""Least squares from batches equal those of the whole hidden layer."""

import numpy as np
import pytest
from untrained.backends.least_squares import output_weights
from untrained.backends.least_squares_batches import Layer, weights_of_splits

N, SIZE = 300, 40
rng = np.random.default_rng(0)
SOUND = np.maximum(rng.standard_normal((N, SIZE)), 0)
SINGULAR = np.concatenate([SOUND[:, : SIZE // 2]] * 2, axis=1)
DEAD = SOUND * (np.arange(SIZE) % 7 > 0)
ILL = SOUND @ rng.standard_normal((SIZE, SIZE)) * 10.0 ** -np.linspace(0, 6, SIZE) + 1
TARGETS = np.where(np.arange(3) == rng.integers(3, size=N)[:, None], 1.0, -1.0)
TRAINS = [np.flatnonzero(np.arange(N) % 4 != fold) for fold in range(4)]
FEW = [np.arange(0, N, 15)]  # fewer clips than hidden units


def found(hidden, as_rows, trains, sizes, alpha, memory=1, asked=None):
    layer = Layer(lambda rows: rows, lambda positions: TARGETS[positions], SIZE, 3)
    return list(weights_of_splits(as_rows(hidden, memory, asked), layer, trains, sizes, alpha))


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("trains", [TRAINS, FEW], ids=["many", "few"])
@pytest.mark.parametrize("hidden", [SOUND, SINGULAR, DEAD, ILL], ids=["sound", "singular", "dead", "ill"])
def test_weights_equal_those_in_memory(hidden, trains, alpha, as_rows):
    sizes = [10, SIZE, 25]
    for train, of_sizes in zip(trains, found(hidden, as_rows, trains, sizes, alpha), strict=True):
        for size, weights in zip(sizes, of_sizes, strict=True):
            expected = output_weights(hidden[train, :size], TARGETS[train], alpha)
            assert weights.shape == expected.shape
            outputs = [hidden[:, :size] @ each for each in (weights, expected)]
            np.testing.assert_allclose(*outputs, rtol=1e-6, atol=1e-6 * np.abs(outputs[1]).max())


def test_splits_share_passes_if_their_sums_fit_into_the_memory(as_rows):
    n_read = []
    results = []
    for memory in (1, 2 * 8 * 8 * SIZE**2):
        asked = []
        results.append(found(SOUND, as_rows, TRAINS, [SIZE], 0.0, memory, asked))
        n_read.append(sum(map(len, asked)))
    assert n_read == [sum(map(len, TRAINS)), N]
    np.testing.assert_allclose(*results, rtol=1e-9)
