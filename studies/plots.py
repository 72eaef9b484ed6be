"""SVG plots for the HTML page of a study: mean ranks, and accuracy against cost."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log10

from .analysis import Analysis, Cell
from .charts import N_COLOURS, chart, described, dot, highest, line, mark, text
from .cost import decades, pareto_front
from .markup import Markup, element
from .overall import Overall, groups

_AXIS = 40  # vertical position of the axis of ranks, in px
_BAR = 10  # distance between bars, in px
_LINE = 24  # height of a line of text, in px
_SIDE_BY_SIDE = 34  # number of characters of two names that fit in one line on a narrow screen
_HEIGHT = 220  # height of a plot of costs, in px
_LEFT = 14.0  # position of the lowest cost, in per cent of the width; the labels of the accuracy axis are left of it
_SIGNS = "kMGTP"
_LETTER = 2.2  # width of a letter on a narrow screen, in per cent of the width


def rank_plot(overall: Overall) -> Markup:
    """Return a plot of mean ranks, with a bar over each group of frontends that are not separable.

    The plot has the layout of `diagram.rank_figure`.
    """
    names = sorted(overall.ranks, key=lambda name: overall.ranks[name])
    n = len(names)
    bars = groups(names, overall.differ)

    def at(rank: float) -> str:
        return f"{4 + 92 * (rank - 1) / (n - 1):.2f}%"

    step = max(1, round(n / 12))
    drawn = [line("4%", _AXIS, "96%", _AXIS, "axis")]
    for tick in range(1, n + 1, step):
        drawn += [
            line(at(tick), _AXIS - 5, at(tick), _AXIS, "axis"),
            text(at(tick), _AXIS - 10, tick, "tick", "middle"),
        ]
    for level, bar in enumerate(bars, 1):
        y = _AXIS + _BAR * level
        label = f"not separable: {', '.join(bar)}"
        ends = at(overall.ranks[bar[0]]), at(overall.ranks[bar[-1]])
        drawn.append(mark(label, line(ends[0], y, ends[1], y, "group")))
    left = (n + 1) // 2
    longest = [max(map(len, part), default=0) for part in (names[:left], names[left:])]
    is_shared = sum(longest) + 2 * len(" 10.00") <= _SIDE_BY_SIDE + 12
    top = _AXIS + _BAR * (len(bars) + 1)
    for index, name in enumerate(names):
        row = index if index < left else n - 1 - index + (0 if is_shared else left)
        y, x, rank = top + _LINE * (row + 1), at(overall.ranks[name]), overall.ranks[name]
        side, anchor = ("0", "start") if index < left else ("100%", "end")
        drawn.append(
            mark(
                f"{name}: mean rank {rank:.2f}",
                line(x, _AXIS, x, y, "lead"),
                line(x, y, side, y, "lead"),
                text(side, y - 5, [element("tspan", name, class_="name"), f"  {rank:.2f}"], "", anchor),
                dot(x, _AXIS, "rank", 4),
            )
        )
    height = top + _LINE * (left if is_shared else n) + 8
    return chart(f"Mean ranks over {overall.n_datasets} data sets", height, drawn)


def cost_plot(analysis: Analysis, dataset: str, name: str, of: Callable[[Cell], float | None]) -> Markup | None:
    """Return a plot of accuracy against a cost on one data set, with the Pareto front of each backend.

    Args:
        analysis: Analysis of the study.
        dataset: Name of the data set.
        name: Name of the cost.
        of: Function that returns the cost of a cell; None if it is unknown.

    Returns:
        The plot; None if no cost is known, or all known costs are 0.
    """
    known = [(float(cost), cell) for cell in analysis.of(dataset) if (cost := of(cell)) is not None]
    powers = decades([cost for cost, _ in known])
    if not powers:
        return None
    top = highest(analysis)
    has_zero = min(cost for cost, _ in known) == 0
    start = 24 if has_zero else _LEFT

    def x_of(cost: float) -> float:
        span = log10(powers[-1] / powers[0])
        return start + (96 - start) * log10(cost / powers[0]) / span if cost else _LEFT

    def y_of(accuracy: float) -> float:
        return 12 + _HEIGHT * (1 - accuracy / top)

    drawn = _cost_axes(powers, x_of, y_of, top, has_zero=has_zero)
    chance = y_of(100 / known[0][1].first.n_classes)
    drawn.append(line("0", chance, "100%", chance, "chance"))
    front: list[tuple[float, float]] = []
    marks: list[Markup] = []
    for backend in analysis.backends(dataset):
        colour = f"s{analysis.place_of(backend) % N_COLOURS}"
        cells = [(cost, cell) for cost, cell in known if cell.first.backend == backend]
        found = pareto_front([(cost, 100 * cell.accuracy) for cost, cell in cells])
        front += found
        drawn += _steps([(x_of(cost), y_of(accuracy)) for cost, accuracy in found], colour)
        for cost, cell in cells:
            label = f"{described(cell)}; {cost:,.6g} {name}"
            marks.append(mark(label, dot(f"{x_of(cost):.2f}%", y_of(100 * cell.accuracy), f"point {colour}", 5)))
    best = {
        cell.first.frontend: (cost, 100 * cell.accuracy) for cost, cell in sorted(known, key=lambda e: e[1].accuracy)
    }
    order = sorted(best.items(), key=lambda item: (item[1] not in front, -item[1][1]))
    named = [(label, (x_of(cost), y_of(value)), (cost, value) in front) for label, (cost, value) in order]
    labels = _labels(named, [(x_of(cost), y_of(100 * cell.accuracy)) for cost, cell in known])
    return chart(f"Accuracy on {dataset} against {name}", _HEIGHT + 36, drawn, labels, marks)


def _cost_axes(
    powers: Sequence[float],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    top: float,
    *,
    has_zero: bool,
) -> list[Markup]:
    step = 10 if top <= 50 else 20
    drawn = []
    for tick in range(0, int(top) + 1, step):
        y = y_of(tick)
        drawn += [line("0", y, "100%", y, "grid"), text("0", y - 3, f"{tick} %" if tick else "", "tick")]
    skipped = max(1, -(-len(powers) // 6))
    for power in [*([0.0] if has_zero else []), *powers[::skipped]]:
        x = f"{x_of(power):.2f}%"
        anchor = "middle" if x_of(power) < 96 else "end"
        drawn += [line(x, y_of(0), x, y_of(0) + 4, "axis"), text(x, y_of(0) + 18, _short(power), "tick", anchor)]
    return drawn


def _steps(places: Sequence[tuple[float, float]], colour: str) -> list[Markup]:
    """Return the lines of a staircase through positions, from left to right."""
    drawn = []
    for (x1, y1), (x2, y2) in pairwise(places):
        drawn.append(line(f"{x1:.2f}%", y1, f"{x2:.2f}%", y1, f"front {colour}"))
        drawn.append(line(f"{x2:.2f}%", y1, f"{x2:.2f}%", y2, f"front {colour}"))
    return drawn


def _labels(
    places: Sequence[tuple[str, tuple[float, float], bool]], points: Sequence[tuple[float, float]]
) -> list[Markup]:
    """Return names next to their points; skip names that would cover another point or an earlier name.

    Args:
        places: Name and position of each point, and whether the point is on a Pareto front.
        points: Positions of all points.
    """
    taken: list[tuple[float, float, float]] = []  # left end, right end and height of the names so far
    drawn = []
    for name, (x, y), is_front in places:
        width = _LETTER * len(name)
        sides = [(x + 2.5, "start"), (x - 2.5, "end")] if x < 50 else [(x - 2.5, "end"), (x + 2.5, "start")]
        for (start, anchor), dy in ((side, dy) for dy in (-6, 14) for side in sides):
            low, high = (start, start + width) if anchor == "start" else (start - width, start)
            is_free = all(high < a or b < low or abs(y + dy - c) > 13 for a, b, c in taken) and not any(
                low - 1.5 < a < high + 1.5 and y + dy - 14 < b < y + dy + 5 for a, b in points
            )
            if low >= 0 and high <= 100 and is_free:
                taken.append((low, high, y + dy))
                drawn.append(text(f"{start:.2f}%", y + dy, name, "label" if is_front else "label faint", anchor))
                break
    return drawn


def _short(value: float) -> str:
    """Return a power of ten as text for an axis, such as 100k or 0.01."""
    for power, sign in reversed(list(enumerate(_SIGNS, 1))):
        if value >= 1000**power:
            return f"{value / 1000**power:g}{sign}"
    return f"{value:g}"
