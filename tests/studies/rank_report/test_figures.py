from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text
from untrained.studies.rank_report.figures import accuracies_figure, figures


@pytest.fixture(scope="module")
def drawn(whole):
    return dict(figures(whole.analysis))


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_accuracies_have_a_panel_for_each_task_with_ceiling_and_names(drawn, whole):
    figure = drawn["accuracies"]
    assert [axes.get_title() for axes in figure.axes] == ["task-0", "task-1"]
    said = "\n".join(texts(figure))
    assert said.count("ceiling by noise of seeds and clips: 0.") == 2
    assert said.count("24 architectures") == 2
    assert {"timbral", "temporal_net", "vgg_study", "vgg", "vertical", "apart"} <= set(texts(figure))
    points = np.concatenate(
        [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() not in ("", "None")]
    )
    assert len(points) == 27
    assert sorted(points) == pytest.approx(sorted(100 * whole.analysis.tasks[0].scores.untrained))


def test_names_are_no_formulas(whole):
    """A family, an architecture and a task may be called anything, such as half a formula, which cannot be drawn."""
    odd = r"x$\frac$y"
    (first, *_), analysis = whole.analysis.tasks, whole.analysis
    odds = [odd] * len(analysis.families)
    analysis = replace(analysis, families=odds, architectures=odds, tasks=[replace(first, name=odd)])
    found = [text for text in accuracies_figure(analysis).findobj(Text) if odd in text.get_text()]
    assert len(found) == 1 + 1 + 3  # title, legend, and the architectures that are reported apart
    assert not any(text.get_parse_math() for text in found)


def test_rivals_have_a_bar_each_with_the_untrained_accuracy_first(drawn):
    (axes,) = drawn["rivals"].axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "untrained accuracy (u)"
    assert {"parameters", "naswot", "mean of the family, trained"} <= set(names)
    assert len(axes.patches) == len(names)


def test_regret_falls_to_zero_when_all_are_trained(drawn):
    for line in drawn["regret"].axes[0].lines[:3]:
        assert line.get_ydata()[-1] == pytest.approx(0)
    assert drawn["regret"].axes[0].get_title() == "best of 12 architectures"


def test_agreement_has_a_band(drawn, whole):
    (axes,) = drawn["agreement"].axes
    assert len(axes.collections) == 1
    assert list(axes.lines[0].get_ydata()) == pytest.approx(list(whole.analysis.agreement.probability))


def test_figures_without_results_are_left_out(parts):
    assert dict(figures(parts(lambda record: record.item.arm == "random").analysis)) == {}
    one = parts(lambda record: record.item.architecture == "timbral")
    assert list(dict(figures(one.analysis))) == ["accuracies"]
