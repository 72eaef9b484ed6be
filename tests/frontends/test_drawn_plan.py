import numpy as np
import pytest
from untrained.frontends import drawn_plan
from untrained.frontends.drawn import Drawn
from untrained.frontends.drawn_plan import fit, solve
from untrained.frontends.grammar import FAMILIES, Design, Layer, draw_design
from untrained.frontends.lengths import shortest


def planned(n_parameters, *layers, family="vertical", **axes):
    return fit(Design(family, layers, **axes), n_parameters, "mine")


@pytest.mark.parametrize("family", FAMILIES)
def test_counts_equal_those_of_the_network(family):
    """Parameters, FLOP, features and the shortest clip are computed without making the network."""
    norm = "none" if FAMILIES.index(family) % 2 else "group"
    number = next(number for number in range(2, 60) if draw_design(family, number).norm == norm)
    frontend = Drawn(family, number, 25_000)
    plan = frontend.plan
    described = frontend.describe(30_000)
    assert (described.n_parameters, described.flop) == (plan.n_parameters, plan.cost(30_000).flop)
    assert abs(plan.n_parameters - 25_000) <= 2500
    outputs = [layer for layer in described.layers if layer.name.endswith("conv")]
    assert outputs[0].shape[0] == plan.n_filters[0][0]
    assert described.embedding_size == plan.n_features == sum(plan.widths)
    sizes = shortest(frontend, lambda copied, waveform: copied.feature_maps(copied.represent(waveform)))
    assert tuple(sizes.n_maps) == plan.widths
    # A norm needs two positions.
    assert sizes.min_samples == plan.min_samples if norm == "none" else sizes.min_samples <= plan.min_samples


def test_values_of_all_convolutions_are_counted():
    plan = planned(5_000, Layer(((96, 3),)), Layer(((1, 7),), pool=(1, 2)), Layer(((1, 7),)))
    first, second, third = plan.widths
    assert plan.cost(96_000).n_values == (first + second) * 376 + third * 188
    many = planned(9_000, Layer(((86, 3), (0, 8), (1, 8)), (1, 2, 1)), family="shapes")
    assert many.cost(96_000).n_values == 376 * (
        11 * many.n_filters[0][0] + many.n_filters[0][1] + 96 * many.n_filters[0][2]
    )


def test_filters_are_dealt_evenly_and_by_shares():
    plan = solve("vgg", 0, 30_000)
    assert max(plan.widths) - min(plan.widths) <= 1
    shared = planned(3_000, Layer(((0, 8), (0, 16), (0, 32)), (1, 2, 4)), family="shapes").n_filters[0]
    assert shared[2] == pytest.approx(2 * shared[1], abs=1) == pytest.approx(4 * shared[0], abs=3)
    assert planned(60_000, Layer(((96, 15), (96, 7)), (1, 4)), family="shapes").n_filters[0][0] >= 1


def test_the_receptive_field_counts_kernels_dilations_strides_and_pools():
    plan = planned(
        5_000, Layer(((1, 64),), stride=16), Layer(((1, 7),), pool=(1, 2)), Layer(((1, 7),)), family="frame_level"
    )
    assert plan.receptive_field == 1 + 63 + 6 * 16 + 1 * 16 + 6 * 32
    assert (plan.total_stride, plan.receptive_bands) == (32, 0)
    doubled = [Layer(((1, 3),), dilation=2**index) for index in range(3)]
    assert planned(15_000, *doubled, family="temporal").receptive_field == 1 + 2 * (1 + 2 + 4)
    square = planned(5_000, Layer(((3, 5),), pool=(2, 3)), Layer(((3, 5),), pool=(2, 3)), family="vgg")
    assert (square.receptive_bands, square.receptive_field) == (1 + 2 + 1 + 2 * 2 + 1 * 2, 1 + 4 + 2 + 4 * 3 + 2 * 3)
    assert planned(5_000, Layer(((57, 3),))).receptive_bands == 96


@pytest.mark.parametrize(
    ("n_parameters", "layers", "family", "message"),
    [
        (
            3_000,
            [Layer(((96, 15),))],
            "vertical",
            "mine: 3,000 parameters need fewer than 16 features; with 16 features",
        ),
        (99_000, [Layer(((0, 8),))], "horizontal", "mine: 99,000 parameters need more than 1024 features; with 1024"),
        (300_000, [Layer(((1, 64),)), Layer(((1, 7),))], "frame_level", r"samples takes \d+\.\d GFLOP; at most 10 are"),
        (9_000, [Layer(((3, 3),), pool=(2, 5))] * 4, "vgg", "a feature map is empty for a clip of 96,000 samples"),
        (9_000, [Layer(((3, 3),), pool=(4, 2))] * 4, "vgg", "a feature map is empty for a clip of 96,000 samples"),
        (24_000, [Layer(((0, 8),) * 15 + ((96, 15),), (1,) * 16)], "shapes", None),
        (2_500, [Layer(((0, 8),) * 15 + ((96, 15),), (1,) * 16)], "shapes", r"not possible within 10 %; the nearest"),
    ],
)
def test_designs_are_excluded(n_parameters, layers, family, message):
    if message is None:
        assert planned(n_parameters, *layers, family=family).n_features >= 16
        return
    with pytest.raises(ValueError, match=message) as raised:
        planned(n_parameters, *layers, family=family)
    assert str(raised.value).startswith("mine: ")
    assert "Choose another design" in str(raised.value)


def test_a_message_names_family_and_design():
    with pytest.raises(ValueError, match=r"^family 'vertical', design 0: 40 parameters need fewer than 16 features"):
        solve("vertical", 0, 40)
    for odd in (0, -5, 2.5, True, "many"):
        with pytest.raises(ValueError, match=r"n_parameters=.*; expected an integer of 1 or more"):
            solve("vertical", 0, odd)
    with pytest.raises(ValueError, match="need more than 1024 features"):
        solve("vgg", 0, 10**30)


def test_arguments_are_checked_whatever_was_solved_before():
    plan = solve("vgg", 1, 30_000)
    for odd in (1.0, True, np.True_, "1"):
        with pytest.raises(ValueError, match=r"design=.*; expected an integer of 0 or more"):
            solve("vgg", odd, 30_000)
    with pytest.raises(ValueError, match=r"n_parameters=30000\.0; expected an integer of 1 or more"):
        solve("vgg", 1, 30_000.0)
    with pytest.raises(ValueError, match=r"family=\['vgg'\]; expected one of vgg, vertical"):
        solve(["vgg"], 1, 30_000)
    assert solve("vgg", np.int64(1), np.int32(30_000)) is plan


def test_few_numbers_of_filters_are_tried(monkeypatch):
    deal, dealt = drawn_plan._deal, []
    monkeypatch.setattr(drawn_plan, "_deal", lambda layers, total: dealt.append(total) or deal(layers, total))
    fit(draw_design("shapes", 1), 20_000, "mine")
    assert 1 < len(dealt) <= 12  # a bisection of 1009 totals, and the two nearest


def test_a_larger_number_of_parameters_never_has_fewer_features():
    sizes = [solve("shapes", 0, n_parameters).n_features for n_parameters in (10_000, 20_000, 40_000, 80_000)]
    assert sizes == sorted(sizes)
