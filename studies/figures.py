"""Figures of a study: accuracies in the style of its original, and accuracy against cost."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from .analysis import Analysis, Cell
from .cost import COSTS, decades, pareto_front

_INTERVAL = "0.35"  # a grey that is visible on bars and next to them


def comparison_figure(analysis: Analysis) -> Figure:
    """Draw the accuracies of a study, one row for each data set.

    Bars show accuracies with deviations over seeds, and a dashed line shows chance. Bars are grouped by what frontends
    read, from minimal filters to many; baselines and controls come last. A thin grey line next to the deviation of a
    bar is the interval over clips; a diamond is the published accuracy.
    """
    datasets = analysis.datasets
    n_bars = len(analysis.frontends()) * max(len(analysis.backends(dataset)) for dataset in datasets)
    figure = Figure(figsize=(max(6.5, 2.5 + 0.42 * n_bars), 4.6 * len(datasets)), layout="constrained")
    for axes, dataset in zip(np.atleast_1d(figure.subplots(len(datasets), 1)), datasets, strict=True):
        _draw_dataset(axes, analysis, dataset)
    return figure


def _draw_dataset(axes: Axes, analysis: Analysis, dataset: str) -> None:
    backends = analysis.backends(dataset)
    bars = analysis.frontends()
    width = 0.8 / len(backends)
    for index, backend in enumerate(backends):
        colour = mpl.color_sequences["tab10"][index % 10]
        label = backend
        for position, name in enumerate(bars):
            if cell := analysis.cells.get((dataset, name, backend)):
                _draw_cell(axes, cell, position + (index - (len(backends) - 1) / 2) * width, width, colour, label)
                label = ""
    cells = analysis.of(dataset)
    first = cells[0].first
    axes.axhline(100 / first.n_classes, color="black", linestyle="--", linewidth=1, label="chance")
    if any(cell.deviation is not None for cell in cells):
        axes.errorbar([], [], yerr=[], color="black", capsize=3, linestyle="", label="deviation over seeds")
    axes.plot([], [], color=_INTERVAL, linewidth=1, label="95 % interval over clips")
    if any(cell.published is not None for cell in cells):
        axes.plot([], [], "D", color="black", markerfacecolor="none", markersize=5, label="published")
    _draw_kinds(axes, analysis.kinds())
    axes.set_xticks(range(len(bars)), [_folded(name) for name in bars], rotation=30, ha="right", parse_math=False)
    axes.set(ylim=(0, 108), xlim=(-0.6, len(bars) - 0.4), ylabel="accuracy (%)", yticks=range(0, 101, 20))
    optimistic = ", chosen by the clips that are scored" if any(c.first.selected_on_test for c in cells) else ""
    axes.set_title(f"{dataset} ({first.protocol}{optimistic})", parse_math=False)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_cell(axes: Axes, cell: Cell, x: float, width: float, colour: object, label: str) -> None:
    value, deviation = 100 * cell.accuracy, 100 * (cell.deviation or 0)
    axes.bar(x, value, width, color=colour, alpha=0.7, label=label)
    if deviation:
        axes.errorbar(x - width / 6, value, yerr=deviation, capsize=3, color="black", linewidth=1)
    axes.plot([x + width / 6] * 2, [100 * cell.low, 100 * cell.high], color=_INTERVAL, linewidth=1)
    if cell.published is not None:
        axes.plot(x, 100 * cell.published, "D", color="black", markerfacecolor="none", markersize=5)
    top = max(value + deviation, 100 * max(cell.high, cell.published or 0))
    axes.text(x, top + 1, f"{value:.0f}", ha="center", fontsize=8)


def _draw_kinds(axes: Axes, kinds: Mapping[str, Sequence[str]]) -> None:
    """Label the groups of bars, and draw lines between them."""
    start = 0
    for kind, names in kinds.items():
        axes.text(start + (len(names) - 1) / 2, 103.5, kind, ha="center", va="center", fontsize=9, style="italic")
        if start:
            axes.axvline(start - 0.5, color="lightgrey", linewidth=1)
        start += len(names)


def pareto_figure(analysis: Analysis) -> Figure:
    """Draw accuracy against parameters, floating-point operations and seconds, one row for each data set.

    For each backend, a line joins the frontends that no other frontend beats in both cost and accuracy.
    """
    datasets = analysis.datasets
    figure = Figure(figsize=(15, 4.4 * len(datasets)), layout="constrained")
    for row, dataset in zip(np.atleast_2d(figure.subplots(len(datasets), 3, sharey="row")), datasets, strict=True):
        for axes, (cost, of) in zip(row, COSTS.items(), strict=True):
            known = [(float(x), cell) for cell in analysis.of(dataset) if (x := of(cell)) is not None]
            _draw_costs(axes, known, analysis.backends(dataset))
            axes.set_xlabel(cost)
        row[0].set(ylabel="accuracy (%)", ylim=(0, None))
        row[0].set_title(dataset, loc="left", parse_math=False)
        row[-1].legend(fontsize=8)
    return figure


def _draw_costs(axes: Axes, cells: Sequence[tuple[float, Cell]], backends: Sequence[str]) -> None:
    for index, backend in enumerate(backends):
        colour = mpl.color_sequences["tab10"][index % 10]
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
    """Set a logarithmic axis of whole decades, which includes 0 if a cost is 0."""
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
    """Return a name, broken into two lines if it is long."""
    return name.replace("-", "\n", 1) if len(name) > 18 else name
