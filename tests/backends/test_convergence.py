import threading
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from untrained import BACKENDS
from untrained.backends.convergence import watch_convergence
from untrained.backends.standardized import Standardized


def warn(text):
    warnings.warn(text, ConvergenceWarning, stacklevel=1)


def test_each_thread_collects_its_own_warnings_and_filters_are_restored():
    before = warnings.showwarning, list(warnings.filters)
    first_is_in, second_is_out = threading.Event(), threading.Event()
    found = {}

    def first():
        with watch_convergence() as found["first"]:
            first_is_in.set()
            second_is_out.wait(10)
            warn("a")
            warn("a")  # again from the same line

    def second():
        first_is_in.wait(10)
        with watch_convergence() as found["second"]:
            warn("b")
        second_is_out.set()

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"first": ["a", "a"], "second": ["b"]}
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_other_warnings_are_shown_and_inner_ones_are_not_counted_twice():
    with warnings.catch_warnings(record=True) as shown, watch_convergence() as outer:
        warnings.warn("other", UserWarning, stacklevel=1)
        with watch_convergence() as inner:
            warn("a")
    assert (inner, outer, len(shown)) == (["a"], [], 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["svm", "linear_svm", "logistic", "mlp"])
def test_a_search_counts_unconverged_fits_instead_of_warning(name):
    rng = np.random.default_rng(0)
    X, y = 100 * rng.standard_normal((60, 5)), rng.integers(0, 2, 60)
    splits = list(StratifiedKFold(3).split(X, y))
    backend = BACKENDS.create(name, max_iter=1)
    for searched in (backend, Standardized(backend)):
        result = searched.search(X, y, splits)
        assert result.n_unconverged == 3 * len(result.candidates)
    assert BACKENDS.create("knn").search(X, y, splits).n_unconverged == 0
