"""Ridge regressions from batches equal those of all clips at once."""

import numpy as np
import pytest
from untrained.backends.ridge import ALPHAS
from untrained.backends.ridge_batches import RidgeBatches
from untrained.backends.ridge_path import RidgePath


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_solutions_and_errors_equal_those_in_memory(offset, classes, as_rows):
    X, y = classes(200)
    X = X * 10.0 ** np.linspace(-2, 2, 12) + offset
    X[:, 3] = 7.0
    targets = np.where(y[:, None] == np.arange(4), 1.0, -1.0)
    found, expected = RidgeBatches(as_rows(X), targets.__getitem__), RidgePath(X, targets)
    tolerance = 1e-8 if offset == 0 else 1e-4
    np.testing.assert_allclose(
        found.leave_one_out_errors(ALPHAS), expected.leave_one_out_errors(ALPHAS), rtol=tolerance
    )
    for alpha in ALPHAS:
        (weights, intercepts), (wanted, levels) = found.solution(alpha), expected.solution(alpha)
        np.testing.assert_allclose(X @ weights + intercepts, X @ wanted + levels, atol=tolerance)


def test_features_whose_squares_overflow_are_refused(as_rows):
    X = np.array([[1e200], [-1e200], [0.0]])
    with pytest.raises(ValueError, match="overflow; expected features below 1e150"):
        RidgeBatches(as_rows(X), np.ones((3, 1)).__getitem__)
