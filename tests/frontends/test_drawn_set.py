import importlib
import math
from collections import Counter

import pytest
from untrained.frontends import drawn_set as exported
from untrained.frontends.drawn_plan import solve
from untrained.frontends.drawn_set import depth_correlation, drawn_set, unfilled
from untrained.frontends.grammar import FAMILIES, Design, Layer

MODULE = importlib.import_module("untrained.frontends.drawn_set")  # hidden by the function
# Every result that names a design depends on these. If a change of the grammar is intended, raise the version of
# `frontend drawn` in embeddings/provenance.py.
GOLDEN = """
vgg 0 11965 | 8 8 9 9 9 9 9 | relu none plain mean
vertical 0 174375 | 93 93 93 | leaky batch plain max
horizontal 0 27575 | 21 | elu none plain mean
shapes 0 33407 | 42 42 43 | relu batch residual mean
sample_level 0 24795 | 49 49 49 49 50 50 | elu none plain mean
frame_level 0 3682 | 11 11 | elu none plain max
frame_level_many 0 58135 | 54 55 55 | elu none residual max
temporal 0 29802 | 84 84 85 85 | elu none plain max
vgg 1 7734 | 20 20 21 | relu none residual max
vertical 1 19072 | 12 12 12 | elu group residual max
horizontal 1 148463 | 80 80 80 81 | relu none plain mean
shapes 1 15649 | 60 | elu group plain mean
sample_level 1 33482 | 39 39 39 40 40 40 40 40 | relu none plain mean
frame_level 1 21695 | 30 30 | leaky batch residual max
frame_level_many 1 10273 | 14 15 15 15 15 | gelu batch plain max
temporal 1 11079 | 11 12 | relu none residual max
"""


def line(each):
    design = each.plan.design
    axes = (design.activation, design.norm, "residual" if design.residual else "plain", design.pooling)
    widths = " ".join(map(str, each.plan.widths))
    return f"{each.family} {each.design} {each.n_parameters} | {widths} | {' '.join(axes)}"


def tenth(n_parameters):
    return int((math.log10(n_parameters) - 3.5) / 0.2)


def test_the_first_designs_stay_the_same():
    assert [line(each) for each in drawn_set(16)] == GOLDEN.strip().splitlines()


def test_each_family_has_a_design_in_each_tenth():
    designs = drawn_set(80)
    assert Counter(each.family for each in designs) == dict.fromkeys(FAMILIES, 10)
    for family in FAMILIES:
        assert sorted(tenth(each.n_parameters) for each in designs if each.family == family) == [*range(10)]
    assert unfilled(80) == []
    assert all(abs(each.plan.n_parameters / each.n_parameters - 1) <= 0.1 for each in designs)
    assert depth_correlation(designs) < 0.2


def test_a_set_is_the_beginning_of_a_longer_one():
    longer = drawn_set(160)
    for n in (1, 16, 32, 48, 64, 80, 96, 144):
        assert drawn_set(n) == longer[:n]
        if n % 16 == 0:
            assert set(Counter(each.family for each in longer[n - 16 : n]).values()) == {2}
    assert drawn_set is exported


def test_no_design_occurs_twice():
    designs = drawn_set(160)
    assert len({each.plan.design for each in designs}) == len({(each.family, each.design) for each in designs}) == 160


def test_another_seed_gives_another_set():
    one, other = drawn_set(80), drawn_set(80, seed=1)
    assert not {(each.family, each.design) for each in one} & {(each.family, each.design) for each in other}
    assert {each.n_parameters for each in one} != {each.n_parameters for each in other}


def test_an_excluded_or_repeated_design_is_redrawn_with_the_same_parameters(monkeypatch):
    """The sizes of a family do not depend on which designs are accepted."""
    usual = [each.n_parameters for each in drawn_set(24) if each.family == "temporal"]
    same = Design("temporal", (Layer(((1, 3),)),))

    def solving(family, design, n_parameters):
        if design % 2:
            raise ValueError("excluded")
        plan = solve(family, design, n_parameters)
        return plan if design != 2 else type(plan)(same, plan.n_filters)

    monkeypatch.setattr(MODULE, "solve", solving)
    _clear()
    temporal = [each for each in drawn_set(24) if each.family == "temporal"]
    assert [each.n_parameters for each in temporal] == usual
    assert all(each.design % 2 == 0 for each in temporal)
    monkeypatch.setattr(MODULE, "MOST_TRIES", 3)
    monkeypatch.setattr(MODULE, "solve", _refuse)
    _clear()
    with pytest.warns(UserWarning, match=r"no design of family 'temporal' with [\d,]+ parameters was found in 3 tries"):
        designs = drawn_set(16)
    assert {each.family for each in designs} == {*FAMILIES} - {"temporal"}
    assert [family for family, _ in unfilled(16)] == ["temporal", "temporal"]
    assert {n_parameters for _, n_parameters in unfilled(16)} < {*usual}


def _refuse(family, design, n_parameters):
    if family == "temporal":
        raise ValueError("excluded")
    return solve(family, design, n_parameters)


def _clear():
    MODULE._of_family.cache_clear()


@pytest.fixture(autouse=True)
def _afresh():
    yield
    _clear()


def test_a_design_is_recreated_by_its_arguments():
    each = drawn_set(16)[5]
    made = each.create(seed=3)
    assert made.arguments == {**each.arguments, "seed": 3}
    assert made.plan == each.plan


def test_columns_describe_a_design():
    waveform, spectrogram = drawn_set(16)[5].columns(), drawn_set(16)[1].columns()
    assert waveform["input"] == "waveform"
    assert (spectrogram["input"], spectrogram["receptive_bands"]) == ("spectrogram", 96)
    described = drawn_set(16)[5].create().describe(96_000)
    assert waveform["flop"] == described.flop
    assert (waveform["n_features"], waveform["depth"], waveform["layers"]) == (described.embedding_size, 2, 2)
    values = sum(math.prod(layer.shape) for layer in described.layers if layer.name.endswith("conv"))
    assert waveform["activation_bytes"] == 4 * values
    assert drawn_set(16)[5].columns(24_000)["flop"] < waveform["flop"]
    for name in spectrogram:
        assert f"`{name}`" in MODULE.DrawnDesign.columns.__doc__


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [(0, 0, "n=0"), (2.5, 0, "n=2.5"), (8, -1, "seed=-1"), (8, "a", "seed='a'"), (True, 0, "n=True")],
)
def test_invalid_arguments_are_refused(n, seed, message):
    with pytest.raises(ValueError, match=message):
        drawn_set(n, seed)
