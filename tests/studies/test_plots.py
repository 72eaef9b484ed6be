import re

from untrained.studies.analysis import Analysis, Cell
from untrained.studies.cost import COSTS
from untrained.studies.overall import Overall
from untrained.studies.plots import cost_plot, rank_plot
from untrained.studies.verdict import Verdict


def test_ranks_lie_on_their_axis_and_bars_join_frontends_that_are_not_separable():
    verdict = Verdict("mfcc", ["vgg", "temporal"], [], 0.1, False)
    drawn = rank_plot(Overall("", 2, [], verdict, {"vgg": 2.5, "mfcc": 1.0, "temporal": 2.5}))
    assert re.findall(r'cx="([\d.]+)%"', drawn) == ["4.00", "73.00", "73.00"]
    assert drawn.count('class="group"') == 1
    assert 'aria-label="not separable: mfcc, vgg, temporal"' in drawn
    assert re.findall(r'<tspan class="name">(\w+)</tspan>  ([\d.]+)<', drawn) == [
        ("mfcc", "1.00"),
        ("vgg", "2.50"),
        ("temporal", "2.50"),
    ]


def test_long_names_have_separate_lines():
    verdict = Verdict("a", ["b"], [], 0.1, False)
    heights = []
    for length in (3, 60):
        drawn = rank_plot(Overall("", 2, [], verdict, {"a" * length: 1.0, "b" * length: 2.0}))
        heights.append(len(set(re.findall(r'<text x="(?:0|100%)" y="(\d+)"', drawn))))
    assert heights == [1, 2]


def test_costs_have_a_logarithmic_axis_with_a_position_for_zero(made):
    results = [
        made("free", n_parameters=0, accuracy=0.4),
        made("small", n_parameters=100, accuracy=0.6),
        made("large", n_parameters=10_000, accuracy=0.5),
    ]
    cells = {("my copy", result.frontend, "svm"): Cell([result], 0.3, 0.7) for result in results}
    analysis = Analysis(cells, [], [], {})
    drawn = cost_plot(analysis, "my copy", "parameters", COSTS["parameters"])
    assert re.findall(r'cx="([\d.]+)%"', drawn) == ["14.00", "24.00", "72.00"]  # 0, then 100 to 100,000
    assert re.findall(r'class="tick" text-anchor="\w+">([\dkM]+)<', drawn) == ["0", "100", "1k", "10k", "100k"]
    assert re.findall(r'class="(label[ a-z]*)"[^>]*>(\w+)<', drawn) == [
        ("label", "small"),
        ("label", "free"),
        ("label faint", "large"),
    ]
    assert "; 10,000 parameters" in drawn
    assert cost_plot(analysis, "my copy", "seconds", COSTS["seconds per clip"]) is None
