"""Figures of a rank study as images: accuracies, other predictors, regret, and what a difference is worth."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from ..rank_analysis.analysis import RankAnalysis, TaskAnalysis
from .decision_tables import ORDERS
from .families import COLOURS, looks
from .labels import place
from .pair_counts import has_band
from .rival_tables import title
from .task_tables import stated_ceiling
from .words import estimate, number

_COLUMNS = 3


def figures(analysis: RankAnalysis) -> Iterator[tuple[str, Figure]]:
    """Yield the name of each figure for which there are results, and the figure."""
    if any(np.isfinite(task.scores.trained + task.scores.untrained).any() for task in analysis.tasks):
        yield "accuracies", accuracies_figure(analysis)
    if any(np.isfinite(rival.rho.value) for rival in analysis.rivals):
        yield "rivals", rivals_figure(analysis)
    if analysis.decisions.searches:
        yield "regret", regret_figure(analysis)
    if np.isfinite(analysis.agreement.probability).any():
        yield "agreement", agreement_figure(analysis)


def accuracies_figure(analysis: RankAnalysis) -> Figure:
    """Draw the trained against the untrained accuracy, with a panel for each task, as in Saxe et al. (2011), fig. 5."""
    n = len(analysis.tasks)
    columns = min(_COLUMNS, n)
    lines = -(-n // columns)
    figure = Figure(figsize=(1.2 + 5.2 * columns, 0.8 + 4.9 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, task in zip(panels, analysis.tasks, strict=False):
        _draw_task(axes, task, analysis)
    for axes in panels[n:]:
        axes.set_axis_off()
    of = looks([family for family, apart in zip(analysis.families, analysis.apart, strict=True) if not apart])
    handles = [
        Line2D([], [], marker=look.marker, color=COLOURS[look.colour], linestyle="", label=name)
        for name, look in of.items()
    ]
    if analysis.apart.any():
        handles.append(Line2D([], [], marker="o", color="black", markerfacecolor="none", linestyle="", label="apart"))
    below = figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), fontsize=8)
    for name in below.get_texts():
        name.set_parse_math(False)  # a family may be called anything
    return figure


def _draw_task(axes: Axes, task: TaskAnalysis, analysis: RankAnalysis) -> None:
    scores = task.scores
    x, y = 100 * scores.untrained, 100 * scores.trained
    errors = [np.nan_to_num(196 * error) for error in (scores.untrained_error, scores.trained_error)]
    known = np.isfinite(x) & np.isfinite(y)
    apart = np.asarray(analysis.apart, bool)
    families = np.asarray(analysis.families)
    of = looks([family for family, one in zip(analysis.families, apart, strict=True) if not one])
    for name, look in of.items():
        rows = known & ~apart & (families == name)
        colour = COLOURS[look.colour]
        bars = [error[rows] for error in errors]
        axes.errorbar(x[rows], y[rows], bars[1], bars[0], color=colour, linestyle="", elinewidth=0.6, alpha=0.35)
        axes.plot(x[rows], y[rows], look.marker, color=colour, markersize=5)
    rows = known & apart
    axes.errorbar(
        x[rows], y[rows], errors[1][rows], errors[0][rows], color="0.3", linestyle="", elinewidth=0.6, alpha=0.5
    )
    axes.plot(x[rows], y[rows], "o", color="black", markerfacecolor="white", markersize=6)
    axes.set(xlabel="accuracy without training (%)", ylabel="accuracy with training (%)")
    axes.set_title(task.name, fontsize=10, parse_math=False)
    ceiling, over = stated_ceiling(task.correlations.ceiling)
    said = (
        f"ρ = {estimate(task.correlations.rho)}\nceiling by noise of {over}: {number(ceiling)}\n{task.n} architectures"
    )
    if task.cross_fitted is not None:
        said += "\ncross-fitted: same clips"
    axes.text(0.03, 0.97, said, transform=axes.transAxes, va="top", fontsize=8, parse_math=False)
    axes.margins(0.05)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.22 * (high - low))  # room for the text
    axes.spines[["top", "right"]].set_visible(False)
    _name_apart(axes, [(analysis.architectures[row], (x[row], y[row])) for row in np.flatnonzero(rows).tolist()])


def _name_apart(axes: Axes, points: list[tuple[str, tuple[float, float]]]) -> None:
    """Write the names of architectures next to their marks, with a line to those that have no room there."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    width, height = 330.0, 290.0  # about the size of a panel in points
    scaled = [((x - left) / (right - left) * width, (y - bottom) / (top - bottom) * height) for _, (x, y) in points]
    sizes = [(4.6 * len(name), 9.0) for name, _ in points]
    for (name, at), (dx, dy) in zip(points, place(scaled, sizes, (width, 0.8 * height)), strict=True):
        far = abs(dy) > 12
        axes.annotate(
            name,
            at,
            (dx, dy),
            textcoords="offset points",
            fontsize=7.5,
            va="center",
            parse_math=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.4"} if far else None,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )


def rivals_figure(analysis: RankAnalysis) -> Figure:
    """Draw the correlation of each predictor with the trained accuracy, the untrained accuracy first."""
    rows = [("untrained accuracy (u)", analysis.pooled.rho)]
    rows += [(title(rival.name), rival.rho) for rival in analysis.rivals if np.isfinite(rival.rho.value)]
    figure = Figure(figsize=(7.5, 1.1 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place_, (_, rho) in enumerate(rows):
        axes.barh(place_, rho.value, 0.65, color=COLOURS[0 if place_ == 0 else 6], alpha=0.8)
        axes.plot([rho.low, rho.high], [place_, place_], color="black", linewidth=1.2)
        end = np.nanmax([rho.value, rho.high, 0.0])
        axes.annotate(number(rho.value), (end, place_), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], parse_math=False)
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="ρ with the trained accuracy, pooled over tasks")
    axes.margins(x=0.12)
    axes.tick_params("y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def regret_figure(analysis: RankAnalysis) -> Figure:
    """Draw the regret against the number of trained architectures, for each order of training."""
    searches = analysis.decisions.searches
    figure = Figure(figsize=(1 + 4.6 * len(searches), 3.8), layout="constrained")
    for axes, search in zip(np.atleast_1d(figure.subplots(1, len(searches), sharey=True)), searches, strict=True):
        for style, (order, colour) in zip(("-", "--", ":"), zip(ORDERS, (0, 6, 1), strict=True), strict=True):
            curve = search.regret[order]
            axes.plot(np.arange(1, len(curve) + 1), curve, style, color=COLOURS[colour], label=ORDERS[order])
        axes.axhline(1, color="0.6", linewidth=0.8)
        axes.set(xlabel="networks trained", title=f"best of {search.n_candidates} architectures")
        axes.title.set_fontsize(10)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    first = figure.axes[0]
    first.set_ylabel("regret (points)")
    first.legend(fontsize=8, frameon=False)
    return figure


def agreement_figure(analysis: RankAnalysis) -> Figure:
    """Draw the probability of the same order with training against the difference without training."""
    found = analysis.agreement
    figure = Figure(figsize=(6.2, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(
        found.difference, found.low, found.high, has_band(found), color=COLOURS[0], alpha=0.2, linewidth=0
    )
    axes.plot(found.difference, found.probability, color=COLOURS[0])
    axes.axhline(0.5, color="black", linestyle="--", linewidth=0.8)
    axes.set(xlabel="difference of untrained accuracies (points)", ylabel="P(same order with training)", ylim=(0, 1.02))
    axes.set_xlim(0, max(float(found.difference[-1]), 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    return figure
