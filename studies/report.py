"""The report of a study: a table for the terminal, and Markdown with figures."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from ..errors import UsageError
from ..files import write_atomically
from ..probes.record import OPTIMISTIC
from . import results
from .analysis import LEVEL, Analysis, Cell, analyse
from .results import Failure

_PROTOCOLS = {
    "holdout": "the candidate is chosen on validation, fitted to train and scored on test",
    "nested": "each fold is scored with the candidate that the other folds choose",
    "study": "the best mean over the folds that it was chosen by, which is optimistic",
}
_HOW_TO_READ = """\
## How to read this

- **±** is the standard deviation over seeds: what other random weights would change. What has no randomness runs once
  and has none.
- **[low, high]** is the 95 % bootstrap interval over clips, or over groups of clips where there are any, of how often
  each clip is right on average over the seeds: what other clips would change.
- **Differences** are tested between all pairs of frontends with one backend on one data set, and corrected for being
  several by Holm. Over folds: differences of the folds, averaged over seeds, with Nadeau & Bengio's variance
  (1/k + n_test/n_train, k - 1 degrees of freedom; that of rounding to a clip at least). On a test split: a paired
  bootstrap over clips, or groups of clips. Scores that were chosen by the very clips that are scored (protocol `study`)
  are not tested.
- **Published** accuracies are those of Pons & Serra (2018) for about 3500 features: hold-out for GTZAN, for the other
  two the best mean over the folds that it was chosen by. Those of frame-level frontends are of collapsed deep maps.
- That an architecture's rank untrained predicts its rank trained is assumed here, and not shown.
"""


def write_report(folder: Path, *, anew: bool) -> tuple[Analysis, list[Failure]]:
    """Write the report of a study from its results: `report.md`, figures, `comparisons.csv` and TensorBoard logs.

    Args:
        folder: Folder of the study.
        anew: Whether to rewrite a report that is newer than the results.

    Returns:
        The analysis, and the runs that failed.

    Raises:
        UsageError: There are no results, or they cannot be read.
    """
    done, failures, n_waiting, _ = results.read(folder)
    if not done and not failures:
        raise UsageError(f"{folder}: no run has ended yet; run the study again")
    analysis = analyse(done, folder)
    if not anew and _is_newer(folder / "report.md", folder / "results.jsonl"):
        return analysis, failures
    report = markdown(analysis, failures, folder.resolve().name, n_waiting)
    if not done:
        for name in ("results.png", "cost.png", "comparisons.csv"):
            (folder / name).unlink(missing_ok=True)
        write_atomically(folder / "report.md", report.encode())
        return analysis, failures
    from .figures import comparison_figure, pareto_figure  # not needed for a report that is up to date
    from .tensorboard import forget_study, log_study, logs_to_tensorboard

    write_atomically(folder / "comparisons.csv", _comparisons_csv(analysis).encode())
    comparison_figure(analysis).savefig(folder / "results.png", dpi=150)
    pareto_figure(analysis).savefig(folder / "cost.png", dpi=150)
    config = folder / "study.yaml"
    text = config.read_text("utf-8") if config.is_file() else ""
    if logs_to_tensorboard(text):
        log_study(folder, analysis, report, text)
    else:
        forget_study(folder)
    write_atomically(folder / "report.md", report.encode())  # last, because it marks the files above as complete
    return analysis, failures


def _is_newer(path: Path, other: Path) -> bool:
    return path.is_file() and path.stat().st_mtime_ns > other.stat().st_mtime_ns


def comparison_table(analysis: Analysis) -> Table:
    """Return a table of accuracies: a row for each frontend, grouped by kind; a column per data set and backend."""
    columns = list(dict.fromkeys((dataset, backend) for dataset, _, backend in analysis.cells))
    firsts = [cell.first for cell in analysis.cells.values()]
    marks = {(first.dataset, first.backend): " *" if first.selected_on_test else "" for first in firsts}
    seeds = max(len(cell.runs) for cell in analysis.cells.values())
    says = [f"± standard deviation over {seeds} seeds"] if seeds > 1 else ["one seed"]
    says.append("[ ] 95 % interval over clips")
    says += ["( ) published"] if any(cell.published is not None for cell in analysis.cells.values()) else []
    says += [f"*{OPTIMISTIC.removeprefix(',')}"] if any(marks.values()) else []
    protocols = ", ".join(sorted({first.protocol for first in firsts}))
    table = Table(title=f"accuracy in % (protocol: {protocols})", caption="; ".join(says))
    kinds = analysis.kinds()
    table.add_column("frontend", no_wrap=True, min_width=max(map(len, analysis.frontends())) + 2)
    table.add_column("features", justify="right")
    for dataset, backend in columns:
        table.add_column(f"{dataset}\n{backend}{marks[dataset, backend]}", justify="right", no_wrap=True)
    for kind, names in kinds.items():
        if len(kinds) > 1:
            table.add_row(f"{kind}:")
        for name in names:
            cells = [analysis.cells.get((dataset, name, backend)) for dataset, backend in columns]
            n_features = next(cell.first.n_features for cell in cells if cell)
            indented = f"  {name}" if len(kinds) > 1 else name
            table.add_row(indented, str(n_features), *(_in_terminal(cell, seeds) if cell else "-" for cell in cells))
        table.add_section()
    chance = {first.dataset: 100 / first.n_classes for first in firsts}
    table.add_row("chance", "", *(f"{chance[dataset]:.1f}" for dataset, _ in columns))
    return table


def differences_in_short(analysis: Analysis) -> list[str]:
    """Return, for each data set and backend, how many differences between frontends are more than chance."""
    of: dict[tuple[str, str], list[bool]] = {}
    for found in analysis.comparisons:
        of.setdefault((found.dataset, found.backend), []).append(found.is_more_than_chance)
    return [
        f"{dataset}, {backend}: {sum(those)} of {len(those)} differences between frontends are more than chance"
        for (dataset, backend), those in of.items()
    ]


def _in_terminal(cell: Cell, seeds: int) -> str:
    fewer = f" (n={len(cell.runs)})" if 1 < len(cell.runs) < seeds else ""
    lines = [f"{_percent(cell.accuracy)}{_deviation(cell)}{fewer}", f"[{_percent(cell.low)}, {_percent(cell.high)}]"]
    return "\n".join([*lines, f"({_percent(cell.published)})"] if cell.published is not None else lines)


def markdown(analysis: Analysis, failures: Sequence[Failure], name: str, n_waiting: int = 0) -> str:
    """Return the report as Markdown.

    Args:
        analysis: Analysis of the results.
        failures: Runs that ended with an error.
        name: Name of the study.
        n_waiting: Number of runs that have not ended yet.
    """
    parts = [f"# {_cell(name)}\n"]
    parts += [f"**{n_waiting} runs of this study have not ended yet.**\n"] if n_waiting else []
    parts += ["![accuracies](results.png)\n"] if analysis.cells else []
    for dataset in analysis.datasets:
        parts += _of_dataset(analysis, dataset)
    if analysis.cells:
        parts += ["## Cost\n", "![accuracy against cost](cost.png)\n", _cost_table(analysis)]
    if failures:
        rows = [(f.dataset, f.frontend, f.backend, f.seed, f.error) for f in failures]
        header = ("data set", "frontend", "backend", "seed", "error")
        parts += [f"## Failed: {len(failures)} runs\n", _table(header, rows)]
    return "\n".join([*parts, _HOW_TO_READ])


def _of_dataset(analysis: Analysis, dataset: str) -> list[str]:
    cells = analysis.of(dataset)
    first = max((cell.first for cell in cells), key=lambda result: result.n_clips)
    fewer = {c.first.frontend: c.first.n_clips for c in cells if c.first.n_clips < first.n_clips}
    lost = [f"`{name}` could be scored on {n} clips alone." for name, n in fewer.items()]
    parts = [
        f"## {_cell(dataset)}\n",
        f"{first.n_clips} clips of {first.n_classes} classes, chance {100 / first.n_classes:.1f} %. Protocol "
        f"`{first.protocol}`: {_PROTOCOLS[first.protocol]}.\n",
        *(f"{line} Differences to it are of the clips that both have.\n" for line in lost),
    ]
    for backend in analysis.backends(dataset):
        found = [analysis.cells.get((dataset, name, backend)) for name in analysis.frontends()]
        shown = [cell for cell in found if cell is not None]
        parts += [f"### {_cell(dataset)}, {_cell(backend)}\n", _score_table(shown)]
        parts += _differences(analysis, dataset, backend, shown)
    return parts


def _score_table(cells: Sequence[Cell]) -> str:
    header = ["frontend", "reads", "filters", "features", "accuracy (%)", "± over seeds", "seeds", "[low, high]"]
    header += ["balanced (%)", "macro F1 (%)"]
    compared = any(cell.published is not None for cell in cells)
    header += ["published (%)", "difference"] if compared else []
    rows = []
    for cell in cells:
        n = len(cell.runs)
        row = [cell.first.frontend, cell.first.input, cell.first.filters, cell.first.n_features]
        row += [_percent(cell.accuracy), _deviation(cell).removeprefix(" ± "), n]
        row += [f"[{_percent(cell.low)}, {_percent(cell.high)}]"]
        row += [_percent(sum(run.balanced_accuracy for run in cell.runs) / n)]
        row += [_percent(sum(run.macro_f1 for run in cell.runs) / n)]
        if compared:
            known = cell.published
            row += ["", ""] if known is None else [_percent(known), f"{100 * (cell.accuracy - known):+.1f}"]
        rows.append(row)
    return _table(header, rows)


def _differences(analysis: Analysis, dataset: str, backend: str, cells: Sequence[Cell]) -> list[str]:
    """Return a matrix of differences in points, row minus column; differences that are more than chance are bold."""
    found = [c for c in analysis.comparisons if (c.dataset, c.backend) == (dataset, backend)]
    if not found:
        reason = "the protocol chose by the clips that it scores" if cells[0].first.selected_on_test else "one frontend"
        return [f"No differences are tested: {reason}.\n"]
    of = {(c.a, c.b): (c.difference, c.is_more_than_chance) for c in found}
    of |= {(b, a): (-difference, is_more) for (a, b), (difference, is_more) in of.items()}
    names = [cell.first.frontend for cell in cells]
    rows = []
    for a in names:
        texts = []
        for b in names:
            difference, is_more = of.get((a, b), (None, False))
            text = "" if difference is None else f"{100 * difference:+.1f}"
            texts.append(f"**{text}**" if is_more else text)
        rows.append([a, *texts])
    said = (
        f"Row less column, in points; bold where p < {LEVEL} after Holm's correction for {len(found)} pairs "
        f"({found[0].test}).\n"
    )
    return [said, _table(["", *names], rows)]


def _cost_table(analysis: Analysis) -> str:
    cells = {(cell.first.frontend, cell.first.dataset): cell for cell in analysis.cells.values()}
    rows = []
    for name in analysis.frontends():
        for dataset in analysis.datasets:
            if cell := cells.get((name, dataset)):
                seconds = "" if cell.seconds_per_clip is None else f"{cell.seconds_per_clip:.4f}"
                rows.append([name, dataset, f"{cell.first.n_parameters:,}", f"{cell.first.flop / 1e9:.3f}", seconds])
    return _table(["frontend", "data set", "parameters", "GFLOP for a clip", "s for a clip"], rows)


def _comparisons_csv(analysis: Analysis) -> str:
    text = io.StringIO(newline="")
    columns = ["dataset", "backend", "a", "b", "difference", "p", "p_corrected", "test"]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, analysis.comparisons))
    return text.getvalue()


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _deviation(cell: Cell) -> str:
    return "" if cell.deviation is None else f" ± {100 * cell.deviation:.1f}"
