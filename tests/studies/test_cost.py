from untrained.studies.cost import COSTS, decades, pareto_front


def test_dominated_points_are_not_on_the_pareto_front():
    assert pareto_front([(1, 40), (1, 50), (2, 50), (3, 60), (0, 10)]) == [(0, 10), (1, 50), (3, 60)]
    assert pareto_front([]) == []


def test_decades_enclose_all_costs():
    assert decades([1, 10]) == [1, 10, 100]
    assert decades([0, 0.02]) == [0.01, 0.1]
    assert decades([0, 0]) == []


def test_costs_of_a_cell(analysis):
    cell = analysis.cells["synthetic-events", "temporal-n_filters=4", "nearest_class"]
    parameters, flop, seconds = (of(cell) for of in COSTS.values())
    assert (parameters, flop) == (cell.first.n_parameters, cell.first.flop)
    assert seconds > 0
