"""Report of a study: a table for the terminal, Markdown with figures, and the other files of a report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from ..errors import UsageError
from ..escaping import for_markdown, for_terminal, markdown_table
from ..files import MAX_YAML, read_bounded, refuse_absurd_yaml, write_atomically
from ..probes.record import OPTIMISTIC
from . import results
from .analysis import Analysis, Cell, analyse
from .families import Method
from .findings import (
    ALONE,
    PROTOCOLS,
    axis_table,
    comparisons_csv,
    family_tables,
    how_to_read,
    in_points,
    verdict_text,
)
from .overall import ranked
from .page import page
from .rank_report.worth import Worth, worth_lines
from .results import Failure
from .verdict import LEVEL, Verdict
from .weights import beside, beside_rows, spent_rows

PAGE = "report.html"
"""File name of the HTML page in the folder of a study."""
_MADE_BY = "<!-- report 6, tests by {} -->"  # increase the number when the same results give another report


def write_report(
    folder: Path, *, anew: bool, method: Method = "clips", worth: Worth | None = None
) -> tuple[Analysis, list[Failure]]:
    """Write the report of a study from its results: `report.md`, `report.html`, figures, tests and TensorBoard logs.

    Args:
        folder: Folder of the study.
        anew: Whether to rewrite the report even if it is up to date.
        method: Test of the differences between frontends in a cross-validation, `clips` or `folds`.
        worth: What differences have been worth in a rank study.

    Returns:
        The analysis, and the runs that failed.

    Raises:
        UsageError: There are no results, or they cannot be read.
    """
    done, failures, n_waiting, controls = results.read(folder)
    if not done and not failures:
        raise UsageError(f"{folder}: no run has finished yet; run the study again")
    analysis = analyse(done, folder, controls, method)
    if not anew and _is_up_to_date(folder, method, worth):
        return analysis, failures
    report = markdown(analysis, failures, folder.resolve().name, n_waiting, method, worth)
    text = _settings(folder / "study.yaml")
    said = (analysis, failures, n_waiting)
    read, after = how_to_read(method, analysis), worth_lines(worth, analysis) if worth else []
    html = page(folder, *said, config=text, how_to_read=read, protocols=PROTOCOLS, after_training=after)
    write_atomically(folder / PAGE, html.encode())
    if not done:
        for name in ("results.png", "cost.png", "ranks.png", "weights.png", "comparisons.csv"):
            (folder / name).unlink(missing_ok=True)
        write_atomically(folder / "report.md", report.encode())
        return analysis, failures
    from .diagram import overall_figure
    from .figures import comparison_figure, pareto_figure
    from .tensorboard import forget_study, log_study, logs_to_tensorboard
    from .weights_figure import weights_figure

    write_atomically(folder / "comparisons.csv", comparisons_csv(analysis).encode())
    comparison_figure(analysis).savefig(folder / "results.png", dpi=150)
    pareto_figure(analysis).savefig(folder / "cost.png", dpi=150)
    (folder / "ranks.png").unlink(missing_ok=True)
    if overall := ranked(analysis.overall):
        overall_figure(overall).savefig(folder / "ranks.png", dpi=150)
    (folder / "weights.png").unlink(missing_ok=True)
    if rows := beside(analysis):
        weights_figure(analysis, rows).savefig(folder / "weights.png", dpi=150)
    if logs_to_tensorboard(text):
        log_study(folder, analysis, report, text)
    else:
        forget_study(folder)
    write_atomically(folder / "report.md", report.encode())  # last, because it marks the files above as complete
    return analysis, failures


def _settings(path: Path) -> str:
    """Return the study as YAML; empty if the file is missing, unreadable or refused as YAML."""
    try:
        text = read_bounded(path, MAX_YAML).decode()
        refuse_absurd_yaml(text)
    except (OSError, ValueError):
        return ""
    return text


def _is_up_to_date(folder: Path, method: Method, worth: Worth | None) -> bool:
    """Return whether the report is newer than the results and was written by this version with the same test."""
    path = folder / "report.md"
    is_newer = (
        path.is_file()
        and (folder / PAGE).is_file()
        and path.stat().st_mtime_ns > (folder / "results.jsonl").stat().st_mtime_ns
    )
    return is_newer and path.read_bytes().rstrip().endswith(_made_by(method, worth).encode())


def _made_by(method: Method, worth: Worth | None) -> str:
    return _MADE_BY.format(f"{method}, {worth.mark}" if worth else method)


def comparison_table(analysis: Analysis) -> Table:
    """Return a table of accuracies: one row per frontend, grouped by kind, and one column per data set and backend."""
    columns = list(dict.fromkeys((dataset, backend) for dataset, _, backend in analysis.cells))
    firsts = [cell.first for cell in analysis.cells.values()]
    marks = {(first.dataset, first.backend): " *" if first.selected_on_test else "" for first in firsts}
    seeds = max(len(cell.runs) for cell in analysis.cells.values())
    says = [f"± standard deviation over {seeds} seeds"] if seeds > 1 else ["one seed"]
    says.append("[ ] 95 % interval over clips")
    says += ["( ) published"] if any(cell.published is not None for cell in analysis.cells.values()) else []
    says += [f"*{OPTIMISTIC.removeprefix(',')}"] if any(marks.values()) else []
    protocols = ", ".join(sorted({first.protocol for first in firsts}))
    table = Table(title=f"accuracy in % (protocol: {for_terminal(protocols)})", caption="; ".join(says))
    kinds = analysis.kinds()
    table.add_column(
        "frontend", no_wrap=True, min_width=max(len(for_terminal(name)) for name in analysis.frontends()) + 2
    )
    table.add_column("features", justify="right")
    for dataset, backend in columns:
        table.add_column(
            f"{for_terminal(dataset)}\n{for_terminal(backend)}{marks[dataset, backend]}", justify="right", no_wrap=True
        )
    for kind, names in kinds.items():
        if len(kinds) > 1:
            table.add_row(f"{kind}:")
        for name in names:
            cells = [analysis.cells.get((dataset, name, backend)) for dataset, backend in columns]
            n_features = next(cell.first.n_features for cell in cells if cell)
            indented = for_terminal(f"  {name}" if len(kinds) > 1 else name)
            table.add_row(indented, str(n_features), *(_in_terminal(cell, seeds) if cell else "-" for cell in cells))
        table.add_section()
    chance = {first.dataset: 100 / first.n_classes for first in firsts}
    table.add_row("chance", "", *(f"{chance[dataset]:.1f}" for dataset, _ in columns))
    return table


def _in_terminal(cell: Cell, seeds: int) -> str:
    fewer = f" (n={len(cell.runs)})" if 1 < len(cell.runs) < seeds else ""
    lines = [f"{_percent(cell.accuracy)}{_deviation(cell)}{fewer}", f"[{_percent(cell.low)}, {_percent(cell.high)}]"]
    return "\n".join([*lines, f"({_percent(cell.published)})"] if cell.published is not None else lines)


def markdown(
    analysis: Analysis,
    failures: Sequence[Failure],
    name: str,
    n_waiting: int = 0,
    method: Method = "clips",
    worth: Worth | None = None,
) -> str:
    """Return the report as Markdown.

    Args:
        analysis: Analysis of the results.
        failures: Runs that ended with an error.
        name: Name of the study.
        n_waiting: Number of runs that have not finished yet.
        method: Test of the differences between frontends in a cross-validation, `clips` or `folds`.
        worth: What differences have been worth in a rank study.
    """
    parts = [f"# {for_markdown(name)}\n"]
    parts += [f"**{n_waiting} runs of this study have not finished yet.**\n"] if n_waiting else []
    parts += ["![accuracies](results.png)\n"] if analysis.cells else []
    for dataset in analysis.datasets:
        parts += _of_dataset(analysis, dataset)
    parts += _beyond_tables(analysis)
    after = worth_lines(worth, analysis) if worth else []
    parts += ["## After training\n", *(f"- {for_markdown(line)}" for line in after), ""] if after else []
    if analysis.cells:
        parts += ["## Cost\n", "![accuracy against cost](cost.png)\n", _cost_table(analysis)]
    if failures:
        rows = [(f.dataset, f.frontend, f.backend, f.seed, f.error) for f in failures]
        header = ("data set", "frontend", "backend", "seed", "error")
        parts += [f"## Failed: {len(failures)} runs\n", markdown_table(header, rows)]
    return "\n".join([*parts, how_to_read(method, analysis), f"{_made_by(method, worth)}\n"])


def _of_dataset(analysis: Analysis, dataset: str) -> list[str]:
    cells = analysis.of(dataset)
    first = max((cell.first for cell in cells), key=lambda result: result.n_clips)
    fewer = {c.first.frontend: c.first.n_clips for c in cells if c.first.n_clips < first.n_clips}
    lost = [f"{for_markdown(name)} could be scored on {n} clips only." for name, n in fewer.items()]
    parts = [
        f"## {for_markdown(dataset)}\n",
        f"{first.n_clips} clips of {first.n_classes} classes, chance {100 / first.n_classes:.1f} %. Protocol "
        f"`{first.protocol}`: {PROTOCOLS[first.protocol]}.\n",
        *(f"{line} Its differences from other frontends use the clips that both were scored on.\n" for line in lost),
    ]
    for backend in analysis.backends(dataset):
        found = [analysis.cells.get((dataset, name, backend)) for name in analysis.frontends()]
        shown = [cell for cell in found if cell is not None]
        from_controls = _from_controls(analysis, dataset, backend)
        parts += [f"### {for_markdown(dataset)}, {for_markdown(backend)}\n", _score_table(shown, from_controls)]
        parts += _differences(analysis, dataset, backend, shown)
    return parts


def _from_controls(analysis: Analysis, dataset: str, backend: str) -> dict[str, dict[str, str]]:
    """Return the differences from each control, by control and frontend."""
    found: dict[str, dict[str, str]] = {}
    for family in analysis.families:
        if (family.dataset, family.backend) == (dataset, backend):
            for control, tests in family.controls.items():
                found.setdefault(control, {}).update(in_points(tests))
    return found


def _score_table(cells: Sequence[Cell], from_controls: Mapping[str, Mapping[str, str]]) -> str:
    header = ["frontend", "input", "filters", "features", "accuracy (%)", "± over seeds", "seeds", "[low, high]"]
    header += [f"minus {control} (points)" for control in from_controls]
    header += ["balanced (%)", "macro F1 (%)"]
    compared = any(cell.published is not None for cell in cells)
    header += ["published (%)", "difference"] if compared else []
    rows = []
    for cell in cells:
        row = [cell.first.frontend, cell.first.input, cell.first.filters, cell.first.n_features]
        row += [_percent(cell.accuracy), _deviation(cell).removeprefix(" ± "), len(cell.runs)]
        row += [f"[{_percent(cell.low)}, {_percent(cell.high)}]"]
        row += [of_control.get(cell.first.frontend, "") for of_control in from_controls.values()]
        row += [_percent(cell.balanced_accuracy), _percent(cell.macro_f1)]
        if compared:
            known = cell.published
            row += ["", ""] if known is None else [_percent(known), f"{100 * (cell.accuracy - known):+.1f}"]
        rows.append(row)
    return markdown_table(header, rows)


def _differences(analysis: Analysis, dataset: str, backend: str, cells: Sequence[Cell]) -> list[str]:
    """Return the verdicts and the matrices of differences, in points, of one table."""
    found = [each for each in analysis.families if (each.dataset, each.backend) == (dataset, backend) and each.tests]
    if not found:
        chosen = f"the candidates were {OPTIMISTIC.removeprefix(', ')}"
        reason = chosen if cells[0].first.selected_on_test else "there is only one frontend"
        return [f"No differences are tested: {reason}.\n"]
    accuracies = {cell.first.frontend: cell.accuracy for cell in cells}
    parts = []
    for family in found:
        parts += [f"#### {for_markdown(family.variant)}\n"] if family.variant else []
        parts += [_sentence(family.verdict, accuracies)] if family.verdict else []
        for text, header, rows in family_tables(family, list(accuracies)):
            parts += [f"{text}\n", markdown_table(header, rows)]
    return parts


def _beyond_tables(analysis: Analysis) -> list[str]:
    """Return the overall verdict, and the tests along each axis."""
    parts = ["## Overall verdict\n"] if analysis.overall else []
    for overall in analysis.overall:
        parts += [f"### {for_markdown(overall.variant)}\n"] if overall.variant else []
        parts += [_sentence(overall.verdict)]
        parts += ["![mean ranks](ranks.png)\n"] if overall is ranked(analysis.overall) else []
    if rows := beside(analysis):
        parts += ["## Random and trained weights\n", "![random and trained weights](weights.png)\n"]
        parts += [markdown_table(*beside_rows(rows)), "Cost of each accuracy:\n", markdown_table(*spent_rows(rows))]
    for axis, tests in analysis.axes.items():
        n = sum(found.test.is_significant for found in tests)
        said = f"{n} of {len(tests)} differences are significant (p < {LEVEL} after Holm's correction for all).\n"
        parts += [f"## Along {for_markdown(axis)}\n", said, markdown_table(*axis_table(tests))]
    return parts


def _sentence(verdict: Verdict, accuracies: Mapping[str, float] | None = None) -> str:
    text = for_markdown(verdict_text(verdict, accuracies))
    return f"{text[:1].upper()}{text[1:]}.{f' {ALONE}' if verdict.these_weights_alone else ''}\n"


def _cost_table(analysis: Analysis) -> str:
    cells = {(cell.first.frontend, cell.first.dataset): cell for cell in reversed([*analysis.cells.values()])}
    rows = []
    for name in analysis.frontends():
        for dataset in analysis.datasets:
            if cell := cells.get((name, dataset)):
                seconds = "" if cell.seconds_per_clip is None else f"{cell.seconds_per_clip:.4f}"
                rows.append([name, dataset, f"{cell.first.n_parameters:,}", f"{cell.first.flop / 1e9:.3f}", seconds])
    return markdown_table(["frontend", "data set", "parameters", "GFLOP per clip", "seconds per clip"], rows)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _deviation(cell: Cell) -> str:
    return "" if cell.deviation is None else f" ± {100 * cell.deviation:.1f}"
