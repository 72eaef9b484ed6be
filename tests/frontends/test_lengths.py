import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from untrained.frontends.lengths import shortest


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_the_shortest_input_of_convolutions_is_their_receptive_field(layers):
    field = 1
    for length, stride in reversed(layers):
        field = (field - 1) * stride + length
    convs = nn.Sequential(*(nn.Conv1d(1, 1, length, stride) for length, stride in layers))
    assert shortest(convs, lambda network, x: [network(x[:, None])]) == (field, [1])


def test_an_input_that_leaves_a_map_empty_is_too_short():
    assert shortest(nn.Identity(), lambda _, x: [x[:, None], x[:, None, 3:].repeat(1, 2, 1)]) == (4, [1, 2])


def test_a_copy_of_the_network_is_run():
    network = nn.Conv1d(1, 1, 3)

    def feature_maps(copied, x):
        assert copied is not network
        return [copied(x[:, None])]

    assert shortest(network, feature_maps).min_samples == 3
    assert network.weight.device.type == "cpu"


def test_a_missing_attribute_is_named():
    with pytest.raises(RuntimeError, match=r"Identity.feature_maps failed: .*'convz'"):
        shortest(nn.Identity(), lambda network, x: [network.convz(x)])
