"""TensorBoard logs of a study as a whole, in addition to the logs of its runs.

The logs are written with the package tensorboard, because the writer of torch would delay reports by importing torch.
"""

import io
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from matplotlib.figure import Figure
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.text.metadata import create_summary_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from ..probes.figures import confusion_figure
from ..probes.record import OPTIMISTIC
from ..probes.tensorboard import verbatim
from .analysis import Analysis, Cell
from .confusion import mean_confusion
from .diagram import overall_figure
from .figures import comparison_figure, pareto_figure
from .overall import ranked
from .ranking import ranking, ranking_table, sessions

STUDY = "_study"
"""Name of the TensorBoard run with the logs of the study as a whole; it is sorted before other runs."""
RANKING = "ranking"
"""Folder, inside the folder of the study as a whole, of the TensorBoard runs with the rows of the ranking."""


def log_study(folder: Path, analysis: Analysis, report: str, config: str) -> None:
    """Log the outcome of a study: report, ranking, figures, and confusion matrices averaged over seeds.

    Args:
        folder: Folder of the study.
        analysis: Analysis of the results.
        report: Report as Markdown.
        config: Study as YAML.
    """
    without_images = "\n".join(line for line in report.splitlines() if not line.startswith("!["))
    rows = ranking(analysis)
    texts = {"report": without_images, "ranking": ranking_table(rows), "settings": verbatim(config)}
    figures = {"accuracy": comparison_figure(analysis), "cost": pareto_figure(analysis)}
    figures |= {"ranks": overall_figure(overall)} if (overall := ranked(analysis.overall)) else {}
    for names, cell in analysis.cells.items():
        figures[f"confusion/{'/'.join(names)}"] = _mean_confusion(folder, cell)
    forget_study(folder)
    values = [text(f"{STUDY}/{name}", content) for name, content in texts.items()]
    values += [image(f"{STUDY}/{name}", figure) for name, figure in figures.items()]
    write(folder / STUDY, values)
    for row, session in zip(rows, sessions(rows), strict=True):
        write(folder / STUDY / RANKING / row.folder, session)


def write(folder: Path, values: Sequence[Summary.Value]) -> None:
    """Write values as the events of one TensorBoard run."""
    writer = EventFileWriter(str(folder))
    for value in values:
        writer.add_event(Event(wall_time=time.time(), summary=Summary(value=[value])))
    writer.close()


def forget_study(folder: Path) -> None:
    """Delete the logs of a study as a whole."""
    shutil.rmtree(folder / STUDY, ignore_errors=True)


def logs_to_tensorboard(config: str) -> bool:
    """Return whether a study, as YAML, uses the default logger, which is TensorBoard."""
    try:
        trainer = yaml.safe_load(config)["trainer"]
        return trainer.get("logger") in (None, True)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return True  # the file was changed by hand


def text(tag: str, content: str) -> Summary.Value:
    """Return a text in the format of TensorBoard's text plug-in."""
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype="DT_STRING", string_val=[content.encode()], tensor_shape=shape)
    return Summary.Value(tag=f"{tag}/text_summary", metadata=create_summary_metadata(None, None), tensor=tensor)


def image(tag: str, figure: Figure) -> Summary.Value:
    """Return a figure as a PNG image."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi="figure")
    width, height = figure.canvas.get_width_height()
    image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=png.getvalue())
    return Summary.Value(tag=tag, image=image)


def _mean_confusion(folder: Path, cell: Cell) -> Figure:
    found, n = mean_confusion(folder, cell), len(cell.runs)
    spread = f" ± {100 * cell.deviation:.1f}" if cell.deviation is not None else ""
    accuracy = f"{100 * cell.accuracy:.1f}{spread} %"
    remark = OPTIMISTIC if cell.first.selected_on_test else ""
    title = f"{f'mean of {n} seeds: ' if n > 1 else ''}{accuracy}{remark}"
    return confusion_figure(found.shares, found.class_names, title)
