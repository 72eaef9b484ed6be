"""Tables on the HTML page of a study: results, differences, costs, candidates, failures, commands and versions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..probes.record import installed_versions, read_candidates, read_metrics
from .analysis import Analysis, Cell
from .charts import percent
from .findings import axis_table, family_tables
from .markup import Markup, element, framed, table
from .results import Failure
from .verdict import LEVEL

MAX_PAIRS = 15_000  # maximum number of cells in the tables of differences (about 0.5 MB)
MAX_ALONG = 300  # maximum number of rows in the table of one axis
MAX_CANDIDATES = 8  # maximum number of candidates shown of one grid search


def data_table(analysis: Analysis, protocols: Mapping[str, str]) -> Markup:
    """Return a table of the data sets: number of clips and classes, chance level, and protocol.

    Args:
        analysis: Analysis of the study.
        protocols: Descriptions of protocols by name.
    """
    rows: list[list[object]] = []
    for dataset in analysis.datasets:
        first = max((cell.first for cell in analysis.of(dataset)), key=lambda result: result.n_clips)
        how = f"{first.protocol}: {protocols[first.protocol]}"
        rows.append([dataset, first.n_clips, first.n_classes, f"{100 / first.n_classes:.1f} %", how])
    return table(["data set", "clips", "classes", "chance", "protocol"], rows, "Data sets of this study")


def result_table(analysis: Analysis) -> list[Markup]:
    """Return the sortable table of all results, with drop-down lists that filter its rows."""
    cells = list(analysis.cells.values())
    from_controls = _from_controls(analysis)
    compared = any(cell.published is not None for cell in cells)
    numbers = ["accuracy (%)", "± over seeds", "95 % interval", "seeds"]
    numbers += [f"minus {control} (points)" for control in from_controls]
    numbers += [*(["published (%)"] if compared else []), "features", "balanced (%)", "macro F1 (%)", "clips"]
    head = [
        element("th", element("button", text, type="button"), scope="col", aria_sort="none", class_=side)
        for texts, side in ((["frontend", "data set", "backend"], None), (numbers, "num"), (["input", "filters"], None))
        for text in texts
    ]
    body = [_result_row(analysis, cell, from_controls, compared=compared) for cell in _ordered(analysis)]
    caption = "Accuracy of each frontend with each backend on each data set"
    optimistic = any(cell.first.selected_on_test for cell in cells)
    marks = ["* The candidate was chosen on the scored clips, so the score is optimistic."] if optimistic else []
    marks += ["Bold: significant after Holm's correction."] if from_controls else []
    sortable = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="sortable",
        id="results-table",
    )
    choosers = [
        _row_chooser(name, index, list(dict.fromkeys(values)))
        for name, index, values in (
            ("data set", 1, [cell.first.dataset for cell in cells]),
            ("backend", 2, [cell.first.backend for cell in cells]),
        )
        if len(set(values)) > 1
    ]
    controls = element("p", choosers, class_="chooser", hidden=True) if choosers else None
    return [
        part for part in (controls, framed(sortable, caption), element("p", " ".join(marks), class_="note")) if part
    ]


def _result_row(
    analysis: Analysis,
    cell: Cell,
    from_controls: Mapping[str, Mapping[tuple[str, str, str], tuple[float, bool]]],
    *,
    compared: bool,
) -> Markup:
    first = cell.first
    row = [element("td", name) for name in (first.dataset, first.backend)]
    mark = " *" if first.selected_on_test else ""
    row.append(_number(cell.accuracy, f"{percent(cell.accuracy)}{mark}"))
    row.append(_number(cell.deviation, None if cell.deviation is None else percent(cell.deviation)))
    row.append(_number(cell.low, f"{percent(cell.low)} to {percent(cell.high)}"))
    row.append(_number(len(cell.runs), len(cell.runs)))
    for of_control in from_controls.values():
        difference, significant = of_control.get((first.dataset, first.frontend, first.backend), (None, False))
        shown = None if difference is None else f"{100 * difference:+.1f}".replace("-0.0", "+0.0")
        row.append(_number(difference, element("strong", shown) if significant else shown))
    if compared:
        row.append(_number(cell.published, None if cell.published is None else percent(cell.published)))
    row.append(_number(first.n_features, f"{first.n_features:,}"))
    row += [_number(value, percent(value)) for value in (cell.balanced_accuracy, cell.macro_f1)]
    row.append(_number(first.n_clips, f"{first.n_clips:,}"))
    row += [element("td", name) for name in (first.input, first.filters)]
    return element("tr", element("th", first.frontend, scope="row"), row)


def _ordered(analysis: Analysis) -> list[Cell]:
    """Return the cells by data set, in order of decreasing accuracy."""
    return [cell for dataset in analysis.datasets for cell in sorted(analysis.of(dataset), key=lambda c: -c.accuracy)]


def _from_controls(analysis: Analysis) -> dict[str, dict[tuple[str, str, str], tuple[float, bool]]]:
    """Return the difference from each control and its significance, by control and cell."""
    found: dict[str, dict[tuple[str, str, str], tuple[float, bool]]] = {}
    for family in analysis.families:
        for control, tests in family.controls.items():
            of_control = found.setdefault(control, {})
            for test in tests:
                place = family.dataset, test.a, family.backend
                of_control[place] = test.estimate.difference, test.is_significant
    return found


def _number(value: float | None, shown: object) -> Markup:
    """Return a table cell that is sorted by its value."""
    return element("td", shown, class_="num", data_value=None if value is None else f"{value:.6g}")


def _row_chooser(name: str, column: int, values: Sequence[str]) -> Markup:
    identifier = f"only-{name.replace(' ', '-')}"
    options = [element("option", "all", value=""), *(element("option", value, value=value) for value in values)]
    select = element("select", options, id=identifier, data_column=column, data_filters="results-table")
    return element("span", element("label", name, for_=identifier), " ", select)


def difference_tables(analysis: Analysis) -> list[Markup]:
    """Return collapsible tables of the differences: all pairs for each data set and backend, then each axis."""
    parts: list[Markup] = []
    n_cells = 0
    for family in analysis.families:
        names = [cell.first.frontend for cell in analysis.of(family.dataset) if cell.first.backend == family.backend]
        place = ", ".join(filter(None, (family.dataset, family.backend, family.variant)))
        for text, header, rows in family_tables(family, names):
            n_cells += len(rows) ** 2
            if n_cells <= MAX_PAIRS:
                cells = [[row[0], *map(_bold, row[1:])] for row in rows]
                inside = [element("p", text, class_="note"), table(header, cells, f"Differences: {place}", numeric=1)]
                parts.append(_folded(f"All pairs: {place}", inside))
    for axis, tests in analysis.axes.items():
        n = sum(found.test.is_significant for found in tests)
        header, rows = axis_table(tests[:MAX_ALONG])
        said = f"{n} of {len(tests)} differences are significant (p < {LEVEL} after Holm's correction for all)."
        cells = [[*row[:5], *map(_bold, row[5:])] for row in rows]
        inside = [element("p", said, class_="note"), table(header, cells, f"Along {axis}", numeric=5)]
        parts.append(_folded(f"Along {axis}: {n} of {len(tests)} significant", inside))
    if n_cells > MAX_PAIRS or any(len(tests) > MAX_ALONG for tests in analysis.axes.values()):
        text = "This page omits some differences to stay small. All of them are in "
        parts.append(element("p", text, element("code", "comparisons.csv"), ".", class_="note"))
    return parts


def cost_table(analysis: Analysis) -> Markup:
    """Return a table of parameters, operations and time of each frontend on each data set."""
    cells = {(cell.first.frontend, cell.first.dataset): cell for cell in reversed([*analysis.cells.values()])}
    rows: list[list[object]] = []
    for name in analysis.frontends():
        for dataset in analysis.datasets:
            if cell := cells.get((name, dataset)):
                seconds = None if cell.seconds_per_clip is None else f"{cell.seconds_per_clip:.4f}"
                rows.append([name, dataset, f"{cell.first.n_parameters:,}", f"{cell.first.flop / 1e9:.3f}", seconds])
    header = ["frontend", "data set", "parameters", "GFLOP per clip", "seconds per clip"]
    return table(header, rows, "Cost of each frontend", numeric=2)


def candidate_tables(folder: Path, analysis: Analysis) -> list[Markup]:
    """Return a table of the chosen candidates, and a collapsible table of the best candidates of each cell.

    The best candidates are those of the first run of a cell.
    """
    chosen_rows: list[list[object]] = []
    folded: list[Markup] = []
    for (dataset, frontend, backend), cell in analysis.cells.items():
        found = read_candidates(folder / cell.first.run)
        chosen = list(dict.fromkeys(run.best_candidate or "no arguments" for run in cell.runs))
        chosen_rows.append([frontend, dataset, backend, len(found) or "not recorded", "; ".join(chosen)])
        if len(found) > 1:
            place = f"{frontend}, {backend} on {dataset}"
            more = f"; {len(found) - MAX_CANDIDATES} more in candidates.csv" if len(found) > MAX_CANDIDATES else ""
            rows: list[list[object]] = [
                [each.arguments or "no arguments", percent(each.accuracy), "chosen" if each.is_chosen else ""]
                for each in found[:MAX_CANDIDATES]
            ]
            caption = f"Candidates for seed {cell.first.seed}: {place}{more}"
            shown = table(["candidate", "accuracy (%)", ""], rows, caption)
            folded.append(_folded(f"{place}: {len(found)} candidates", [shown]))
    header = ["frontend", "data set", "backend", "candidates tried", "chosen for each seed"]
    return [table(header, chosen_rows, "Chosen candidates"), *folded]


def failure_table(failures: Sequence[Failure]) -> Markup:
    """Return a table of the runs that failed, with their errors."""
    rows: list[list[object]] = [
        [each.frontend, each.dataset, each.backend, each.seed, each.error, element("code", f"{each.run}/error.txt")]
        for each in failures
    ]
    header = ["frontend", "data set", "backend", "seed", "error", "traceback"]
    return table(header, rows, "Runs that failed", class_="wrapped")


def note_list(folder: Path, analysis: Analysis) -> list[Markup]:
    """Return a list of the notes in the metrics of the runs, with each note once."""
    runs_of: dict[str, list[str]] = {}
    for cell in analysis.cells.values():
        for run in cell.runs:
            metrics = read_metrics(folder / run.run)
            notes = metrics.get("notes")
            found = [str(note) for note in notes] if isinstance(notes, list) else []
            n_failed = metrics.get("n_failed")
            found += [f"{n_failed} clips could not be read and were skipped."] if n_failed else []
            for note in found:
                runs_of.setdefault(note, []).append(run.run)
    lines = [
        element("li", note, " (", element("code", runs[0]), f" and {len(runs) - 1} more)" if len(runs) > 1 else ")")
        for note, runs in runs_of.items()
    ]
    return [element("ul", lines)] if lines else []


def repeat(config: str) -> list[Markup]:
    """Return the commands that reproduce a study, and the study as YAML.

    Args:
        config: Study as YAML; empty if it is unknown.
    """
    if not config:
        return [element("p", "This page cannot show how to reproduce the study: its folder has no study.yaml.")]
    commands = "untrained compare study.yaml\nuntrained report FOLDER   # rewrite this page from stored results"
    return [
        element("p", "To run the study again, save the configuration below as ", element("code", "study.yaml"),
                ". To repeat a single run, pass the ", element("code", "config.yaml"), " in its folder to ",
                element("code", "untrained fit --config"), "."),
        framed(element("pre", element("code", commands)), "Commands"),
        _folded("study.yaml", [framed(element("pre", element("code", config)), "study.yaml")]),
    ]  # fmt: skip


def version_table(folder: Path, analysis: Analysis) -> list[Markup]:
    """Return the package versions of the runs and of this page, and the code versions of the runs."""
    here = installed_versions()
    runs = [run for cell in analysis.cells.values() for run in cell.runs]
    found = [read_metrics(folder / run.run).get("versions") for run in runs]
    known = [each for each in found if isinstance(each, dict)]
    several = {name: ", ".join(dict.fromkeys(str(each.get(name, "?")) for each in known)) for name in here}
    rows: list[list[object]] = [[name, *([several[name]] if known else []), here[name]] for name in here]
    parts = [table(["package", *(["runs"] if known else []), "this page"], rows, "Package versions")]
    if len(known) < len(runs):
        said = f"{len(runs) - len(known)} of {len(runs)} runs do not record package versions."
        parts.append(element("p", said, class_="note"))
    named: dict[str, set[str]] = {}
    for run in runs:
        for name, number in _code(read_metrics(folder / run.run)).items():
            named.setdefault(name, set()).add(str(number))
    if named:
        text = ", ".join(f"{name} {'/'.join(sorted(numbers))}" for name, numbers in sorted(named.items()))
        parts.append(element("p", f"Code versions of the computations: {text}.", class_="note"))
    return parts


def _code(metrics: Mapping[str, object]) -> dict[str, object]:
    """Return the code versions of a run, by the name of the computation."""
    key = metrics.get("key")
    embeddings = key.get("embeddings") if isinstance(key, dict) else None
    parts = [part.get("code") for part in (embeddings, key) if isinstance(part, dict)]
    return {name: number for part in parts if isinstance(part, dict) for name, number in part.items()}


def _folded(summary: str, content: object) -> Markup:
    return element("details", element("summary", summary), content)


def _bold(text: str) -> object:
    """Convert the text of a Markdown table cell, which may be bold, to HTML."""
    return element("strong", text.strip("*")) if text.startswith("**") else text
