"""The memory of a fit, and the choice between an array and batches."""

import pytest
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import KNN
from untrained.backends.svm import SVMClassifier
from untrained.errors import UsageError
from untrained.files import machine_memory
from untrained.probes.memory import fit_memory, goes_by_batches


def test_the_default_is_half_of_the_machine():
    assert fit_memory("auto") == machine_memory() // 2
    assert fit_memory(0.5) == 2**29


@pytest.mark.parametrize("option", [0, -1.0, float("inf"), float("nan")])
def test_invalid_sizes_are_refused(option):
    with pytest.raises(ValueError, match=f"fit_memory={option}; expected 'auto', or a number of GiB above 0"):
        fit_memory(option)


def test_batches_are_used_only_if_an_array_would_need_too_much():
    needed = ELMClassifier().memory_needed(100_000, 160)
    assert not goes_by_batches(ELMClassifier(), 100_000, 160, needed)
    assert goes_by_batches(ELMClassifier(), 100_000, 160, needed - 1)
    assert ELMClassifier(n_hidden=100).memory_needed(100_000, 160) < needed / 5
    assert not goes_by_batches(KNN(), 100_000, 160, 12 * 100_000 * 160)


def test_a_matrix_that_does_not_fit_is_refused_with_what_to_do():
    with pytest.raises(UsageError) as raised:
        goes_by_batches(SVMClassifier(), 10_000_000, 160, 2**33)
    message = str(raised.value)
    assert "svm needs all embeddings in memory: 10000000 rows of 160 features take 17.9 GiB" in message
    assert "the fit may take 8 GiB; give a larger --model.fit_memory" in message
    assert message.endswith("fitted in batches: elm, logistic, nystroem_svm, ridge, sgd")
