import re

import pytest
from untrained.studies.analysis import Analysis, Cell
from untrained.studies.charts import accuracy_chart, described, difference_chart, highest
from untrained.studies.significance import Estimate
from untrained.studies.verdict import PairTest


@pytest.fixture
def two(made):
    """Analysis of a frontend with two seeds and of a published frontend, on two classes."""
    seeds = [made("vgg", seed, accuracy=accuracy) for seed, accuracy in enumerate((0.6, 0.7))]
    known = made("vgg-large", datamodule="gtzan", backend="svm-standardize=none", accuracy=0.5)
    cells = [Cell(seeds, 0.55, 0.78), Cell([known], 0.4, 0.6)]
    keys = [("my copy", cell.first.frontend, cell.first.backend) for cell in cells]
    return Analysis(dict(zip(keys, cells, strict=True)), [], [], {})


def test_bars_are_proportional_to_accuracies(two):
    drawn = accuracy_chart(two, "my copy")
    assert highest(two) == 80
    widths = re.findall(r'width="([\d.]+)%" class="bar (s\d)"', drawn)
    assert widths == [("81.25", "s0"), ("62.50", "s1")]  # 65 and 50 of 80
    assert re.findall(r'cx="([\d.]+)%"', drawn) == ["75.00", "87.50"]  # the seeds of the first frontend
    assert re.search(r'x1="62.50%"[^>]*class="chance"', drawn)
    assert drawn.count('class="published"') == 1


def test_a_backend_has_one_colour_on_every_data_set(made):
    """The colour stays if a run of the first frontend is missing, so that another backend comes first."""
    done = [("timbre", "mfcc", "svm"), ("timbre", "mfcc", "elm"), ("rhythm", "vgg", "elm"), ("rhythm", "mfcc", "svm")]
    cells = {key: Cell([made(key[1], 0, dataset=key[0], backend=key[2])], 0.4, 0.6) for key in done}
    found = Analysis(cells, [], [], {})
    assert [found.place_of(backend) for backend in found.backends("rhythm")] == [1, 0]
    for dataset in found.datasets:  # svm with mfcc comes first on both
        assert re.findall(r'class="bar (s\d)"', accuracy_chart(found, dataset)) == ["s0", "s1"]


def test_a_mark_has_a_description(two):
    first, second = two.cells.values()
    assert described(first) == "vgg, svm: 65.0 ± 7.1 % (mean of 2 seeds); 95 % interval 55.0 to 78.0"
    assert described(second).endswith(": 50.0 %; 95 % interval 40.0 to 60.0; published 59.7 %")
    drawn = accuracy_chart(two, "my copy")
    assert f'<g class="mark" role="img" tabindex="-1" aria-label="{described(first)}">' in drawn


def test_difference_charts_are_centred_on_zero_and_fill_significant_points():
    tests = [
        PairTest("a", "c", Estimate(0.1, 0.02), 0.001, 0.05),
        PairTest("b", "c", Estimate(-0.05, 0.04), 0.2, 0.05),
    ]
    drawn = difference_chart("Difference from c", [(test.a, "svm", 0, test) for test in tests])
    assert re.findall(r'cx="([\d.]+)%"', drawn) == ["75.00", "37.50"]  # from -20 to 20
    assert re.findall(r'class="(point[^"]*)"', drawn) == ["point s0", "point s0 hollow"]
    assert "a minus c, svm: +10.0 points, 95 % interval +6.1 to +13.9; corrected p = 0.001, significant" in drawn
    assert re.findall(r'class="tick" text-anchor="\w+">([-\d]+)', drawn) == ["-20", "-10", "0", "10", "20"]
