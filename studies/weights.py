"""Random and trained weights of the same frontends beside each other: accuracies, differences and costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..probes.record import ARMS
from .analysis import Analysis, Cell
from .verdict import PairTest


@dataclass(frozen=True)
class Beside:
    """Results of one frontend on one data set, with random and with trained weights.

    Args:
        dataset: Name of the data set.
        frontend: Name of the frontend.
        cells: Cells by name of the backend or head: frozen frontends, then trained heads, then trained frontends.
        gains: Tests of the trained frontend against each of the others, by name of the other's weights, such as
            `random, svm`; empty if it cannot be trained.
    """

    dataset: str
    frontend: str
    cells: Mapping[str, Cell]
    gains: Mapping[str, PairTest]


def beside(analysis: Analysis) -> list[Beside]:
    """Return the frontends of a study that trains, in the order of its tables; empty if it trains nothing.

    Args:
        analysis: Analysis of the study.
    """
    if not any(map(_is_training, analysis.cells.values())):
        return []
    gains: dict[tuple[str, str], dict[str, PairTest]] = {}
    for found in analysis.axes.get("weights", ()):
        if found.test.a == ARMS[-1]:
            gains.setdefault((found.dataset, found.frontend), {})[found.test.b] = found.test
    rows = []
    for dataset in analysis.datasets:
        for name in analysis.frontends():
            cells = [cell for cell in analysis.of(dataset) if cell.first.frontend == name]
            cells.sort(key=lambda cell: (_place(cell), analysis.place_of(cell.first.backend)))
            if cells:
                of = {cell.first.backend: cell for cell in cells}
                rows.append(Beside(dataset, name, of, gains.get((dataset, name), {})))
    return rows


def columns(rows: list[Beside]) -> tuple[list[str], list[str]]:
    """Return the names of the backends and heads, and those of the differences, in the order of the tables."""
    ordered = sorted(
        {name: _place(cell) for row in rows for name, cell in row.cells.items()}.items(), key=lambda item: item[1]
    )
    return [name for name, _ in ordered], list(dict.fromkeys(name for row in rows for name in row.gains))


def beside_rows(rows: list[Beside]) -> tuple[list[str], list[list[str]]]:
    """Return a header and rows: accuracies of all weights, and what training adds, in points; `*` is significant.

    Args:
        rows: Frontends, as `beside` returns them.
    """
    backends, others = columns(rows)
    header = ["data set", "frontend", *(f"{name} (%)" for name in backends)]
    header += [f"{ARMS[-1]} - {other} (points)" for other in others]
    return header, [
        [
            *(row.dataset, row.frontend),
            *(_percent(row.cells.get(name)) for name in backends),
            *(_points(row.gains.get(other)) for other in others),
        ]
        for row in rows
    ]


def spent_rows(rows: list[Beside]) -> tuple[list[str], list[list[str]]]:
    """Return a header and rows: what each accuracy costs in seconds and in multiply-adds of the frontend.

    Args:
        rows: Frontends, as `beside` returns them.
    """
    backends, _ = columns(rows)
    header = [
        "data set",
        "frontend",
        *(f"{name}{unit}" for name in backends for unit in (" (s)", " (G multiply-adds)")),
    ]
    return header, [
        [row.dataset, row.frontend, *(text for name in backends for text in _spent(row.cells.get(name)))]
        for row in rows
    ]


def gain_lines(rows: list[Beside]) -> Iterator[str]:
    """Yield lines for the terminal: what training adds to each frontend, for each data set."""
    _, others = columns(rows)
    for other in others:
        yield f"{ARMS[-1]} minus {other}, in points (* significant):"
        for dataset in dict.fromkeys(row.dataset for row in rows):
            of = [row for row in rows if row.dataset == dataset and other in row.gains]
            yield f"  {dataset}: {', '.join(f'{row.frontend} {_points(row.gains[other])}' for row in of)}"


HOW_TO_READ = """\
- **Random and trained weights**: `frozen-` is a head that is trained on the frozen random frontend, and `trained-` is
  the same head and the frontend trained together, both by the recipe in the section `training` of the study. Their
  difference shows what the weights add. The difference from a backend such as `svm` also contains that of the
  classifier. Multiply-adds are those of the frontend: one pass of each clip for a
  backend and two for a trained head (more with folds), and for trained weights three passes of each clip in each step,
  for all learning rates, without those of validation.
"""
"""Explanation for a report, in Markdown."""


def seconds(cell: Cell) -> float:
    """Return the mean time of a run in s: extraction and fit, or training."""
    extraction = 0.0 if _is_training(cell) else (cell.seconds_per_clip or 0.0) * cell.first.n_clips
    return extraction + sum(run.seconds for run in cell.runs) / len(cell.runs)


def multiply_adds(cell: Cell) -> float:
    """Return the multiply-adds of the frontend in one run: one pass of each clip, or those of training."""
    passes = cell.first.n_clips if cell.first.clip_passes is None else cell.first.clip_passes
    return cell.first.flop / 2 * passes


def _is_training(cell: Cell) -> bool:
    return cell.first.weights in ARMS


def _place(cell: Cell) -> int:
    return ARMS.index(cell.first.weights) if _is_training(cell) else -1


def _percent(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    optimistic = " (optimistic)" if cell.first.selected_on_test else ""
    return f"{100 * cell.accuracy:.1f}{'' if cell.deviation is None else f' ± {100 * cell.deviation:.1f}'}{optimistic}"


def _points(test: PairTest | None) -> str:
    if test is None:
        return "-"
    text = f"{100 * test.estimate.difference:+.1f}".replace("-0.0", "+0.0")
    return f"{text} *" if test.is_significant else text


def _spent(cell: Cell | None) -> tuple[str, str]:
    return ("-", "-") if cell is None else (f"{seconds(cell):.1f}", f"{multiply_adds(cell) / 1e9:.3g}")
