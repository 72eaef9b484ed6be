"""Figure of random and trained weights: one row for each frontend, one mark for each of its accuracies."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .analysis import Analysis
from .weights import Beside, columns

_MARKS = "osDv^P"
_COLUMNS = 3  # number of panels side by side


def weights_figure(analysis: Analysis, rows: list[Beside]) -> Figure:
    """Draw the accuracies of each frontend with random and with trained weights, with one panel for each data set.

    The number beside the marks of a frontend is what training adds to random weights with the first backend, in points.
    Thin lines are 95 % intervals over clips, and the dashed line is chance.

    Args:
        analysis: Analysis of the study.
        rows: Frontends, as `beside` returns them.
    """
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    of = {dataset: [row for row in rows if row.dataset == dataset] for dataset in datasets}
    n_columns = min(_COLUMNS, len(datasets))
    n_lines = -(-len(datasets) // n_columns)
    size = (2.6 + 3.6 * n_columns, n_lines * (1.1 + 0.42 * max(map(len, of.values()))) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_lines, n_columns, squeeze=False).ravel()
    backends, others = columns(rows)
    for axes, dataset in zip(panels, datasets, strict=False):
        _draw(axes, analysis, of[dataset], backends, others)
        axes.set_title(dataset, fontsize=10, parse_math=False)
    for axes in panels[len(datasets) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), fontsize=8)
    return figure


def _draw(
    axes: Axes, analysis: Analysis, rows: Sequence[Beside], backends: Sequence[str], others: Sequence[str]
) -> None:
    height = 0.5 / max(1, len(backends) - 1)
    for position, row in enumerate(rows):
        if gain := next((row.gains[other] for other in others if other in row.gains), None):
            ends = [100 * cell.high for cell in row.cells.values()]
            text = f"{100 * gain.estimate.difference:+.1f}{' *' if gain.is_significant else ''}"
            axes.annotate(text, (max(ends), position), (4, 0), textcoords="offset points", va="center", fontsize=8)
    for index, backend in enumerate(backends):
        colour = mpl.color_sequences["tab10"][analysis.place_of(backend) % 10]
        found = [(position, row.cells[backend]) for position, row in enumerate(rows) if backend in row.cells]
        for position, cell in found:
            y = position + (index - (len(backends) - 1) / 2) * height
            axes.plot([100 * cell.low, 100 * cell.high], [y, y], color=colour, linewidth=1, alpha=0.6)
        axes.plot(
            [100 * cell.accuracy for _, cell in found],
            [position + (index - (len(backends) - 1) / 2) * height for position, _ in found],
            _MARKS[index % len(_MARKS)],
            color=colour,
            label=backend,
        )
    chance = 100 / next(iter(rows[0].cells.values())).first.n_classes
    axes.axvline(chance, color="black", linestyle="--", linewidth=1, label="chance")
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 118), xlabel="accuracy (%)", xticks=range(0, 101, 20))
    axes.set_yticks(range(len(rows)), [row.frontend for row in rows], parse_math=False)
    axes.tick_params("y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
