import io

import pytest
from untrained.studies.figures import comparison_figure, pareto_figure


def test_each_data_set_has_a_panel_for_accuracy_and_for_each_cost(analysis):
    titles = [axes.get_title() for axes in comparison_figure(analysis).axes]
    assert titles == ["synthetic-events (nested)", "synthetic-timbre (holdout)"]
    labels = [axes.get_xlabel() for axes in pareto_figure(analysis).axes]
    assert labels == 2 * ["parameters", "FLOP per clip", "seconds per clip"]


@pytest.mark.draws
def test_figures_are_drawn(analysis):
    for figure in (comparison_figure(analysis), pareto_figure(analysis)):
        file = io.BytesIO()
        figure.savefig(file)
        assert file.getvalue().startswith(b"\x89PNG")
