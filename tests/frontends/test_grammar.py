import dataclasses
import math

import numpy as np
import pytest
from untrained.frontends import grammar
from untrained.frontends.grammar import FAMILIES, N_BANDS, N_FRAMES, Design, Dice, Layer, draw_design

MANY = {family: [draw_design(family, number) for number in range(300)] for family in FAMILIES}


def axes(family, of):
    return {of(design) for design in MANY[family]}


def test_every_value_of_every_axis_occurs():
    kernels = {"vgg": {(3, 3), (5, 5), (3, 5), (5, 3)}, "sample_level": {(1, 2), (1, 3), (1, 5)}}
    kernels["temporal"] = {(1, length) for length in (1, 3, 5, 9, 15)}
    kernels |= {"vertical": {*grammar.VERTICAL}, "horizontal": {*grammar.HORIZONTAL}}
    kernels["frame_level"] = {(1, length) for length in (64, 128, 256, 512, 1024)}
    depths = {"vgg": (2, 7), "vertical": (1, 4), "horizontal": (1, 4), "shapes": (1, 4), "sample_level": (4, 9)}
    depths |= {"frame_level": (2, 5), "frame_level_many": (2, 5), "temporal": (1, 6)}
    for family in FAMILIES:
        assert axes(family, lambda design: design.activation) == {"relu", "elu", "leaky", "gelu"}
        assert axes(family, lambda design: design.norm) == {"none", "group", "batch"}
        assert axes(family, lambda design: design.residual) == {False, True}
        assert axes(family, lambda design: design.pooling) == {"max", "mean"}
        low, high = depths[family]
        assert axes(family, lambda design: len(design.layers)) == {*range(low, high + 1)}
        if family in kernels:
            assert axes(family, lambda design: design.layers[0].shapes[0]) == kernels[family]
    assert axes("shapes", lambda design: len(design.layers[0].shapes)) == {*range(3, 9)}
    assert axes("shapes", lambda design: max(design.layers[0].shares)) == {1, 2, 4}
    assert axes("frame_level_many", lambda design: len(design.layers[0].shapes)) == {*range(2, 7)}
    assert axes("frame_level_many", lambda design: design.layers[0].stride) == {32, 64, 128}
    assert {8, 256, 512} <= axes("frame_level", lambda design: design.layers[0].stride)
    assert {1, 2, 4, 32} <= axes("temporal", lambda design: design.layers[-1].dilation)


def test_pools_fit_the_input():
    for design in MANY["vgg"]:
        pools = np.array([layer.pool for layer in design.layers])
        assert pools.prod(0)[0] <= N_BANDS
        assert pools.prod(0)[1] <= N_FRAMES
        assert pools.min() >= 1
        assert pools.max() <= 5
    for design in MANY["sample_level"]:
        assert 500 <= np.prod([layer.stride * layer.pool[1] for layer in design.layers]) <= 48_000


def test_axes_without_effect_have_their_first_value():
    for family in FAMILIES:
        for design in MANY[family]:
            assert not (design.residual and len(design.layers) == 1)
            if design.layers == (Layer(((96, 7),)),):
                assert design.pooling == "max"
    lone = [design for design in MANY["temporal"] if design.layers[0].shapes[0][1] == 1]
    assert {layer.dilation for design in lone for layer in design.layers} == {1}


def test_equal_networks_of_many_shapes_are_equal_designs():
    for layer in (design.layers[0] for design in MANY["shapes"]):
        assert list(layer.shapes) == sorted({*layer.shapes})
        assert math.gcd(*layer.shares) == 1
        assert len(layer.shares) == len(layer.shapes)


def test_a_design_is_the_same_everywhere_and_differs_from_others():
    assert draw_design("vgg", 3) == draw_design("vgg", 3) != draw_design("vgg", 4)
    assert all(len({*MANY[family]}) > 100 for family in FAMILIES)
    # PCG64 with the seed sequence (7, 3), whose raw output NumPy keeps.
    dice = Dice(7, 3)
    assert [dice.pick(range(1000)) for _ in range(4)] == [670, 161, 542, 633]
    assert 0 <= dice.fraction() < 1
    assert sorted(dice.sample("abcdef", 6)) == [*"abcdef"]
    assert draw_design("temporal", 1) == Design(
        "temporal",
        (Layer(((1, 9),), dilation=4, pool=(1, 2)), Layer(((1, 9),), dilation=4, pool=(1, 2))),
        residual=True,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg6", 0), "family='vgg6'; expected one of vgg, vertical, horizontal, shapes, sample_level"),
        (("vgg", -1), "design=-1; expected an integer of 0 or more"),
        (("vgg", 1.0), r"design=1\.0; expected an integer of 0 or more"),
        (("vgg", True), "design=True; expected an integer"),
        (("vgg", 2**63), "below 2"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_design(*arguments)


def test_designs_are_values():
    design = draw_design("vgg", 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.norm = "none"
    assert hash(design) == hash(draw_design("vgg", 0))
