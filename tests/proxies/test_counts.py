import pytest
from untrained import FRONTENDS
from untrained.proxies.counts import Flop, NFeatures, NParameters


@pytest.mark.parametrize("seed", [0, 5])
def test_counts_on_a_network_by_hand(value_of, seed):
    frontend = FRONTENDS.create("sample_level", n_filters=2, seed=seed)
    first, rest = 3 * 2, 2 * 3 * 2
    assert value_of(NParameters(), frontend, [], n_samples=2187).value == first + 2 + 6 * (rest + 2)
    lengths = [729, 729, 243, 81, 27, 9, 3]  # outputs of each convolution
    flop = 2 * (first * lengths[0] + rest * sum(lengths[1:]))
    assert value_of(Flop(), frontend, [], n_samples=2187).value == flop
    assert value_of(NFeatures(), frontend, [], n_samples=2187).value == 14


def test_counts_of_a_frontend_without_weights(value_of):
    mfcc = FRONTENDS.create("mfcc")
    values = [value_of(proxy(), mfcc, [], n_samples=4000) for proxy in (NParameters, Flop, NFeatures)]
    assert [(each.value, each.reason) for each in values] == [(0, ""), (0, ""), (120, "")]


def test_only_the_operations_depend_on_the_length(value_of, frontend):
    for proxy, depends in ((NParameters, False), (Flop, True), (NFeatures, False)):
        short, long = (value_of(proxy(), frontend, [], n_samples=n).value for n in (48, 96))
        assert (short != long) is depends
