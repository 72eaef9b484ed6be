"""Matrices that are read in batches."""

import itertools

import numpy as np
import pytest
from untrained.backends.rows import BLOCK, MAX_ROWS, MIN_ROWS, Rows, begin_fit
from untrained.backends.rows import as_rows as rows_of_array

X = np.arange(600, dtype=np.float32).reshape(200, 3)


def test_views_select_rows_and_read_nothing(as_rows):
    asked = []
    view = as_rows(X, asked=asked)[np.arange(0, 200, 2)][np.array([3, 1])]
    assert view.shape == (2, 3)
    assert len(view[np.array([True, False])]) == 1
    assert asked == []
    np.testing.assert_array_equal(view.read(), X[[6, 2]])


def test_batches_are_bounded_and_read_in_the_order_of_the_store(as_rows):
    asked = []
    batches = list(as_rows(X, asked=asked).batches())
    assert max(map(len, asked)) == MIN_ROWS
    assert (np.diff(np.concatenate(asked)) > 0).all()
    positions, rows = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, X[positions])
    assert sorted(positions) == list(range(200))


def test_the_size_of_batches_follows_from_the_memory(as_rows):
    sizes = [as_rows(X, memory).batch_size(row_bytes=1000) for memory in (1, 2**20, 2**21, 2**40)]
    assert sizes[0] == MIN_ROWS
    assert MIN_ROWS < sizes[1] < sizes[2] < MAX_ROWS
    assert sizes[3] == MAX_ROWS


def test_results_come_in_the_order_of_the_rows(as_rows):
    found = as_rows(X).map(lambda rows: rows + 1).collect(lambda rows: rows.sum(axis=1))
    np.testing.assert_array_equal(found, X.sum(axis=1) + 3)
    texts = as_rows(X).collect(lambda rows: np.array([str(int(row[0])) for row in rows]))
    assert texts.tolist() == [str(int(row[0])) for row in X]


def test_shuffled_batches_visit_each_row_once_and_mix_distant_blocks():
    X = np.arange(50 * BLOCK, dtype=np.float32)[:, None]
    rows = rows_of_array(X, memory=10 * BLOCK * 24 * 8)
    orders = [[p.tolist() for p, _ in rows.shuffled(np.random.RandomState(seed))] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(itertools.chain(*orders[0])) == list(range(len(X)))
    assert all(max(batch) - min(batch) > 20 * BLOCK for batch in orders[0])


def test_a_matrix_is_not_read_as_a_whole_by_accident(as_rows):
    with pytest.raises(TypeError, match=r"call read\(\)"):
        np.asarray(as_rows(X))


def test_values_that_are_not_finite_are_refused():
    broken = np.full((3, 2), np.nan, np.float32)
    with pytest.raises(ValueError, match="NaN"):
        list(rows_of_array(broken).batches())


def test_labels_are_checked_as_by_scikit_learn(as_rows):
    class Any:
        pass

    backend = Any()
    assert begin_fit(backend, as_rows(X), ["a", "b"] * 100).tolist() == ["a", "b"] * 100
    assert backend.n_features_in_ == 3
    for y, problem in (([0, 1], "2 labels for 200 rows"), (np.linspace(0, 1, 200), "continuous")):
        with pytest.raises(ValueError, match=problem):
            begin_fit(backend, as_rows(X), y)


def test_rows_of_an_array_need_no_copy():
    rows = rows_of_array(X.astype(float))
    ((_, batch),) = rows.batches()
    assert batch.base is not None
    assert isinstance(rows, Rows)
    assert rows_of_array(rows) is rows
