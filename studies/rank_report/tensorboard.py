"""TensorBoard logs of a rank study: report, figures, and the headline numbers."""

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path

from matplotlib.figure import Figure
from tensorboard.compat.proto.summary_pb2 import Summary

from ..tensorboard import STUDY, forget_study, image, text, write
from .study import RankStudy


def log_study(folder: Path, study: RankStudy, report: str, figures: Mapping[str, Figure]) -> None:
    """Log a rank study.

    Args:
        folder: Folder of the study.
        study: The study.
        report: Report as Markdown.
        figures: Figures by name.
    """
    without_images = "\n".join(line for line in report.splitlines() if not line.startswith("!["))
    values = [text(f"{STUDY}/report", without_images)]
    values += [image(f"{STUDY}/{name}", figure) for name, figure in figures.items()]
    values += [Summary.Value(tag=f"{STUDY}/{name}", simple_value=value) for name, value in scalars(study)]
    forget_study(folder)
    write(folder / STUDY, values)


def scalars(study: RankStudy) -> Iterator[tuple[str, float]]:
    """Yield the name and value of each headline number that is known."""
    done, total = study.progress()
    yield "items/done", float(done)
    yield "items/total", float(total)
    if study.analysis is None:
        return
    for condition in study.analysis.verdict.conditions:
        name = condition.name.replace(",", "").replace(" ", "_")
        for end in ("value", "low", "high"):
            value = float(getattr(condition.statistic, end))
            if isfinite(value):
                yield f"{name}/{end}", value
    for task in study.analysis.tasks:
        if isfinite(task.correlations.rho.value):
            yield f"rho/{task.name}", float(task.correlations.rho.value)
    for regret in study.analysis.decisions.regrets:
        if isfinite(regret.points):
            yield f"regret/{regret.k}_of_{regret.n_candidates}", regret.points
