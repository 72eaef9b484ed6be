import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends.nearest_class import NearestClass


@parametrize_with_checks([NearestClass()])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_dances_are_classified_by_their_tempo():
    rng = np.random.default_rng(0)
    y = np.repeat(["waltz", "tango", "quickstep"], 30)
    X = np.log2(np.repeat([87, 130, 205], 30) * rng.uniform(0.95, 1.05, 90))[:, None]
    X[0] = np.log2(400)  # an outlier, which the median ignores
    assert NearestClass().fit(X[::2], y[::2]).score(X[1::2], y[1::2]) == 1.0
