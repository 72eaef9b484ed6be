from untrained.studies.weights import beside
from untrained.studies.weights_figure import weights_figure


def test_the_figure_has_a_mark_for_each_accuracy_and_a_number_for_each_gain(trained_weights):
    figure = weights_figure(trained_weights, beside(trained_weights))
    (axes,) = figure.axes
    marks = [line for line in axes.lines if line.get_marker() not in ("None", None, "")]
    assert sum(len(line.get_xdata()) for line in marks) == 3 + 2 + 2
    assert sorted(text.get_text() for text in axes.texts) == ["+41.7 *", "+41.7 *"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.frontend for row in beside(trained_weights)]
