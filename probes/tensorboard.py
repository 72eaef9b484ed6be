"""TensorBoard logs of a run.

torch and Lightning are imported when a run is logged, since the report of a study shares what needs neither.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .figures import confusion_figure, filters_figure
from .record import OPTIMISTIC, Predictions, format_arguments

if TYPE_CHECKING:
    from pytorch_lightning.loggers import TensorBoardLogger

    from ..frontends import Frontend
    from .selection import Selection

MAX_PROJECTED = 2000  # points in the projector, which a browser has to draw
_COLUMNS = ("frontend", "backend", "dataset", "seed")  # and the candidate: TensorBoard shows five at first
_SCORES = ("test/accuracy", "val/accuracy", "cv/accuracy")


def run_logger(folder: Path) -> "TensorBoardLogger":
    """Return a TensorBoard logger whose events lie in the folder of the run itself."""
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(str(folder), name="", version="", default_hp_metric=False)


def forget_run(folder: Path) -> None:
    """Delete the logs of an earlier run in the same folder, which TensorBoard would show as well."""
    for path in [*folder.glob("events.out.tfevents.*"), *folder.glob("projector_config.pbtxt")]:
        path.unlink()
    shutil.rmtree(folder / "00000", ignore_errors=True)  # the folder of the projector, named by its step


def log_fit(
    logger: "TensorBoardLogger",
    params: Mapping[str, Any],
    selection: "Selection",
    scores: Mapping[str, float],
    predictions: Predictions,
    class_names: Sequence[str],
    profile: Mapping[str, float],
    config: str,
) -> None:
    """Log a fitted probe: hyper-parameters, candidates, confusion matrix, report, profile and configuration.

    Args:
        logger: Logger of the run.
        params: Names that identify the run.
        selection: Outcome of the search.
        scores: Scores of the selection, by name.
        predictions: Predictions behind the score.
        class_names: Names of the classes of the data set.
        profile: Time profile of the extraction.
        config: YAML that repeats the run.
    """
    from torch.utils.tensorboard.summary import hparams

    writer = logger.experiment
    logger.log_metrics(dict(scores), step=0)
    logger.log_metrics({f"extraction/{name}": value for name, value in profile.items()}, step=0)
    # Declare all scores, because TensorBoard takes the columns for all runs from one of them; the logger's own
    # log_hyperparams would log a value for each, even for a test that has not run yet.
    optimistic = OPTIMISTIC if selection.selected_on_test else ""
    columns = {name: str(params[name]) for name in _COLUMNS}
    columns["candidate"] = format_arguments(selection.best_candidate) + optimistic
    declared = sorted(_SCORES, key=lambda name: name.startswith("cv") != selection.score_name.startswith("cv"))
    for summary in hparams(columns, dict.fromkeys(declared, 0.0)):  # type: ignore[no-untyped-call]
        writer.file_writer.add_summary(summary)
    for step, score in enumerate(selection.candidate_scores):
        writer.add_scalar("candidates/accuracy", score, step)
    lines = [
        f"| {step} | {format_arguments(candidate)} | {100 * score:.2f} |{' chosen' if step == selection.best else ''} |"
        for step, (candidate, score) in enumerate(zip(selection.candidates, selection.candidate_scores, strict=True))
    ]
    writer.add_text("candidates", "\n".join(["| step | candidate | accuracy (%) | |", "|---|---|---|---|", *lines]))
    writer.add_text("settings", verbatim(config))
    kind = selection.score_name.split("/")[0]
    log_predictions(logger, kind, predictions, class_names, optimistic)


def log_predictions(
    logger: "TensorBoardLogger", kind: str, predictions: Predictions, class_names: Sequence[str], remark: str = ""
) -> None:
    """Log the confusion matrix and the report of one set of predictions; `kind` is val, cv or test."""
    from sklearn.metrics import classification_report

    shares = confusion_shares(predictions, class_names)
    right = np.mean([true == found for true, found in zip(predictions.labels, predictions.predicted, strict=True)])
    title = f"accuracy {100 * right:.1f} %{remark}"
    logger.experiment.add_figure(f"confusion/{kind}", confusion_figure(shares, class_names, title))
    text = classification_report(predictions.labels, predictions.predicted, labels=list(class_names), zero_division=0)
    logger.experiment.add_text(f"report/{kind}", verbatim(text))


def log_embeddings(
    logger: "TensorBoardLogger",
    embeddings: NDArray[Any],
    ids: Sequence[str],
    labels: Sequence[str],
    frontend: "Frontend",
) -> None:
    """Log embeddings for the projector, with labels and clip ids, and the random filters that made them.

    Args:
        logger: Logger of the run.
        embeddings: Embeddings of the clips, `(n_clips, n_features)`.
        ids: Ids of the clips.
        labels: Names of their classes.
        frontend: Frontend of the embeddings.
    """
    from torch import from_numpy

    writer = logger.experiment
    some = np.linspace(0, len(ids) - 1, min(len(ids), MAX_PROJECTED)).astype(int)
    rows = [[_one_line(labels[index]), _one_line(ids[index])] for index in some]
    writer.add_embedding(from_numpy(embeddings[some].copy()), rows, metadata_header=["label", "clip"])
    if figure := filters_figure(frontend):
        writer.add_figure("random filters", figure)


def confusion_shares(predictions: Predictions, class_names: Sequence[str]) -> NDArray[Any]:
    """Return the per cent of each true class (rows) by predicted class (columns), `(n_classes, n_classes)`."""
    index = {name: number for number, name in enumerate(class_names)}
    counts = np.zeros((len(index), len(index)))
    pairs = (predictions.labels, predictions.predicted)
    np.add.at(counts, tuple([index[name] for name in names] for names in pairs), 1)
    return np.asarray(100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def verbatim(text: str) -> str:
    """Return text that Markdown shows unchanged."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _one_line(text: str) -> str:
    """Return a name without tabs and line ends, which end the cells and rows of a table."""
    return " ".join(text.split("\t")).replace("\n", " ").replace("\r", " ")
