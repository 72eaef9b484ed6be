"""Figures of a study: accuracies in the style of Pons & Serra (2018), and accuracy against cost."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ..probes.record import OPTIMISTIC
from .analysis import Analysis, Cell
from .cost import COSTS, decades, pareto_front

_INTERVAL = "0.35"  # grey that is visible both on bars and next to them
_PANELS = 3  # number of panels side by side


def comparison_figure(analysis: Analysis) -> Figure:
    """Draw the accuracies of a study, with one panel for each data set and one row for each frontend.

    Bars show accuracies with the standard deviation over seeds, and a dashed line shows chance. Rows are grouped by
    the input of the frontends and sorted from minimal filters to many; baselines and controls come last. A thin grey
    line is the interval over clips, and a diamond is the published accuracy.
    """
    datasets = analysis.datasets
    rows = _rows(analysis.kinds())
    n_columns = min(_PANELS, len(datasets))
    n_lines = -(-len(datasets) // n_columns)
    n_backends = max(len(analysis.backends(dataset)) for dataset in datasets)
    size = (2.2 + 3.4 * n_columns, n_lines * (1.0 + len(rows) * (0.2 + 0.12 * n_backends)) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_lines, n_columns, sharey=True, squeeze=False).ravel()
    for axes, dataset in zip(panels, datasets, strict=False):
        _draw_dataset(axes, analysis, dataset, rows)
    for axes in panels[len(datasets) :]:
        axes.set_axis_off()
    labelled = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(labelled.values(), labelled, loc="outside lower center", ncols=min(5, len(labelled)), fontsize=8)
    return figure


def _rows(kinds: Mapping[str, Sequence[str]]) -> list[tuple[str, bool]]:
    """Return the rows of a panel: names of kinds (marked True), each followed by its frontends (marked False)."""
    return [row for kind, names in kinds.items() for row in [(kind, True), *((name, False) for name in names)]]


def _draw_dataset(axes: Axes, analysis: Analysis, dataset: str, rows: Sequence[tuple[str, bool]]) -> None:
    backends = analysis.backends(dataset)
    width = 0.8 / len(backends)
    tops = []
    for index, backend in enumerate(backends):
        colour = mpl.color_sequences["tab10"][analysis.place_of(backend) % 10]
        label = backend
        for position, (name, is_kind) in enumerate(rows):
            cell = None if is_kind else analysis.cells.get((dataset, name, backend))
            if cell:
                y = position + (index - (len(backends) - 1) / 2) * width
                tops.append(_draw_cell(axes, cell, y, width, colour, label))
                label = ""
    cells = analysis.of(dataset)
    first = cells[0].first
    axes.axvline(100 / first.n_classes, color="black", linestyle="--", linewidth=1, label="chance")
    if any(cell.deviation is not None for cell in cells):
        axes.errorbar([], [], xerr=[], color="black", capsize=3, linestyle="", label="deviation over seeds")
    axes.plot([], [], color=_INTERVAL, linewidth=1, label="95 % interval over clips")
    if any(cell.published is not None for cell in cells):
        axes.plot([], [], "D", color="black", markerfacecolor="none", markersize=5, label="published")
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, min(108.0, 1.12 * max([*tops, 20]))), xlabel="accuracy (%)")
    axes.set_yticks(range(len(rows)), [_folded(name) for name, _ in rows], parse_math=False)
    for (_, is_kind), text in zip(rows, axes.get_yticklabels(), strict=False):  # only the first panel has names
        text.set(style="italic" if is_kind else "normal", color="0.35" if is_kind else "black")
    axes.tick_params("y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    optimistic = OPTIMISTIC.replace(" ", "\n", 1) if any(c.first.selected_on_test for c in cells) else ""
    axes.set_title(f"{dataset} ({first.protocol}{optimistic})", fontsize=10, parse_math=False)


def _draw_cell(axes: Axes, cell: Cell, y: float, height: float, colour: object, label: str) -> float:
    """Draw the bar of a cell and its intervals; return the largest value drawn, in per cent."""
    value, deviation = 100 * cell.accuracy, 100 * (cell.deviation or 0)
    axes.barh(y, value, height, color=colour, alpha=0.7, label=label)
    if deviation:
        axes.errorbar(value, y - height / 5, xerr=deviation, capsize=2, color="black", linewidth=1)
    axes.plot([100 * cell.low, 100 * cell.high], [y + height / 5] * 2, color=_INTERVAL, linewidth=1)
    if cell.published is not None:
        axes.plot(100 * cell.published, y, "D", color="black", markerfacecolor="none", markersize=5)
    end = max(value + deviation, 100 * max(cell.high, cell.published or 0))
    axes.annotate(f"{value:.0f}", (end, y), (3, 0), textcoords="offset points", va="center", fontsize=8)
    return end


def pareto_figure(analysis: Analysis) -> Figure:
    """Draw accuracy against parameters, floating-point operations and seconds, with one row for each data set.

    For each backend, a line joins the frontends that are Pareto-optimal in cost and accuracy.
    """
    datasets = analysis.datasets
    figure = Figure(figsize=(15, 4.4 * len(datasets)), layout="constrained")
    for row, dataset in zip(np.atleast_2d(figure.subplots(len(datasets), 3, sharey="row")), datasets, strict=True):
        for axes, (cost, of) in zip(row, COSTS.items(), strict=True):
            known = [(float(x), cell) for cell in analysis.of(dataset) if (x := of(cell)) is not None]
            _draw_costs(axes, known, {name: analysis.place_of(name) for name in analysis.backends(dataset)})
            axes.set_xlabel(cost)
        row[0].set(ylabel="accuracy (%)", ylim=(0, None))
        row[0].set_title(dataset, loc="left", parse_math=False)
        if row[-1].get_legend_handles_labels()[1]:  # a cost may be unknown
            row[-1].legend(fontsize=8)
    return figure


def _draw_costs(axes: Axes, cells: Sequence[tuple[float, Cell]], places: Mapping[str, int]) -> None:
    for backend, place in places.items():
        colour = mpl.color_sequences["tab10"][place % 10]
        points = [(x, 100 * cell.accuracy) for x, cell in cells if cell.first.backend == backend]
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=colour, label=backend)
            axes.step(*zip(*pareto_front(points), strict=True), where="post", color=colour, linewidth=1)
    best = {cell.first.frontend: (x, 100 * cell.accuracy) for x, cell in sorted(cells, key=lambda c: c[1].accuracy)}
    for name, point in best.items():
        axes.annotate(name, point, (3, 3), textcoords="offset points", fontsize=7, parse_math=False)
    if cells:
        axes.axhline(100 / cells[0][1].first.n_classes, color="black", linestyle="--", linewidth=1)
        _decades(axes, [x for x, _ in cells])


def _decades(axes: Axes, costs: Sequence[float]) -> None:
    """Scale the x axis logarithmically over whole decades, and include 0 if a cost is 0."""
    powers = decades(costs)
    if not powers:
        return
    if min(costs) > 0:
        axes.set_xscale("log")
        axes.set_xlim(powers[0], powers[-1])
    else:
        axes.set_xscale("symlog", linthresh=powers[0])
        axes.set_xlim(-powers[0] / 4, powers[-1])
        powers = [0.0, *powers]
    axes.set_xticks(powers)
    axes.xaxis.set_minor_formatter(NullFormatter())


def _folded(name: str) -> str:
    """Return a name, with a line break at the first hyphen if it is long."""
    return name.replace("-", "\n", 1) if len(name) > 18 else name
