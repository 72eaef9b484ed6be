"""SVG charts for the page of a rank study; they show the same as `figures`, and name every architecture."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

from ..charts import chart, line, mark, text
from ..markup import Markup, element
from ..rank_analysis.analysis import RankAnalysis, TaskAnalysis
from .decision_tables import ORDERS, shares
from .families import Look, looks
from .labels import place
from .pair_counts import has_band
from .rival_tables import title
from .task_tables import stated_ceiling
from .words import estimate, number, percent

_HEIGHT = 300.0  # height of a plot without its axes, in px
_NARROW = 320.0  # width of a chart on a narrow screen, in px, for which names are placed
_LEFT, _TOP = 10.0, 8.0  # space for the labels of the vertical axis, in per cent, and above a plot, in px
_LETTER = 7.4  # width of a letter, in px


@dataclass(frozen=True)
class Axes:
    """Axes of a plot: horizontal positions in per cent of its width, vertical ones in px.

    Args:
        x: Lowest and highest value of the horizontal axis.
        y: Lowest and highest value of the vertical axis.
        top: Height above the plot for text, in px.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    top: float = _TOP

    def x_of(self, value: float) -> float:
        """Return the horizontal position of a value."""
        return _LEFT + (98 - _LEFT) * (value - self.x[0]) / (self.x[1] - self.x[0])

    def y_of(self, value: float) -> float:
        """Return the vertical position of a value."""
        return self.top + _HEIGHT * (self.y[1] - value) / (self.y[1] - self.y[0])

    def drawn(self, x_label: str, y_label: str) -> list[Markup]:
        """Return grid, ticks and labels."""
        parts = []
        for tick in _ticks(*self.y):
            y = self.y_of(tick)
            parts += [line(f"{_LEFT}%", y, "98%", y, "grid"), text(f"{_LEFT - 1}%", y + 4, f"{tick:g}", "tick", "end")]
        bottom = self.top + _HEIGHT
        for tick in _ticks(*self.x):
            x = f"{self.x_of(tick):.2f}%"
            anchor = "middle" if self.x_of(tick) < 95 else "end"
            parts += [line(x, bottom, x, bottom + 4, "axis"), text(x, bottom + 17, f"{tick:g}", "tick", anchor)]
        parts.append(line(f"{_LEFT}%", bottom, "98%", bottom, "axis"))
        parts.append(text("98%", bottom + 34, x_label, "tick", "end"))
        return [*parts, text("0", self.top - 12, y_label, "tick")]

    @property
    def height(self) -> float:
        """Height of the whole chart, in px."""
        return self.top + _HEIGHT + 42


def accuracy_charts(analysis: RankAnalysis) -> list[tuple[str, Markup]]:
    """Return a plot of trained against untrained accuracy for each task with results."""
    found = [(task.name, _accuracies(task, analysis)) for task in analysis.tasks]
    return [(name, plot) for name, plot in found if plot is not None]


def legend(analysis: RankAnalysis) -> Markup:
    """Return a legend of the families."""
    entries = [_entry(look, name) for name, look in _looks(analysis).items()]
    if np.any(analysis.apart):
        hollow = element("path", d=next(iter(looks(["a"]).values())).path, class_="apart")
        entries.append(element("span", _sample(hollow), " reported apart"))
    return element("p", entries, class_="legend")


def _entry(look: Look, name: str) -> Markup:
    return element("span", _sample(element("path", d=look.path, class_=f"s{look.colour}")), f" {name}")


def _sample(path: Markup) -> Markup:
    return element(
        "svg", path, class_="chart sample", viewBox="-7 -7 14 14", width="14", height="14", aria_hidden="true"
    )


def _looks(analysis: RankAnalysis) -> dict[str, Look]:
    return looks([family for family, one in zip(analysis.families, analysis.apart, strict=True) if not one])


def _accuracies(task: TaskAnalysis, analysis: RankAnalysis) -> Markup | None:
    scores = task.scores
    x, y = 100 * scores.untrained, 100 * scores.trained
    dx, dy = (np.nan_to_num(196 * error) for error in (scores.untrained_error, scores.trained_error))
    rows: list[int] = np.flatnonzero(np.isfinite(x) & np.isfinite(y)).tolist()
    if not rows:
        return None
    axes = Axes(_range((x - dx)[rows], (x + dx)[rows]), _range((y - dy)[rows], (y + dy)[rows]), 78)
    of = _looks(analysis)
    order = sorted(rows, key=lambda row: bool(analysis.apart[row]))  # those with names last, on top

    def whiskers(row: int) -> list[Markup]:
        at = f"{axes.x_of(x[row]):.2f}%"
        ends = [f"{axes.x_of(x[row] + sign * dx[row]):.2f}%" for sign in (-1, 1)]
        level = axes.y_of(y[row])
        return [
            line(ends[0], level, ends[1], level, "spread"),
            line(at, axes.y_of(y[row] - dy[row]), at, axes.y_of(y[row] + dy[row]), "spread"),
        ]

    marks = []
    for row in order:
        look = of.get(analysis.families[row]) if not analysis.apart[row] else None
        path = look.path if look else next(iter(looks(["a"]).values())).path
        label = (
            f"{analysis.architectures[row]} ({analysis.families[row]}): untrained {percent(x[row] / 100)} "
            f"± {number(dx[row], 1)} %, trained {percent(y[row] / 100)} ± {number(dy[row], 1)} %"
        )
        shape = element("path", d=path, class_=f"s{look.colour}" if look else "apart")
        at = {"x": f"{axes.x_of(x[row]):.2f}%", "y": f"{axes.y_of(y[row]):.1f}"}
        marks.append(mark(label, element("svg", shape, class_="free", **at)))
    named = [row for row in order if analysis.apart[row]]
    points = [(axes.x_of(x[row]) * _NARROW / 100, axes.y_of(y[row])) for row in named]
    sizes = [(_LETTER * len(analysis.architectures[row]), 14.0) for row in named]
    names = []
    for row, point, offset, size in zip(
        named, points, place(points, sizes, (_NARROW, axes.height)), sizes, strict=True
    ):
        anchor = "start" if offset[0] > 0 else "end"
        shift = offset[0] if offset[0] > 0 else offset[0] + size[0]
        inner = text(f"{shift:g}", offset[1] + 4, analysis.architectures[row], "label", anchor)
        lead = line("0", 0, f"{shift:g}", offset[1], "lead") if abs(offset[1]) > 12 else None
        names.append(element("svg", lead, inner, class_="free", x=f"{axes.x_of(x[row]):.2f}%", y=f"{point[1]:.1f}"))
    ceiling, over = stated_ceiling(task.correlations.ceiling)
    said = [
        f"ρ = {estimate(task.correlations.rho)}, {task.n} architectures",
        f"Ceiling by noise of {over}: {number(ceiling)}",
    ]
    if task.cross_fitted is not None:
        said[0] += ", cross-fitted"
    words = [text("0", 14 + 17 * index, words, "more") for index, words in enumerate(said)]
    drawn = axes.drawn("without training (%)", "with training (%)")
    lines = [whiskers(row) for row in order]
    return chart(
        f"Accuracy with and without training on {task.name}. {said[0]}", axes.height, words, drawn, lines, marks, names
    )


def rival_chart(analysis: RankAnalysis) -> Markup:
    """Return a bar chart of the correlation of each predictor with the trained accuracy."""
    rows = [("untrained accuracy (u)", analysis.pooled.rho, "s0")]
    rows += [(title(each.name), each.rho, "s6") for each in analysis.rivals if np.isfinite(each.rho.value)]
    low = min(0.0, *(float(np.nanmin([rho.value, rho.low])) for _, rho, _ in rows if rho.value == rho.value), 0.0)
    high = max(0.0, *(float(np.nanmax([rho.value, rho.high])) for _, rho, _ in rows if rho.value == rho.value), 0.0)
    low, high = floor(5 * low - 1e-9) / 5, max(ceil(5 * high + 1e-9) / 5, 0.2)

    def at(value: float) -> str:
        return f"{1 + 97 * (value - low) / (high - low):.2f}%"

    y, drawn = 26.0, []
    for name, rho, colour in rows:
        left, right = sorted([0.0, rho.value]) if rho.value == rho.value else (0.0, 0.0)
        width = 97 * (right - left) / (high - low)
        has_interval = np.isfinite(rho.low) and np.isfinite(rho.high)
        drawn.append(
            mark(
                f"{name}: ρ = {estimate(rho)}",
                element("rect", x="0", y=f"{y:g}", width="100%", height=34, class_="hit"),
                text("0", y + 12, name),
                text("100%", y + 12, number(rho.value), "value", "end"),
                element("rect", x=at(left), y=f"{y + 17:g}", width=f"{width:.2f}%", height=12, class_=f"bar {colour}"),
                line(at(rho.low), y + 23, at(rho.high), y + 23, "interval") if has_interval else None,
            )
        )
        y += 38
    ticks = [
        [
            line(at(tick), 18, at(tick), y, "zero" if tick == 0 else "grid"),
            text(at(tick), 13, f"{tick:g}", "tick", "middle"),
        ]
        for tick in _ticks(low, high)
        if low + 0.02 < tick < high - 0.02
    ]
    return chart("Correlation of each predictor with the trained accuracy", y, ticks, drawn)


def regret_charts(analysis: RankAnalysis) -> list[tuple[str, Markup]]:
    """Return a plot of regret against the number of trained architectures for each number of candidates."""
    searches = analysis.decisions.searches
    values = np.concatenate([curve for search in searches for curve in search.regret.values()])
    limits = _range(np.minimum(values, 0), np.maximum(values, 2))
    found = []
    for search in searches:
        axes = Axes((1, max(2, search.n_candidates)), limits, 34)
        level = axes.y_of(1)
        lines: list[Markup] = [line(f"{_LEFT}%", level, "98%", level, "chance")]
        for (order, name), style in zip(ORDERS.items(), _LINES, strict=True):
            curve = search.regret[order]
            lines.append(
                _curve(
                    axes,
                    np.arange(1.0, len(curve) + 1),
                    curve,
                    style,
                    f"{name}: 1 point after {search.n_within_point[order]} networks",
                )
            )
        drawn = axes.drawn("networks trained", "regret (points)")
        label = f"Regret of choosing among {search.n_candidates} architectures"
        found.append((f"Best of {search.n_candidates}", chart(label, axes.height, drawn, lines)))
    return found


_LINES = ("curve s0", "curve dashed s6", "curve dotted s1")


def regret_legend() -> Markup:
    """Return a legend of the orders of training."""
    entries = []
    for name, style in zip(ORDERS.values(), _LINES, strict=True):
        sample = element("line", x1="0", y1="7", x2="28", y2="7", class_=style)
        svg = element("svg", sample, class_="chart sample", width="28", height="14", aria_hidden="true")
        entries.append(element("span", svg, f" {name}"))
    return element("p", entries, class_="legend")


def agreement_chart(analysis: RankAnalysis) -> Markup:
    """Return a plot of the probability of the same order with training against the difference without training."""
    found = analysis.agreement
    axes = Axes((0, max(float(found.difference[-1]), 1.0)), (0, 100), 34)
    known = has_band(found)
    x = [axes.x_of(value) for value in found.difference[known]]
    ends = [[axes.y_of(100 * value) for value in of[known]] for of in (found.low, found.high)]
    outline = [*zip(x, ends[0], strict=True), *reversed([*zip(x, ends[1], strict=True)])]
    parts = (
        [_stretched(element("polygon", points=_pairs(outline), class_="band s0"), axes.height)] if len(x) > 1 else []
    )
    parts.append(_curve(axes, found.difference, 100 * found.probability, "curve s0", "same order with training"))
    half = axes.y_of(50)
    parts.append(line(f"{_LEFT}%", half, "98%", half, "chance"))
    drawn = axes.drawn("difference without training (points)", "same order with training (%)")
    return chart(f"Probability of the same order with training. {shares(found)}", axes.height, drawn, parts)


def _curve(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], style: str, label: str) -> Markup:
    places = [(axes.x_of(a), axes.y_of(b)) for a, b in zip(x, y, strict=True) if np.isfinite(b)]
    return mark(label, _stretched(element("polyline", points=_pairs(places), class_=style), axes.height))


def _stretched(shape: Markup, height: float) -> Markup:
    """Return a shape whose horizontal positions are in per cent of the width of the chart."""
    box = {"viewBox": f"0 0 100 {height:g}", "preserveAspectRatio": "none"}
    return element("svg", shape, width="100%", height=f"{height:g}", **box)


def _pairs(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.1f}" for x, y in places)


def _range(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of an axis, which ends at a half or a full step."""
    a, b = float(np.min(low)), float(np.max(high))
    step = _step(b - a) / 2
    return step * floor(a / step), max(step * ceil(b / step), step * floor(a / step) + step)


def _step(extent: float) -> float:
    """Return the distance between ticks for at most six of them."""
    power = 10.0 ** floor(log10(max(extent, 1e-6)) - 1)
    return next(power * factor for factor in (1, 2, 5, 10, 20, 50, 100) if extent / (power * factor) <= 6)


def _ticks(low: float, high: float) -> list[float]:
    step = _step(high - low)
    return [round(step * index, 10) for index in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
