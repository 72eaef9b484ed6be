from untrained.studies.diagram import groups, rank_figure


def test_bars_join_neighbours_of_which_no_two_differ():
    apart = {frozenset(pair) for pair in ("ac", "ad", "bd")}
    differ = lambda one, other: frozenset((one, other)) in apart  # noqa: E731
    assert groups("abcd", differ) == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert groups("abcd", lambda one, other: False) == [["a", "b", "c", "d"]]
    assert groups("abcd", lambda one, other: True) == []
    # b and c do not differ from each other but a differs from b: a longer run holds c and d, and no run repeats them
    assert groups("abcd", lambda one, other: "a" in (one, other)) == [["b", "c", "d"]]


def test_names_and_bars_of_the_diagram():
    ranks = {"vgg": 2.5, "mfcc": 1.0, "temporal": 2.5}
    figure = rank_figure(ranks, lambda one, other: "mfcc" in (one, other), "two data sets")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["mfcc  1.00", "vgg  2.50", "temporal  2.50"]
    bars = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 4]
    assert [list(bar) for bar in bars] == [[2.46, 2.54]]
