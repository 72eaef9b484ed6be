"""Searches that share work give what plain fits give, on every candidate and split."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, ShuffleSplit, StratifiedKFold
from sklearn.svm import SVC
from untrained.backends.base import Backend
from untrained.backends.elm import ELMClassifier
from untrained.backends.least_squares import by_singular_values, from_sums, output_weights, outputs_of_splits
from untrained.backends.svm import SVMClassifier


def problem(n, n_features=12, n_classes=4, distance=0.7, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    return rng.standard_normal((n, n_features)) + distance * rng.standard_normal((n_classes, n_features))[y], y


def folds(X, y, n=4):
    return list(StratifiedKFold(n, shuffle=True, random_state=0).split(X, y))


def pairs_too(splits):
    """The splits of a nested selection: one for each fold, and one for each pair of folds."""
    tests = [test for _, test in splits]
    every = np.sort(np.concatenate(tests))
    pairs = [np.concatenate([tests[i], tests[j]]) for i in range(len(tests)) for j in range(i + 1, len(tests))]
    return [*splits, *((np.setdiff1d(every, pair), pair) for pair in pairs)]


def assert_same(found, expected):
    assert found.candidates == expected.candidates
    for row, wanted in zip(found.predictions, expected.predictions, strict=True):
        for given, other in zip(row, wanted, strict=True):
            np.testing.assert_array_equal(given, other)
    assert found.best == expected.best


SPLITS = {
    "folds": folds,
    "nested": lambda X, y: pairs_too(folds(X, y)),
    "shuffled": lambda X, y: list(ShuffleSplit(3, test_size=0.2, random_state=0).split(X)),
    "one": lambda X, y: folds(X, y)[:1],
}


@pytest.mark.parametrize("splits", SPLITS)
@pytest.mark.parametrize("backend", [SVMClassifier(), ELMClassifier(), ELMClassifier(alpha=3.0)], ids=str)
def test_equal_to_plain_fits(backend, splits):
    X, y = problem(120)
    chosen = SPLITS[splits](X, y)
    assert_same(backend.search(X, y, chosen), Backend.search(backend, X, y, chosen))


@pytest.mark.parametrize("gamma", ["scale", "auto", 0.03])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_svm_equals_grid_search(gamma, offset):
    X, y = problem(100)
    X = X + offset  # far from the origin, where distances from inner products lose digits
    splits = folds(X, y)
    grid = {"kernel": ["rbf"], "gamma": [gamma], "C": [0.1, 2.0, 8.0, 32.0]}

    class One(SVMClassifier):
        param_grid = grid

    found = One().search(X, y, splits)
    theirs = GridSearchCV(SVC(), grid, cv=splits).fit(X, y)
    assert [dict(candidate) for candidate in found.candidates] == theirs.cv_results_["params"]
    for split in range(len(splits)):
        np.testing.assert_allclose(found.scores[:, split], theirs.cv_results_[f"split{split}_test_score"])


def test_svm_of_a_class_that_a_split_lacks():
    X, y = problem(60)
    lacking = [(np.flatnonzero(y != 3), np.arange(0, 60, 3))]
    for backend in (SVMClassifier(), ELMClassifier()):
        found = backend.search(X, y, lacking)
        assert_same(found, Backend.search(backend, X, y, lacking))
        assert all(3 not in row[0] for row in found.predictions)


def test_svm_whose_kernels_do_not_fit_says_so_and_fits_plainly():
    X, y = problem(60)
    splits = folds(X, y)
    small = SVMClassifier(max_memory=1e-6)
    with pytest.warns(UserWarning, match=r"max_memory=1e-06 GiB do not hold the kernels of 60 clips.*max_memory more"):
        found = small.search(X, y, splits)
    assert_same(found, SVMClassifier().search(X, y, splits))


def test_svm_takes_threads_as_memory_allows(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    n = 8732  # clips of UrbanSound8K
    assert SVMClassifier(max_memory=1.0)._jobs_that_fit(n, n * 9 // 10) == 0
    assert SVMClassifier(max_memory=2.5)._jobs_that_fit(n, n * 9 // 10) == 1
    assert 2 <= SVMClassifier()._jobs_that_fit(n, n * 9 // 10) < 8
    assert SVMClassifier()._jobs_that_fit(400, 320) == 8


@pytest.mark.parametrize("n_hidden", [80, 90, 100, 110, 300])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
def test_least_squares_equal_the_pseudo_inverse(n_hidden, alpha):
    """With as many units as clips or nearly so, dead units, and columns of very different size."""
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
def test_sizes_around_the_number_of_clips(around):
    rng = np.random.default_rng(1)
    hidden = np.maximum(rng.standard_normal((100, 300)), 0)
    hidden[:, 3::11] = 0
    hidden[:75, 5] = 0  # dead on one train set, alive on its test clips
    targets = np.where(np.arange(100)[:, None] % 3 == np.arange(3), 1.0, -1.0)
    splits = [(np.arange(75), np.arange(75, 100)), (np.arange(25, 100), np.arange(25))]
    sizes = [20, 75 + around, 300]
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


def test_learning_from_sums_equals_learning_from_all():
    X, y = problem(200)
    names = np.array(["a", "b", "c", "d"])[y]
    streamed = ELMClassifier(n_hidden=60, seed=1)
    for part in np.array_split(np.arange(200), 7):
        streamed.partial_fit(X[part], names[part], classes=["d", "c", "b", "a"])
    whole = ELMClassifier(n_hidden=60, seed=1).fit(X, names)
    np.testing.assert_allclose(streamed.coefs_, whole.coefs_, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(streamed.predict(X), whole.predict(X))
    with pytest.raises(ValueError, match="classes=None; the first call"):
        ELMClassifier().partial_fit(X, names)
    with pytest.raises(ValueError, match="y holds 'z', which is none of the classes"):
        streamed.partial_fit(X[:1], ["z"])


@pytest.mark.parametrize(
    "backend",
    [
        *(ELMClassifier(**arguments) for arguments in ({"n_hidden": 0}, {"seed": -1}, {"alpha": -0.5})),
        *(SVMClassifier(max_memory=size) for size in (-1, float("inf"), float("nan"))),
    ],
    ids=str,
)
def test_odd_arguments(backend):
    X, y = problem(20)
    ((name, value),) = (
        item for item in backend.get_params().items() if item not in type(backend)().get_params().items()
    )
    for learn in (backend.fit, lambda X, y: backend.search(X, y, folds(X, y, 2))):
        with pytest.raises(ValueError, match=f"{name}={value}; expected"):
            learn(X, y)
