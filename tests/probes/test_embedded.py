"""Stored embeddings for the loops: read when they are used, and never all of them if a fit goes by batches."""

import numpy as np
import pytest
import torch
from untrained.backends import rows
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import KNN
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import UsageError
from untrained.probes.embedded import EmbeddedData
from untrained.probes.stages import fit, score_test_split


@pytest.fixture
def read(monkeypatch):
    """Numbers of rows that were read from stores at a time."""
    found = []
    whole = EmbeddingStore.take

    def counted(store, numbers, columns=None):
        found.append(len(numbers))
        return whole(store, numbers, columns)

    monkeypatch.setattr(EmbeddingStore, "take", counted)
    return found


def test_rows_are_read_when_they_are_used(fitted, read):
    _, datamodule, store = fitted()
    data = EmbeddedData(store, datamodule, columns=[3, 0])
    read.clear()
    view = data.rows(data.learned)[np.array([4, 2])]
    assert view.shape == (2, data.n_features) == (2, 2)
    assert read == []
    np.testing.assert_array_equal(view.read(), store.read([data.learned[i].id for i in (4, 2)], [3, 0]))
    np.testing.assert_array_equal(data.embeddings(data.clips), store.read([clip.id for clip in data.clips], [3, 0]))


def test_rows_are_found_again_after_another_command_has_replaced_shards(fitted):
    _, datamodule, store = fitted()
    data = EmbeddedData(store, datamodule)
    view, expected = data.rows(data.learned), data.embeddings(data.learned)
    for clip in data.clips[:3]:
        store.append(store.clips(store.find([clip.id])), store.read([clip.id]), {})
    store.commit()
    np.testing.assert_array_equal(view.read(), expected)


def test_loaders_give_positions_to_learn_and_embeddings_to_test(fitted):
    _, datamodule, store = fitted()
    data = EmbeddedData(store, datamodule)
    ((positions, labels),) = data.train_dataloader()
    assert positions.tolist() == list(range(len(data.learned)))
    assert labels.tolist() == data.labels(data.learned).tolist()
    ((X, labels),) = data.test_dataloader()
    assert torch.equal(X, torch.from_numpy(data.embeddings(data.tested)))
    assert labels.tolist() == data.labels(data.tested).tolist()


def test_a_fit_by_batches_equals_one_in_memory_and_reads_no_matrix(fitted, read, monkeypatch):
    monkeypatch.setattr(rows, "MIN_ROWS", 5)
    datamodule = Synthetic("events", clips_per_class=20, n_samples=4000)
    backend = ELMClassifier(n_hidden=12)
    plain, _, store = fitted(backend, datamodule)
    assert max(read) > 20
    expected = score_test_split(plain, datamodule, store, ())[0]
    read.clear()
    probe, *_ = fitted(backend, datamodule, fit_memory=1e-6)
    assert max(read) == 5
    assert probe.selection.candidate_scores == plain.selection.candidate_scores
    np.testing.assert_array_equal(probe.selection.predictions, plain.selection.predictions)
    assert score_test_split(probe, datamodule, store, ())[0] == expected


def test_a_matrix_without_place_is_refused_before_it_is_read(fitted, read):
    probe, datamodule, store = fitted()
    probe.backend, probe.fit_memory = KNN(), 1e-6
    read.clear()
    with pytest.raises(UsageError, match="knn needs all embeddings in memory"):
        fit(probe, datamodule, store)
    assert read == []
