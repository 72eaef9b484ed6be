"""What a person looks at in TensorBoard: every run, what runs of several seeds have in common, and the study."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from pytorch_lightning.loggers import TensorBoardLogger
from sklearn.metrics import classification_report, confusion_matrix
from torch import from_numpy
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from ..backends.base import Array
from ..frontends import Frontend
from ..studies.analysis import Analysis, Cell
from ..studies.figures import comparison_figure, confusion_figure, filters_figure, pareto_figure
from ..studies.results import Predictions, describe, predictions_file, read_predictions
from .selection import Selection

# The projector is for looking; a browser copes with this many points.
_MOST_PROJECTED = 2000
_COLUMNS = ("frontend", "backend", "dataset", "seed")  # with the candidate five, which TensorBoard shows at first
_SCORES = ("test/accuracy", "val/accuracy", "cv/accuracy")
OPTIMISTIC = ", chosen by the clips that are scored"
STUDY = "_study"
"""The run of a study as a whole, beside those of its data sets; its name comes first in lists."""


def run_logger(folder: Path) -> TensorBoardLogger:
    """TensorBoard's logger of a run, whose events lie in the run's folder itself."""
    return TensorBoardLogger(str(folder), name="", version="", default_hp_metric=False)


def forget_run(folder: Path) -> None:
    """Delete what an earlier run in the same folder has logged, which TensorBoard would show as well."""
    for path in [*folder.glob("events.out.tfevents.*"), *folder.glob("projector_config.pbtxt")]:
        path.unlink()
    shutil.rmtree(folder / "00000", ignore_errors=True)  # the projector's, named by its step


def log_fit(
    logger: TensorBoardLogger,
    params: Mapping[str, Any],
    selection: Selection,
    scores: Mapping[str, float],
    predictions: Predictions,
    class_names: Sequence[str],
    profile: Mapping[str, float],
    config: str,
) -> None:
    """Log a fitted probe: hyper-parameters, candidates, confusion matrix, report, profile and configuration.

    Args:
        logger: Of the run.
        params: What tells the run from others; the names of frontend and backend tell their arguments.
        selection: The outcome of the search.
        scores: Of the selection, by name.
        predictions: Behind the score.
        class_names: Of the data set.
        profile: Where the time of their extraction went.
        config: YAML that repeats the run.
    """
    writer = logger.experiment
    logger.log_metrics(dict(scores), step=0)
    logger.log_metrics({f"extraction/{name}": value for name, value in profile.items()}, step=0)
    # All scores are declared, as TensorBoard takes the columns for all runs from one of them; the logger's own
    # log_hyperparams would log a value for each, also for a test that is still to come.
    optimistic = OPTIMISTIC if selection.selected_on_test else ""
    columns = {name: str(params[name]) for name in _COLUMNS}
    columns["candidate"] = describe(selection.best_candidate) + optimistic
    declared = sorted(_SCORES, key=lambda name: name.startswith("cv") != selection.score_name.startswith("cv"))
    for summary in hparams(columns, dict.fromkeys(declared, 0.0)):  # type: ignore[no-untyped-call]
        writer.file_writer.add_summary(summary)
    for step, score in enumerate(selection.candidate_scores):
        writer.add_scalar("candidates/accuracy", score, step)
    lines = [
        f"| {step} | {describe(candidate)} | {100 * score:.2f} |{' chosen' if step == selection.best else ''} |"
        for step, (candidate, score) in enumerate(zip(selection.candidates, selection.candidate_scores, strict=True))
    ]
    writer.add_text("candidates", "\n".join(["| step | candidate | accuracy (%) | |", "|---|---|---|---|", *lines]))
    writer.add_text("settings", _verbatim(config))
    kind = selection.score_name.split("/")[0]
    log_predictions(logger, kind, predictions, class_names, optimistic)


def log_predictions(
    logger: TensorBoardLogger, kind: str, predictions: Predictions, class_names: Sequence[str], remark: str = ""
) -> None:
    """Log the confusion matrix and the report of one set of predictions; `kind` is val, cv or test."""
    shares = _confusion(predictions, class_names)
    right = np.mean([label == given for label, given in zip(predictions.labels, predictions.given, strict=True)])
    title = f"accuracy {100 * right:.1f} %{remark}"
    logger.experiment.add_figure(f"confusion/{kind}", confusion_figure(shares, class_names, title))
    text = classification_report(predictions.labels, predictions.given, labels=list(class_names), zero_division=0)
    logger.experiment.add_text(f"report/{kind}", _verbatim(text))


def log_embeddings(
    logger: TensorBoardLogger, embeddings: Array, ids: Sequence[str], labels: Sequence[str], frontend: Frontend
) -> None:
    """Log embeddings for the projector, with labels and clip ids, and the random filters that made them.

    Args:
        logger: Of the run.
        embeddings: `(n_clips, n_features)`.
        ids: Of the clips.
        labels: Their classes.
        frontend: That made the embeddings.
    """
    writer = logger.experiment
    some = np.linspace(0, len(ids) - 1, min(len(ids), _MOST_PROJECTED)).astype(int)
    rows = [[_one_line(labels[index]), _one_line(ids[index])] for index in some]
    writer.add_embedding(from_numpy(embeddings[some].copy()), rows, metadata_header=["label", "clip"])
    if figure := filters_figure(frontend):
        writer.add_figure("random filters", figure)


def log_study(folder: Path, analysis: Analysis, report: str, config: str) -> None:
    """Log what a study has found: report, figures, and the mean confusion matrix of the seeds of each frontend.

    Args:
        folder: Of the study.
        analysis: Of its results.
        report: The report, Markdown.
        config: The study, YAML.
    """
    without_images = "\n".join(line for line in report.splitlines() if not line.startswith("!["))
    texts = {"report": without_images, "settings": _verbatim(config)}
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
    shares = np.mean([_confusion(each, class_names) for each in several], axis=0)
    accuracy = f"{100 * cell.accuracy:.1f} ± {100 * (cell.deviation or 0):.1f} %"
    remark = OPTIMISTIC if cell.first.selected_on_test else ""
    return confusion_figure(shares, class_names, f"mean of {len(several)} seeds: {accuracy}{remark}")


def _confusion(predictions: Predictions, class_names: Sequence[str]) -> Array:
    """Per cent of each class (rows) that was given each class (columns)."""
    counts = confusion_matrix(predictions.labels, predictions.given, labels=list(class_names))
    return np.asarray(100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _verbatim(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _one_line(text: str) -> str:
    """A name as a cell of a table whose cells and rows end at tabs and line ends."""
    return " ".join(text.split("\t")).replace("\n", " ").replace("\r", " ")
