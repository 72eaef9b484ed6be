"""TensorBoard logs of a study as a whole, in addition to those of its runs."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

from ..probes.figures import confusion_figure
from ..probes.record import OPTIMISTIC, predictions_file, read_predictions
from ..probes.tensorboard import confusion_shares, forget_run, verbatim
from .analysis import Analysis, Cell
from .figures import comparison_figure, pareto_figure

STUDY = "_study"
"""Name of the run that stands for the study as a whole; it comes first in lists."""


def log_study(folder: Path, analysis: Analysis, report: str, config: str) -> None:
    """Log the outcome of a study: report, figures, and a confusion matrix of each frontend, averaged over its seeds.

    Args:
        folder: Folder of the study.
        analysis: Analysis of its results.
        report: Report as Markdown.
        config: Study as YAML.
    """
    without_images = "\n".join(line for line in report.splitlines() if not line.startswith("!["))
    texts = {"report": without_images, "settings": verbatim(config)}
    figures = {"accuracy": comparison_figure(analysis), "cost": pareto_figure(analysis)}
    for names, cell in analysis.cells.items():
        if len(cell.runs) > 1:
            figures[f"confusion/{'/'.join(names)}"] = _mean_confusion(folder, cell)
    forget_run(folder / STUDY)
    with SummaryWriter(str(folder / STUDY)) as writer:
        for name, text in texts.items():
            writer.add_text(f"{STUDY}/{name}", text)
        for name, figure in figures.items():
            writer.add_figure(f"{STUDY}/{name}", figure)


def _mean_confusion(folder: Path, cell: Cell) -> Figure:
    several = [read_predictions(folder / run.run / predictions_file(run.metric)) for run in cell.runs]
    class_names = sorted({name for each in several for name in (*each.labels, *each.given)})
    shares = np.mean([confusion_shares(each, class_names) for each in several], axis=0)
    accuracy = f"{100 * cell.accuracy:.1f} ± {100 * (cell.deviation or 0):.1f} %"
    remark = OPTIMISTIC if cell.first.selected_on_test else ""
    return confusion_figure(shares, class_names, f"mean of {len(several)} seeds: {accuracy}{remark}")
