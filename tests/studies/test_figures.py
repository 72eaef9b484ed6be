from untrained.studies.figures import comparison_figure, pareto_figure


def test_each_data_set_has_its_axes(analysis):
    titles = [axes.get_title() for axes in comparison_figure(analysis).axes]
    assert titles == ["synthetic-events (nested)", "synthetic-timbre (holdout)"]
    labels = [axes.get_xlabel() for axes in pareto_figure(analysis).axes]
    assert labels == 2 * ["parameters", "FLOP for a clip", "seconds for a clip"]
