import re

import pytest
from untrained.studies.rank_report.charts import (
    Axes,
    accuracy_charts,
    agreement_chart,
    legend,
    regret_charts,
    regret_legend,
    rival_chart,
)


def test_every_architecture_can_be_pointed_at(whole):
    (name, chart), _ = accuracy_charts(whole.analysis)
    assert name == "task-0"
    for index, architecture in enumerate(whole.analysis.architectures):
        value = 100 * whole.analysis.tasks[0].scores.untrained[index]
        assert f"<title>{architecture} ({whole.analysis.families[index]}): untrained {value:.1f} ± " in chart
    assert chart.count('class="apart"') == 3
    assert "Ceiling by noise of seeds and clips: 0." in chart


def test_only_those_reported_apart_are_named(whole):
    (_, chart), _ = accuracy_charts(whole.analysis)
    assert re.findall(r'class="label"[^>]*>([^<]+)<', chart) == ["timbral", "temporal_net", "vgg_study"]
    assert " reported apart" in legend(whole.analysis)


def test_shared_clips_are_marked(shared):
    ((_, chart),) = accuracy_charts(shared.analysis)
    assert ", cross-fitted" in chart
    assert "Ceiling by noise of clips: " in chart


def test_rivals_are_described(whole):
    chart = rival_chart(whole.analysis)
    rho = whole.analysis.pooled.rho
    assert f"untrained accuracy (u): ρ = {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}]" in chart
    assert chart.count('class="bar s6"') == 10


def test_regret_has_a_curve_for_each_order(whole):
    ((name, chart),) = regret_charts(whole.analysis)
    assert name == "Best of 12"
    assert chart.count("<polyline") == 3
    assert "number of parameters" in regret_legend()


def test_agreement_has_a_band(whole):
    chart = agreement_chart(whole.analysis)
    assert (chart.count("<polyline"), chart.count("<polygon")) == (1, 1)
    assert "nan" not in chart
    first = whole.analysis.agreement.bands[0]
    assert f"with training. Pairs in the same order: {100 * first.share:.0f} % at 0 to 2 points, " in chart


def test_positions_follow_the_axes():
    axes = Axes((0, 50), (20, 80))
    assert (axes.x_of(0), axes.x_of(50)) == (pytest.approx(10), pytest.approx(98))
    assert axes.y_of(80) < axes.y_of(20)
    ticks = re.findall(r">([\d.-]+)</text>", "".join(axes.drawn("x", "y")))
    assert {"0", "50", "20", "80"} <= set(ticks)
