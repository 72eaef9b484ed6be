import numpy as np
import pytest
from untrained.backends.rows import Rows


@pytest.fixture(scope="session")
def classes():
    """A function that draws the embeddings and labels of clips whose classes are a given distance apart."""

    def classes(n, n_features=12, n_classes=4, distance=0.7, seed=0):
        rng = np.random.default_rng(seed)
        y = np.arange(n) % n_classes
        return rng.standard_normal((n, n_features)) + distance * rng.standard_normal((n_classes, n_features))[y], y

    return classes


@pytest.fixture(scope="session")
def problem():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 15)
    return rng.standard_normal((60, 10)) + 0.7 * rng.standard_normal((4, 10))[y], y


@pytest.fixture(scope="session")
def assert_same():
    """A function that asserts that two searches have the same result."""

    def check(found, expected):
        assert found.candidates == expected.candidates
        for row, wanted in zip(found.predictions, expected.predictions, strict=True):
            for given, other in zip(row, wanted, strict=True):
                np.testing.assert_array_equal(given, other)
        assert found.best == expected.best

    return check


@pytest.fixture(scope="session")
def as_rows():
    """A function that returns embeddings as `Rows`, stored in another order and read in the smallest batches."""

    def as_rows(X, memory=1, asked=None):
        place = np.random.default_rng(5).permutation(len(X))
        stored = np.empty_like(X)
        stored[place] = X

        def read(numbers):
            if asked is not None:
                asked.append(numbers)
            return stored[numbers]

        return Rows(read, place, X.shape[1], memory)

    return as_rows
