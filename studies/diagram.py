"""Diagram of mean ranks over data sets, in which bars join frontends that are not separable."""

from collections.abc import Callable, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .overall import Overall, groups

_GAP = 0.6  # height of a line of text, in units of the vertical axis
_BAR = 0.25  # distance between bars, in the same units


def overall_figure(overall: Overall) -> Figure:
    """Draw the mean ranks of frontends over several data sets."""
    title = f"mean ranks over {overall.n_datasets} data sets; bars join frontends that are not separable"
    return rank_figure(overall.ranks, overall.differ, title)


def rank_figure(ranks: Mapping[str, float], differ: Callable[[str, str], bool], title: str) -> Figure:
    """Draw mean ranks, with a bar over each group of frontends that are not separable.

    The layout follows the critical-difference diagrams of Demsar (Statistical comparisons of classifiers over multiple
    data sets, Journal of Machine Learning Research 7, 2006, section 3.2.4), but the bars come from tests of each pair
    and not from one critical difference.

    Args:
        ranks: Mean rank of each frontend; 1 is best.
        differ: Function that returns whether two frontends differ significantly.
        title: Title of the figure.
    """
    names = sorted(ranks, key=lambda name: ranks[name])
    bars = groups(names, differ)
    left = (len(names) + 1) // 2
    depth = _BAR * (len(bars) + 1) + _GAP * left
    figure = Figure(figsize=(9, 1.2 + 0.5 * depth), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0.5, len(names) + 0.5), ylim=(-depth - 0.2, 0.1), xlabel="mean rank (1 is best)")
    axes.set_title(title, parse_math=False)
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.set_xticks(range(1, len(names) + 1))
    axes.set_yticks([])
    axes.spines[["left", "right", "bottom"]].set_visible(False)
    for level, bar in enumerate(bars, 1):
        ends = [ranks[bar[0]] - 0.04, ranks[bar[-1]] + 0.04]
        axes.plot(ends, [-_BAR * level] * 2, color="black", linewidth=4, solid_capstyle="butt")
    top = _BAR * (len(bars) + 1)
    for index, name in enumerate(names):
        on_left = index < left
        line = index if on_left else len(names) - 1 - index
        _draw_name(axes, f"{name}  {ranks[name]:.2f}", ranks[name], -top - _GAP * (line + 0.5), on_left=on_left)
    return figure


def _draw_name(axes: Axes, text: str, rank: float, y: float, *, on_left: bool) -> None:
    """Write a name at one side of the diagram, with a line to its rank."""
    low, high = axes.get_xlim()
    side = low if on_left else high
    axes.plot([rank, rank, side], [0, y, y], color="0.4", linewidth=1)
    alignment = "left" if on_left else "right"
    axes.text(side, y + 0.05, text, ha=alignment, va="bottom", fontsize=9, parse_math=False)
