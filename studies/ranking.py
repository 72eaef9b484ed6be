"""Ranking for TensorBoard: rows for each frontend and backend on a data set and for chance, sorted by accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb, hparams_pb

from ..escaping import for_markdown
from ..probes.record import OPTIMISTIC
from .analysis import Analysis

CHANCE = "chance"
METRICS = ("accuracy", "over seeds", "low", "high")
"""Metrics of a row: mean accuracy over seeds, standard deviation over seeds, and the ends of the interval."""


@dataclass(frozen=True)
class Row:
    """A row of the ranking.

    Args:
        dataset: Name of the data set.
        frontend: Name of the frontend; `chance` for the row of the chance level.
        backend: Name of the backend; empty for chance.
        protocol: Protocol of the scores.
        rank: Rank on the data set, from 1; empty for chance.
        seeds: Number of seeds; 0 for chance.
        folder: Folder of the log of the row, relative to the folder of the ranking.
        metrics: Known values of `METRICS`, as fractions, by name.
        optimistic: Whether candidates were chosen on the scored clips.
    """

    dataset: str
    frontend: str
    backend: str
    protocol: str
    rank: str
    seeds: int
    folder: str
    metrics: dict[str, float]
    optimistic: bool = False


def ranking(analysis: Analysis) -> list[Row]:
    """Return the rows of all data sets; those of a data set are in order of decreasing mean accuracy."""
    return [row for dataset in analysis.datasets for row in _of_dataset(analysis, dataset)]


def _of_dataset(analysis: Analysis, dataset: str) -> list[Row]:
    rows: list[Row] = []
    cells = sorted(analysis.of(dataset), key=lambda cell: -cell.accuracy)
    for rank, cell in enumerate(cells, 1):
        found = dict(zip(METRICS, (cell.accuracy, cell.deviation, cell.low, cell.high), strict=True))
        metrics = {name: value for name, value in found.items() if value is not None}
        first = cell.first
        names = (dataset, first.frontend, first.backend, first.protocol)
        rows.append(
            Row(*names, str(rank), len(cell.runs), Path(first.run).parent.as_posix(), metrics, first.selected_on_test)
        )
    first = cells[0].first
    folder = f"{Path(first.run).parts[0]}/{CHANCE}"
    rows.append(Row(dataset, CHANCE, "", first.protocol, "", 0, folder, {"accuracy": 1 / first.n_classes}))
    return sorted(rows, key=lambda row: -row.metrics["accuracy"])


def ranking_table(rows: Sequence[Row]) -> str:
    """Return the ranking as a Markdown table with full names and scores in per cent."""
    header = ["data set", "rank", "frontend", "backend", "accuracy (%)", "± over seeds", "seeds", "[low, high]", ""]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        of = {name: f"{100 * value:.1f}" for name, value in row.metrics.items()}
        interval = f"[{of['low']}, {of['high']}]" if "low" in of else ""
        scores = [of["accuracy"], of.get("over seeds", ""), str(row.seeds or ""), interval]
        remark = OPTIMISTIC.removeprefix(", ") if row.optimistic else ""
        lines.append([row.dataset, row.rank, row.frontend, row.backend, *scores, remark])
    return "\n".join("| " + " | ".join(map(for_markdown, line)) + " |" for line in lines)


def sessions(rows: Sequence[Row]) -> list[list[Summary.Value]]:
    """Return the values of each row for the HPARAMS tab of TensorBoard, which sorts rows by their number.

    TensorBoard truncates texts to the width of a column, about 17 characters. Therefore the options in a name have
    separate columns, and columns with the same value in all rows are left out.
    """
    shown = [_columns(row) for row in rows]
    columns = ["frontend", "rank", *(name for name in shown[0] if len({each[name] for each in shown} - {CHANCE}) > 1)]
    columns = list(dict.fromkeys(columns))
    declared = hparams_config_pb([HParam(name) for name in columns], [Metric(name) for name in METRICS[:2]])
    digits = len(str(len(rows)))
    found = []
    for number, (row, names) in enumerate(zip(rows, shown, strict=True), 1):
        start = hparams_pb({name: names[name] for name in columns}, trial_id=f"{number:0{digits}d}")
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in row.metrics.items()]
        found.append([*declared.value, *start.value, *scalars])
    return found


def _columns(row: Row) -> dict[str, str]:
    """Return the texts of a row by column."""
    frontend, _, of_frontend = row.frontend.partition("-")
    backend, _, of_backend = row.backend.partition("-")
    return {
        "frontend": frontend,
        "rank": row.rank,
        "dataset": row.dataset,
        "backend": backend or CHANCE,
        "frontend options": of_frontend,
        "backend options": of_backend,
        "scores": OPTIMISTIC.removeprefix(", ") if row.optimistic else "",
    }
