import math

import numpy as np
import pytest
import torch
from tiny_networks import Tiny
from untrained import FRONTENDS, PROXIES, Proxy
from untrained.errors import UsageError
from untrained.proxies import DegenerateError
from untrained.proxies.scoring import Score, averaged, score


class Returns(Proxy):
    """Returns what it is given, or raises it."""

    def __init__(self, value):
        self.value = value

    def compute(self, subject):
        if isinstance(self.value, BaseException):
            raise self.value
        return self.value() if callable(self.value) else self.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3), (2.5, 2.5), (np.float32(0.5), 0.5), (np.int64(4), 4), (torch.tensor([7.0]), 7)],
)
def test_numbers_of_any_kind(value_of, value, expected):
    found = value_of(Returns(value), Tiny(), [], n_samples=48)
    assert (found.proxy, found.value, found.reason) == ("Returns", expected, "")
    assert type(found.value) is float
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("value", "number", "reason"),
    [
        (None, math.nan, "compute returned NoneType ('None'); expected a number"),
        ("high", math.nan, "compute returned str ('high'); expected a number"),
        (True, math.nan, "compute returned bool ('True'); expected a number"),
        (1j, math.nan, "compute returned complex"),
        (torch.zeros(2), math.nan, "compute returned Tensor"),
        (math.nan, math.nan, "compute returned nan"),
        (-math.inf, -math.inf, "compute returned -inf"),
        (DegenerateError("the maps are dead", 0.0), 0.0, "the maps are dead"),
        (RuntimeError("two\nlines"), math.nan, "RuntimeError: two lines"),
        (KeyError(), math.nan, "KeyError"),
        (MemoryError(), math.nan, "there is not enough memory; give shorter clips, or fewer with --n_clips"),
    ],
)
def test_other_results_have_a_reason_and_the_rest_is_computed(value, number, reason):
    found, last = score(Tiny(), [], [Returns(value), Returns(1)], n_samples=48)
    assert found.value == pytest.approx(number, nan_ok=True)
    assert found.reason.startswith(f"proxy 'Returns' of frontend 'Tiny': {reason}")
    assert last.value == 1


def test_random_numbers_are_seeded_and_restored():
    frontend = Tiny()  # which draws random numbers
    torch.manual_seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    draws = [Returns(lambda: torch.rand(1)), Returns(lambda: np.random.rand())]  # noqa: NPY002
    first, second = (score(frontend, [], draws, n_samples=48) for _ in range(2))
    assert [each.value for each in first] == [each.value for each in second]
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    score(Tiny(), [], [Returns(lambda: torch.set_default_dtype(torch.float64) or 0)], n_samples=48)
    assert torch.get_default_dtype() == torch.float32


def test_all_of_ours_are_finite_and_do_not_depend_on_their_order(frontend, batches):
    proxies = [PROXIES.create(name) for name in PROXIES.names()]
    found = score(frontend, batches, proxies)
    assert [each.proxy for each in found] == PROXIES.names()
    assert [each.reason for each in found] == [""] * len(found)
    again = score(frontend, batches, proxies[::-1])[::-1]
    assert [each.value for each in found] == [each.value for each in again]


def test_a_bare_call_is_refused(batches):
    with pytest.raises(UsageError, match="neither batches nor n_samples"):
        score(Tiny(), [], [])
    with pytest.raises(UsageError, match=r"waveforms \(10, 48\) and labels \(9,\); expected \(batch, n_samples\)"):
        score(Tiny(), [(batches[0][0], batches[0][1][1:])], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y.double()), r"labels of torch.float64; expected integers"),
        (lambda x, y: (x, y > 0), r"labels of torch.bool; expected integers"),
        (lambda x, y: (x, y - 1), r"labels from -1 to 1; expected integers from 0 to n_classes - 1 = 2"),
        (lambda x, y: (x, y + 1), r"labels from 1 to 3; expected integers from 0 to n_classes - 1 = 2"),
        (lambda x, y: (x * math.nan, y), r"not all finite"),
    ],
)
def test_invalid_batches(batches, change, message):
    with pytest.raises(UsageError, match=message):
        score(Tiny(), [change(*batches[0])], [], n_classes=3)


def test_proxies_that_need_data_say_that_there_is_none():
    names = ("n_features", "synflow", "naswot", "snip")
    found = score(FRONTENDS.create("temporal"), [], [PROXIES.create(name) for name in names], n_samples=4000)
    assert [math.isnan(each.value) for each in found] == [False, False, True, True]
    assert found[2].reason == "proxy 'naswot' of frontend 'temporal': it needs a batch of clips; none is given"


def test_the_mean_over_seeds():
    of_seeds = [[Score("a", 1.0, "", 0.5), Score("b", -math.inf, "why", 1.0)], [Score("a", 2.0, "", 0.5)] * 2]
    first, second = averaged(of_seeds)
    assert first == Score("a", 1.5, "", 1.0)
    assert (second.value, second.reason) == (-math.inf, "why")
