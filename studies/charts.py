"""SVG charts for the HTML page of a study: accuracies, and differences from a control.

Horizontal positions are in per cent of the width of a chart, so that text has the same size on every screen.
"""

from collections.abc import Sequence
from itertools import groupby
from math import ceil

from .analysis import Analysis, Cell
from .markup import Markup, element
from .verdict import PairTest

N_COLOURS = 7  # number of colours, which are the classes s0 to s6 of page.css
_ROW = 36  # height of a row with a line of text and a bar, in px
_BAR = 12  # height of a bar, in px
_TOP = 24  # height of the axis, in px
_GAP = 10  # gap between frontends, in px
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)


def percent(fraction: float) -> str:
    """Return a fraction in per cent with one decimal."""
    return f"{100 * fraction:.1f}"


def points(fraction: float) -> str:
    """Return a difference in points, with its sign."""
    return f"{100 * fraction:+.1f}".replace("-0.0", "+0.0")


def described(cell: Cell) -> str:
    """Return the description of a cell, for a mark in a chart."""
    several = f" (mean of {len(cell.runs)} seeds)" if len(cell.runs) > 1 else ""
    spread = f" ± {percent(cell.deviation)}" if cell.deviation is not None else ""
    known = f"; published {percent(cell.published)} %" if cell.published is not None else ""
    first = cell.first
    return (
        f"{first.frontend}, {first.backend}: {percent(cell.accuracy)}{spread} %{several}; "
        f"95 % interval {percent(cell.low)} to {percent(cell.high)}{known}"
    )


def mark(label: str, *content: object) -> Markup:
    """Return a part of a chart that can be focused and shows its description as a tooltip."""
    return element("g", element("title", label), *content, class_="mark", role="img", tabindex=-1, aria_label=label)


def chart(label: str, height: float, *content: object) -> Markup:
    """Return a chart that is as wide as the element around it."""
    return element("svg", *content, class_="chart", role="group", aria_label=label, width="100%", height=f"{height:g}")


def text(x: str, y: float, content: object, class_: str = "", anchor: str = "start") -> Markup:
    """Return a line of text, which is aligned at x by its start, middle or end."""
    return element("text", content, x=x, y=f"{y:g}", class_=class_ or None, text_anchor=anchor)


def line(x1: str, y1: float, x2: str, y2: float, class_: str) -> Markup:
    """Return a line."""
    return element("line", x1=x1, y1=f"{y1:g}", x2=x2, y2=f"{y2:g}", class_=class_)


def dot(x: str, y: float, class_: str, radius: float = 3) -> Markup:
    """Return a circle."""
    return element("circle", cx=x, cy=f"{y:g}", r=f"{radius:g}", class_=class_)


def highest(analysis: Analysis) -> float:
    """Return the upper end of all accuracy axes of a study, in per cent, as a multiple of 10."""
    values = [value for cell in analysis.cells.values() for value in (cell.high, cell.published or 0, cell.accuracy)]
    values += [1 / cell.first.n_classes for cell in analysis.cells.values()]
    return min(100, 10 * ceil(10 * max(values) + 1e-9))


def accuracy_chart(analysis: Analysis, dataset: str) -> Markup:
    """Return a bar chart of accuracies with intervals, a point for each seed, and a dashed line for chance."""
    top = highest(analysis)
    backends = analysis.backends(dataset)
    rows: list[Markup] = []
    y = float(_TOP)
    for name in analysis.frontends():
        cells = [cell for each in backends if (cell := analysis.cells.get((dataset, name, each)))]
        for position, cell in enumerate(cells):
            more = cell.first.backend if len(backends) > 1 else ""
            colour = f"s{analysis.place_of(cell.first.backend) % N_COLOURS}"
            rows.append(_bar(cell, _title("" if position else name, more, y), colour, y, top))
            y += _ROW
        y += _GAP if cells else 0
    chance = 100 / analysis.of(dataset)[0].first.n_classes
    at = _at(chance, 0, top)
    axis = _axis(0, top, y, " %")
    return chart(f"Accuracy on {dataset}", y, axis, rows, line(at, _TOP, at, y, "chance"))


def _bar(cell: Cell, title: Markup, colour: str, y: float, top: float) -> Markup:
    def at(fraction: float) -> str:
        return _at(100 * fraction, 0, top)

    spread = f" ± {percent(cell.deviation)}" if cell.deviation is not None else ""
    middle = y + 18 + _BAR / 2
    ends = [line(at(end), middle - 4, at(end), middle + 4, "interval") for end in (cell.low, cell.high)]
    seeds = [dot(at(run.accuracy), middle, "seed") for run in cell.runs] if len(cell.runs) > 1 else []
    known = [] if cell.published is None else [_diamond(at(cell.published), middle)]
    size = {"y": f"{y + 18:g}", "height": _BAR}
    return mark(
        described(cell),
        element("rect", x="0", y=f"{y:g}", width="100%", height=_ROW, class_="hit"),
        title,
        text("100%", y + 12, f"{percent(cell.accuracy)}{spread}", "value", "end"),
        element("rect", x="0", width=at(cell.accuracy), class_=f"bar {colour}", **size),
        line(at(cell.low), middle, at(cell.high), middle, "interval"),
        ends,
        seeds,
        known,
    )


def difference_chart(label: str, rows: Sequence[tuple[str, str, int, PairTest]]) -> Markup:
    """Return a chart of differences from a control with 95 % intervals, in which filled points are significant.

    Args:
        label: Accessible name of the chart.
        rows: For each difference, the frontend, the backend and variant as text, the index of the colour, and the
            test.
    """
    ends = [abs(end) for *_, test in rows for end in test.estimate.interval]
    extent = next((float(step) for step in _STEPS if step >= 100 * max(ends, default=0)), 100.0)
    drawn: list[Markup] = []
    y = float(_TOP)
    for _, several in groupby(rows, key=lambda row: row[0]):
        for position, (name, more, colour, test) in enumerate(several):
            drawn.append(_difference(_title("" if position else name, more, y), more, colour, test, y, extent))
            y += _ROW
        y += _GAP
    return chart(label, y, _axis(-extent, extent, y, ""), line("50%", _TOP, "50%", y, "zero"), drawn)


def _difference(title: Markup, more: str, colour: int, test: PairTest, y: float, extent: float) -> Markup:
    difference, (low, high) = test.estimate.difference, test.estimate.interval
    said = "significant" if test.is_significant else "not significant"
    label = (
        f"{test.a} minus {test.b}{f', {more}' if more else ''}: {points(difference)} points, 95 % interval "
        f"{points(low)} to {points(high)}; corrected p = {test.p_corrected:.3g}, {said}"
    )
    middle = y + 18 + _BAR / 2
    x1, x2, x = (_at(100 * value, -extent, extent) for value in (low, high, difference))
    hollow = "" if test.is_significant else " hollow"
    return mark(
        label,
        element("rect", x="0", y=f"{y:g}", width="100%", height=_ROW, class_="hit"),
        title,
        text("100%", y + 12, f"{points(difference)}{' *' if test.is_significant else ''}", "value", "end"),
        line(x1, middle, x2, middle, f"whisker s{colour % N_COLOURS}"),
        dot(x, middle, f"point s{colour % N_COLOURS}{hollow}", 5),
    )


def _title(name: str, more: str, y: float) -> Markup:
    """Return the text above a bar: the name of the frontend in bold, and the backend or variant."""
    found = [element("tspan", name, class_="name")] if name else []
    found += [element("tspan", f"{' ' if name else ''}{more}", class_="more")] if more else []
    return text("0", y + 12, found)


def _axis(low: float, high: float, bottom: float, unit: str) -> list[Markup]:
    step = next(step for step in _STEPS if (high - low) / step <= 6)
    ticks = range(ceil(low / step) * step, int(high) + 1, step)
    drawn = []
    for tick in ticks:
        x = _at(tick, low, high)
        anchor = "start" if tick == low else "end" if tick >= high else "middle"
        drawn += [line(x, _TOP - 6, x, bottom, "grid"), text(x, _TOP - 10, f"{tick:g}{unit}", "tick", anchor)]
    return drawn


def _diamond(x: str, y: float) -> Markup:
    return element("svg", element("path", d="M0-6 6 0 0 6-6 0z", class_="published"), x=x, y=f"{y:g}", class_="free")


def _at(value: float, low: float, high: float) -> str:
    return f"{100 * (min(max(value, low), high) - low) / (high - low):.2f}%"
