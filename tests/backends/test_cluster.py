"""A search runs on the cluster that the user has configured in joblib."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from untrained.backends.sklearn import KNN, AnyClassifier
from untrained.backends.standardized import Standardized
from untrained.backends.svm import SVMClassifier

pytestmark = pytest.mark.slow
distributed = pytest.importorskip("distributed", reason="needs the extra dask")


@pytest.fixture(scope="module")
def n_fits_of_workers(tmp_path_factory):
    """A function that returns the number of tasks that each of two processes has run so far."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=tmp_path_factory.mktemp("dask"),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield lambda: list(client.run(lambda dask_worker: dask_worker.state.executed_count).values())


@pytest.mark.parametrize(
    "backend",
    [
        SVMClassifier(),
        Standardized(SVMClassifier()),
        KNN(),
        AnyClassifier("sklearn.tree.DecisionTreeClassifier", {"random_state": 0}, {"max_depth": [1, 2, 3, 4]}),
    ],
    ids=["svm", "zscore-svm", "knn", "sklearn"],
)
def test_a_search_on_a_cluster_equals_a_local_one(n_fits_of_workers, backend):
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = rng.standard_normal((90, 6)) + rng.standard_normal((3, 6))[y]
    splits = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
    here = backend.search(X, y, splits)
    before = n_fits_of_workers()
    with joblib.parallel_config(backend="dask"):
        there = backend.search(X, y, splits)
    assert len(before) == 2
    assert sum(n_fits_of_workers()) >= sum(before) + len(splits)
    assert there.candidates == here.candidates
    for row, expected in zip(there.predictions, here.predictions, strict=True):
        for given, wanted in zip(row, expected, strict=True):
            np.testing.assert_array_equal(given, wanted)
