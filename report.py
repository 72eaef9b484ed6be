"""What a person looks at: a run in TensorBoard, and a study as a table and a figure."""

import csv
import io
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pytorch_lightning.loggers import TensorBoardLogger
from rich.table import Table
from sklearn.metrics import classification_report, confusion_matrix
from torch import from_numpy
from torch.utils.tensorboard.summary import hparams

from .backends.base import Array
from .protocols import Selection
from .store import write_atomically

# The projector is for looking; a browser copes with this many points.
_MOST_PROJECTED = 2000
BASELINE = "mfcc"
OPTIMISTIC = ", chosen by the clips that are scored"
_FILTERS = ("minimal", "single", "many")
SCORES = ("val/accuracy", "cv/accuracy", "test/accuracy")


@dataclass(frozen=True)
class Result:
    """One line of a study.

    Args:
        dataset: Name of the data set.
        front_end: Name, and the arguments that are not the default.
        input: Of the front-end: `waveform`, `spectrogram`, or empty where it does not say.
        filters: Of the front-end: `minimal`, `single`, `many`, or empty where it does not say.
        back_end: Name, and the arguments that are not the default.
        seed: Of front-end and back-end.
        protocol: By which the candidate was chosen and the score made.
        selected_on_test: Whether the score was chosen by the very clips that it is of.
        metric: `test/accuracy` or `cv/accuracy`.
        accuracy: As a fraction.
        balanced_accuracy: Mean accuracy of the classes.
        macro_f1: Mean F1 of the classes.
        accuracy_low: Lower end of the 95 % bootstrap interval over clips.
        accuracy_high: Its upper end.
        best_candidate: What the search chose.
        n_features: Size of an embedding.
        n_clips: That were read.
        n_classes: Of the data set.
        seconds: Of search and fit.
        run: Folder of the run.
    """

    dataset: str
    front_end: str
    input: str
    filters: str
    back_end: str
    seed: int
    protocol: str
    selected_on_test: bool
    metric: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float
    best_candidate: str
    n_features: int
    n_clips: int
    n_classes: int
    seconds: float
    run: str


def run_logger(folder: Path) -> TensorBoardLogger:
    """TensorBoard's logger of a run, whose events lie in the run's folder itself."""
    return TensorBoardLogger(str(folder), name="", version="", default_hp_metric=False)


def forget_run(folder: Path) -> None:
    """Delete what an earlier run of the same configuration has logged, which TensorBoard would show as well."""
    for path in [*folder.glob("events.out.tfevents.*"), *folder.glob("projector_config.pbtxt")]:
        path.unlink()
    shutil.rmtree(folder / "00000", ignore_errors=True)  # the projector's, named by its step


def log_fit(
    logger: TensorBoardLogger,
    params: Mapping[str, Any],
    selection: Selection,
    scores: Mapping[str, float],
    labels: Array,
    class_names: Sequence[str],
    embeddings: Array,
    profile: Mapping[str, float],
) -> None:
    """Log a fitted probe: hyper-parameters, candidates, confusion matrix, report, projector and profile.

    Args:
        logger: Of the run.
        params: Hyper-parameters of the run, flat.
        selection: The outcome of the search.
        scores: Of the selection, by name.
        labels: Of all clips that were learned from, as indices into the class names.
        class_names: In the order of the labels.
        embeddings: Of the same clips, `(n_clips, n_features)`.
        profile: Where the time of their extraction went.
    """
    writer = logger.experiment
    logger.log_metrics(dict(scores), step=0)
    logger.log_metrics({f"extraction/{name}": value for name, value in profile.items()}, step=0)
    # All scores are declared, as TensorBoard takes the columns for all runs from one of them; the logger's own
    # log_hyperparams would log a value for each, also for a test that is still to come.
    chosen = {
        **params,
        "candidate": describe(selection.best_candidate),
        "selected_on_test": selection.selected_on_test,
    }
    for summary in hparams(chosen, dict.fromkeys(SCORES, 0.0)):  # type: ignore[no-untyped-call]
        writer.file_writer.add_summary(summary)
    for step, score in enumerate(selection.candidate_scores):
        writer.add_scalar("candidates/accuracy", score, step)
    lines = [
        f"| {step} | {describe(candidate)} | {100 * score:.2f} |{' chosen' if step == selection.best else ''} |"
        for step, (candidate, score) in enumerate(zip(selection.candidates, selection.candidate_scores, strict=True))
    ]
    writer.add_text("candidates", "\n".join(["| step | candidate | accuracy (%) | |", "|---|---|---|---|", *lines]))
    kind = selection.score_name.split("/")[0]
    optimistic = OPTIMISTIC if selection.selected_on_test else ""
    log_predictions(logger, kind, labels[selection.scored], selection.predictions, class_names, optimistic)
    some = np.linspace(0, len(labels) - 1, min(len(labels), _MOST_PROJECTED)).astype(int)
    writer.add_embedding(from_numpy(embeddings[some].copy()), [class_names[label] for label in labels[some]])


def log_predictions(
    logger: TensorBoardLogger,
    kind: str,
    labels: Array,
    predictions: Array,
    class_names: Sequence[str],
    remark: str = "",
) -> None:
    """Log the confusion matrix and the report of one set of predictions; `kind` is val, cv or test."""
    logger.experiment.add_figure(f"confusion/{kind}", confusion_figure(labels, predictions, class_names, remark))
    text = classification_report(
        labels, predictions, labels=range(len(class_names)), target_names=class_names, zero_division=0
    )
    logger.experiment.add_text(f"report/{kind}", "\n".join(f"    {line}" for line in text.splitlines()))


def confusion_figure(labels: Array, predictions: Array, class_names: Sequence[str], remark: str = "") -> Figure:
    """Confusion matrix, each row in per cent of its class, with a remark on its accuracy."""
    counts = confusion_matrix(labels, predictions, labels=range(len(class_names)))
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.5 * len(class_names)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=100, cmap="Blues")
    axes.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(range(len(class_names)), class_names, parse_math=False)
    axes.set(xlabel="predicted", ylabel="true", title=f"accuracy {100 * np.mean(labels == predictions):.1f} %{remark}")
    for (row, column), share in np.ndenumerate(shares):
        if counts[row, column]:
            colour = "white" if share > 50 else "black"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, label="% of the true class")
    return figure


def update_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Add to the `metrics.json` of a run."""
    path = folder / "metrics.json"
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    write_atomically(path, (json.dumps({**known, **metrics}, indent=1, default=str) + "\n").encode())


def describe(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line, as `C=2, kernel=linear`."""
    return ", ".join(
        f"{name}={format(value, '.4g') if isinstance(value, float) else value}"
        for name, value in sorted(arguments.items())
    )


def append_result(path: Path, result: Result) -> None:
    """Append one line to the results of a study."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(vars(result)))
    if not path.is_file():
        writer.writeheader()
    writer.writerow(vars(result))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())


def spread(results: Sequence[Result]) -> tuple[float, float | None, int]:
    """Mean and standard deviation over seeds of the accuracy in per cent (None for one seed), and their number."""
    values = [100 * result.accuracy for result in results]
    return mean(values), stdev(values) if len(values) > 1 else None, len(values)


def comparison_table(results: Sequence[Result]) -> Table:
    """Accuracies of a study: a row a front-end, those of one kind together; a column a data set and back-end."""
    columns = list(dict.fromkeys((result.dataset, result.back_end) for result in results))
    protocols = ", ".join(sorted({result.protocol for result in results}))
    chosen_on_test = {(result.dataset, result.back_end) for result in results if result.selected_on_test}
    optimistic = f"; *{OPTIMISTIC.removeprefix(',')}" if chosen_on_test else ""
    seeds = max((len(cell) for cell in _cells(results).values()), default=0)
    over = f"mean and standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
    table = Table(title=f"accuracy in %, {over} (protocol: {protocols}{optimistic})")
    longest = max((len(result.front_end) for result in results), default=0)
    table.add_column("front-end", no_wrap=True, min_width=longest + 2)
    table.add_column("features", justify="right")
    for dataset, back_end in columns:
        mark = " *" if (dataset, back_end) in chosen_on_test else ""
        table.add_column(f"{dataset}\n{back_end}{mark}", justify="right")
    cells = _cells(results)
    kinds = _kinds(results)
    for kind, names in kinds.items():
        if len(kinds) > 1:
            table.add_row(f"{kind}:")
        for front_end in names:
            n_features = next(result.n_features for result in results if result.front_end == front_end)
            texts = []
            for dataset, back_end in columns:
                cell = cells.get((dataset, front_end, back_end))
                texts.append(_text(*spread(cell)[:2]) if cell else "-")
            table.add_row(f"  {front_end}" if len(kinds) > 1 else front_end, str(n_features), *texts)
        table.add_section()
    chance = [next(100 / r.n_classes for r in results if r.dataset == dataset) for dataset, _ in columns]
    table.add_row("chance", "", *(f"{value:.1f}" for value in chance))
    return table


def comparison_figure(results: Sequence[Result]) -> Figure:
    """Accuracies of a study in the style of its original: bars with deviations, MFCCs as lines, chance dashed."""
    datasets = list(dict.fromkeys(result.dataset for result in results))
    n_front_ends = len({result.front_end for result in results})
    size = (max(4.5, 1.6 + 0.9 * n_front_ends) * len(datasets), 4.2)
    figure = Figure(figsize=size, layout="constrained")
    for axes, dataset in zip(np.atleast_1d(figure.subplots(1, len(datasets), sharey=True)), datasets, strict=True):
        of_dataset = [result for result in results if result.dataset == dataset]
        _draw_dataset(axes, of_dataset)
        optimistic = OPTIMISTIC if any(result.selected_on_test for result in of_dataset) else ""
        axes.set_title(f"{dataset} ({of_dataset[0].protocol}{optimistic})", parse_math=False)
    figure.axes[0].set_ylabel("accuracy (%)")
    return figure


def _draw_dataset(axes: Axes, results: Sequence[Result]) -> None:
    cells = _cells(results)
    back_ends = list(dict.fromkeys(result.back_end for result in results))
    names = [name for names in _kinds(results).values() for name in names]
    bars = [name for name in names if name != BASELINE] or names
    width = 0.8 / len(back_ends)
    for index, back_end in enumerate(back_ends):
        colour = mpl.color_sequences["tab10"][index % 10]
        for position, name in enumerate(bars):
            if cell := cells.get((results[0].dataset, name, back_end)):
                value, deviation, _ = spread(cell)
                x = position + (index - (len(back_ends) - 1) / 2) * width
                axes.bar(
                    x, value, width, yerr=deviation or None, capsize=3, color=colour, label="" if position else back_end
                )
                axes.text(x, value + (deviation or 0) + 1, f"{value:.0f}", ha="center", fontsize=8)
        if BASELINE not in bars and (cell := cells.get((results[0].dataset, BASELINE, back_end))):
            axes.axhline(spread(cell)[0], color=colour, linewidth=1, label=f"{BASELINE}, {back_end}")
    axes.axhline(100 / results[0].n_classes, color="black", linestyle="--", linewidth=1, label="chance")
    axes.set_xticks(range(len(bars)), bars, rotation=30, ha="right", parse_math=False)
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8)


def _kinds(results: Sequence[Result]) -> dict[str, list[str]]:
    """Names of front-ends by what they read, from minimal filters to many; those that do not say so come last."""
    filters_of = {result.front_end: result.filters for result in results}
    kinds: dict[str, list[str]] = {}
    for kind in [*(result.input for result in results if result.input and result.filters), "others"]:
        kinds[kind] = []
    for result in results:
        of_kind = kinds[result.input if result.input and result.filters else "others"]
        if result.front_end not in of_kind:
            of_kind.append(result.front_end)
    for names in kinds.values():
        names.sort(key=lambda name: _FILTERS.index(filters_of[name]) if filters_of[name] in _FILTERS else len(_FILTERS))
    return {kind: names for kind, names in kinds.items() if names}


def _cells(results: Sequence[Result]) -> dict[tuple[str, str, str], list[Result]]:
    cells: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        cells.setdefault((result.dataset, result.front_end, result.back_end), []).append(result)
    return cells


def _text(value: float, deviation: float | None) -> str:
    return f"{value:.1f}" if deviation is None or math.isnan(deviation) else f"{value:.1f} ± {deviation:.1f}"
