import pytest
from untrained.studies.diagram import rank_figure


@pytest.mark.draws
def test_names_and_bars_of_the_diagram():
    ranks = {"vgg": 2.5, "mfcc": 1.0, "temporal": 2.5}
    figure = rank_figure(ranks, lambda one, other: "mfcc" in (one, other), "two data sets")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["mfcc  1.00", "vgg  2.50", "temporal  2.50"]
    bars = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 4]
    assert [list(bar) for bar in bars] == [[2.46, 2.54]]
    figure.draw_without_rendering()
