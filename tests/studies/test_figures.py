from untrained.studies.figures import pareto_front


def test_what_is_neither_cheaper_nor_better_is_not_in_front():
    assert pareto_front([(1, 40), (1, 50), (2, 50), (3, 60), (0, 10)]) == [(0, 10), (1, 50), (3, 60)]
    assert pareto_front([]) == []
