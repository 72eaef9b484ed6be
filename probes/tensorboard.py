"""Logging of a run to TensorBoard or to another logger of Lightning.

torch and Lightning are imported only when a run is logged, because the report of a study uses the functions that need
neither.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..escaping import for_markdown, for_terminal
from .figures import confusion_figure, filters_figure, pixels
from .projector import colour_by_label
from .record import OPTIMISTIC, Predictions, format_arguments

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pytorch_lightning.loggers import Logger, TensorBoardLogger

    from ..frontends import Frontend
    from .selection import Selection

MAX_PROJECTED = 2000  # maximum number of points in the projector, which a browser has to draw
_COLUMNS = ("frontend", "backend", "dataset", "seed")  # TensorBoard shows five columns: these and the candidate
_SCORES = ("test/accuracy", "val/accuracy", "cv/accuracy")


def run_logger(folder: Path) -> "TensorBoardLogger":
    """Return a TensorBoard logger that writes its events to the folder of the run itself."""
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(str(folder), name="", version="", default_hp_metric=False)


def forget_run(folder: Path) -> None:
    """Delete the logs of an earlier run in the same folder, because TensorBoard would show them too."""
    for path in [*folder.glob("events.out.tfevents.*"), *folder.glob("projector_config.pbtxt")]:
        path.unlink()
    shutil.rmtree(folder / "00000", ignore_errors=True)  # folder of the projector, named after the step


def log_fit(
    logger: "Logger",
    params: Mapping[str, Any],
    selection: "Selection",
    scores: Mapping[str, float],
    predictions: Predictions,
    class_names: Sequence[str],
    profile: Mapping[str, float],
    config: str,
    *,
    of_study: bool,
    step: int = 0,
) -> None:
    """Log hyper-parameters, scores, time profile and confusion matrix of a fitted probe; in TensorBoard, texts too.

    Args:
        logger: Logger of the run.
        params: Names that identify the run.
        selection: Result of the search.
        scores: Scores of the selection, by name.
        predictions: Predictions behind the score.
        class_names: Names of the classes of the data set.
        profile: Time profile of the extraction.
        config: Configuration in YAML that repeats the run.
        of_study: Whether the run belongs to a study, which has its own hyper-parameter table in TensorBoard.
        step: Step of the scores: the last one, if curves of a training were logged before.
    """
    optimistic = OPTIMISTIC if selection.selected_on_test else ""
    candidate = format_arguments(selection.best_candidate) + optimistic
    logger.log_metrics({**scores, **named_profile(profile)}, step=step)
    writer = _writer(logger)
    if writer is None:
        logger.log_hyperparams({**params, "candidate": candidate})
    else:
        if not of_study:
            _log_hyperparams(writer, params, candidate, selection.score_name)
        writer.add_text("candidates", _candidates(selection))
        writer.add_text("settings", verbatim(config))
    kind = selection.score_name.split("/")[0]
    log_predictions(logger, kind, predictions, class_names, optimistic)


def _log_hyperparams(writer: Any, params: Mapping[str, Any], candidate: str, score_name: str) -> None:
    """Add a row to TensorBoard's hyper-parameter table.

    All scores are declared, because TensorBoard takes the columns of the table from a single run. The logger's own
    log_hyperparams would also log a value for each declared score, even if the test has not run yet.
    """
    from torch.utils.tensorboard.summary import hparams

    columns = {**{name: str(params[name]) for name in _COLUMNS}, "candidate": candidate}
    declared = sorted(_SCORES, key=lambda name: name.startswith("cv") != score_name.startswith("cv"))
    for summary in hparams(columns, dict.fromkeys(declared, 0.0)):  # type: ignore[no-untyped-call]
        writer.file_writer.add_summary(summary)


def _candidates(selection: "Selection") -> str:
    """Return the candidates of a search as a table in Markdown, best first."""
    order = sorted(range(len(selection.candidates)), key=lambda index: -selection.candidate_scores[index])
    rows = [
        (format_arguments(selection.candidates[index]), selection.candidate_scores[index], index == selection.best)
        for index in order
    ]
    lines = [
        f"| {for_markdown(name)} | {100 * score:.2f} |{' chosen' if chosen else ''} |" for name, score, chosen in rows
    ]
    lines += [
        f"| {for_markdown(format_arguments(candidate))} | failed: {for_markdown(reason)} | |"
        for candidate, reason in selection.failed
    ]
    return "\n".join(["| candidate | accuracy (%) | |", "|---|---|---|", *lines])


def log_predictions(
    logger: "Logger", kind: str, predictions: Predictions, class_names: Sequence[str], remark: str = ""
) -> None:
    """Log the confusion matrix and, in TensorBoard, the classification report of predictions.

    Args:
        logger: Logger of the run.
        kind: Kind of the predictions: `val`, `cv` or `test`.
        predictions: Predictions to log.
        class_names: Names of the classes of the data set.
        remark: Text that follows the accuracy in the title of the confusion matrix.
    """
    from sklearn.metrics import classification_report

    shares = confusion_shares(predictions, class_names)
    right = np.mean([true == found for true, found in zip(predictions.labels, predictions.predicted, strict=True)])
    title = f"accuracy {100 * right:.1f} %{remark}"
    _log_figure(logger, f"confusion/{kind}", lambda: confusion_figure(shares, class_names, title))
    if writer := _writer(logger):
        text = classification_report(
            predictions.labels, predictions.predicted, labels=list(class_names), zero_division=0
        )
        writer.add_text(f"report/{kind}", verbatim(text))


def named_profile(profile: Mapping[str, float]) -> dict[str, float]:
    """Return the time profile of an extraction under the names that loggers show."""
    return {f"extraction/{name}": value for name, value in profile.items()}


def log_embeddings(
    logger: "Logger",
    embeddings: NDArray[Any],
    ids: Sequence[str],
    labels: Sequence[str],
    frontend: "Frontend",
) -> None:
    """Log the random filters of a frontend and, in TensorBoard, its embeddings for the projector.

    Args:
        logger: Logger of the run.
        embeddings: Embeddings of the clips, `(n_clips, n_features)`.
        ids: Ids of the clips.
        labels: Names of the classes of the clips.
        frontend: Frontend of the embeddings.
    """
    _log_figure(logger, "random filters", lambda: filters_figure(frontend))
    writer = _writer(logger)
    if writer is None:
        return
    from torch import from_numpy

    some = projected(len(ids))
    shown = [_one_line(labels[index]) for index in some]
    rows = [[label, _one_line(ids[index])] for label, index in zip(shown, some, strict=True)]
    writer.add_embedding(from_numpy(embeddings[some].copy()), rows, metadata_header=["label", "clip"])
    colour_by_label(Path(writer.log_dir), shown)


def projected(n_clips: int) -> NDArray[Any]:
    """Return the indices of the clips that the projector shows, at most `MAX_PROJECTED`."""
    return np.linspace(0, n_clips - 1, min(n_clips, MAX_PROJECTED)).astype(int)


def _writer(logger: "Logger") -> Any:
    """Return the writer of a TensorBoard logger, or None for other loggers."""
    experiment = getattr(logger, "experiment", None)
    return experiment if hasattr(experiment, "add_figure") else None


def _log_figure(logger: "Logger", name: str, draw: Callable[[], "Figure | None"]) -> None:
    """Log a figure if the logger accepts images, as TensorBoard does, or has the `log_image` of Weights & Biases."""
    writer, log_image = _writer(logger), getattr(logger, "log_image", None)
    figure = draw() if writer or log_image else None
    if figure is None:
        return
    if writer:
        writer.add_figure(name, figure)
    elif log_image:
        log_image(key=name, images=[pixels(figure)])


def confusion_shares(predictions: Predictions, class_names: Sequence[str]) -> NDArray[Any]:
    """Return the confusion matrix in percent of each true class (rows), `(n_classes, n_classes)`."""
    index = {name: number for number, name in enumerate(class_names)}
    counts = np.zeros((len(index), len(index)))
    pairs = (predictions.labels, predictions.predicted)
    np.add.at(counts, tuple([index[name] for name in names] for names in pairs), 1)
    return np.asarray(100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def verbatim(text: str) -> str:
    """Return text that Markdown shows unchanged."""
    return "\n".join(f"    {for_terminal(line)}" for line in text.splitlines())


def _one_line(text: str) -> str:
    """Return a name without tabs and line ends, which would end the cells and rows of a table."""
    return for_terminal(" ".join(text.split()))
