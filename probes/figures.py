"""Figures of a run: confusion matrix and random filters. Plotting libraries are imported when a figure is drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..escaping import for_terminal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..frontends import Frontend

ROW_LENGTH = 8  # number of random filters in a row


def confusion_figure(shares: NDArray[Any], class_names: Sequence[str], title: str) -> "Figure":
    """Draw a confusion matrix, with each row in percent of the true class.

    Args:
        shares: Percentage of the clips of each true class (rows) by predicted class (columns),
            `(n_classes, n_classes)`.
        class_names: Names of the classes, in the order of rows and columns.
        title: Title of the figure.
    """
    from matplotlib.figure import Figure

    names = [for_terminal(name) for name in class_names]  # fonts have no control characters
    size = 2.5 + 0.5 * len(names)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=100, cmap="Blues")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    for (row, column), share in np.ndenumerate(shares):
        if share:
            colour = "white" if share > 50 else "black"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, label="% of the true class", shrink=0.8)
    return figure


def filters_figure(frontend: "Frontend") -> "Figure | None":
    """Draw some random filters of each convolution that is applied to the representation.

    Returns:
        The figure, or None if the frontend has no convolution.
    """
    from torch import nn

    convolutions = [
        (name, module)
        for name, module in frontend.named_modules()
        if isinstance(module, nn.Conv1d | nn.Conv2d) and name.split(".")[0] != "representation"
    ]
    first = [(name, conv) for name, conv in convolutions if conv.in_channels == 1] or convolutions[:1]
    if not first:
        return None
    from matplotlib.figure import Figure

    n_shown = ROW_LENGTH if len(first) > 1 else 2 * ROW_LENGTH
    figure = Figure(figsize=(9, 0.6 + 1.1 * len(first)), layout="constrained")
    for axes, (name, conv) in zip(figure.subplots(len(first), 1, squeeze=False)[:, 0], first, strict=True):
        weights = conv.weight[:n_shown, 0].detach().float().cpu().numpy()
        shape = " x ".join(map(str, conv.kernel_size))
        unit = "bands x frames" if weights.ndim == 3 else "steps"
        axes.set_title(f"{name}: {len(weights)} of {conv.out_channels} filters, {shape} {unit}", fontsize=8)
        gap = np.full((*weights.shape[:-1], max(1, weights.shape[-1] // 8)), np.nan)
        side_by_side = np.concatenate([weights, gap], axis=-1)
        if weights.ndim == 3:
            axes.imshow(
                np.concatenate(list(side_by_side), axis=1),
                aspect="auto",
                cmap="RdBu",
                origin="lower",
                interpolation="nearest",
            )
        else:
            axes.plot(side_by_side.ravel(), linewidth=0.6)
        axes.set_axis_off()
    return figure


def pixels(figure: "Figure") -> NDArray[np.uint8]:
    """Return a figure as an RGBA image, `(height, width, 4)`, with values from 0 to 255."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.array(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
