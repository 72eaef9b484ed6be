"""HTML page of a study: one file with the verdict, tables, charts and all other parts of the report.

The page works offline. Its content security policy allows only its own style sheet and script, by their digests.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .analysis import Analysis
from .answer import answer
from .charts import N_COLOURS, accuracy_chart, difference_chart
from .confusion import class_section, mean_confusion
from .cost import COSTS
from .markup import Markup, element, table
from .overall import ranked
from .plots import cost_plot, rank_plot
from .results import Failure
from .tables import (
    candidate_tables,
    cost_table,
    data_table,
    difference_tables,
    failure_table,
    note_list,
    repeat,
    result_table,
    version_table,
)
from .verdict import PairTest
from .weights import beside, beside_rows, spent_rows

_HERE = Path(__file__).parent


def page(
    folder: Path,
    analysis: Analysis,
    failures: Sequence[Failure],
    n_waiting: int,
    *,
    config: str,
    how_to_read: str,
    protocols: Mapping[str, str],
    after_training: Sequence[str] = (),
) -> str:
    """Return the page of a study.

    Args:
        folder: Folder of the study, which holds its runs.
        analysis: Analysis of the results.
        failures: Runs that ended with an error.
        n_waiting: Number of runs that have not finished yet.
        config: Study as YAML; empty if it is unknown.
        how_to_read: Explanation of the report, a list in Markdown.
        protocols: Descriptions of protocols by name.
        after_training: What a rank study says about the differences; empty without one.
    """
    name = folder.resolve().name
    sections = [("answer", "Verdict", answer(analysis, failures, n_waiting))]
    if analysis.cells:
        sections += [
            ("results", "Results", [*result_table(analysis), data_table(analysis, protocols)]),
            ("figures", "Figures", _figures(analysis)),
            ("weights", "Random and trained", _weights(analysis)),
            ("differences", "Differences", difference_tables(analysis)),
            ("after", "After training", _sentences(after_training)),
            ("classes", "Classes", _classes(folder, analysis)),
            ("cost", "Cost", _cost(analysis)),
            ("search", "Grid search", _search(folder, analysis)),
        ]
    problems = [failure_table(failures)] if failures else []
    problems += note_list(folder, analysis)
    sections += [
        ("failures", "Failures", problems or [element("p", "No run failed.")]),
        ("repeat", "Reproducing", repeat(config)),
        ("versions", "Versions", version_table(folder, analysis)),
        ("reading", "How to read", [_list(how_to_read)]),
    ]
    shown = [(identifier, title, content) for identifier, title, content in sections if content]
    return document(name, _size(analysis), shown, command="untrained report")


def _size(analysis: Analysis) -> Markup:
    """Return the numbers of data sets, frontends, backends and runs as text."""
    counts = [len(set(names)) for names in zip(*analysis.cells, strict=True)] or [0, 0, 0]
    counts.append(sum(len(cell.runs) for cell in analysis.cells.values()))
    kinds = ("data set", "frontend", "backend", "run")
    found = [f"{n} {kind}{'' if n == 1 else 's'}" for n, kind in zip(counts, kinds, strict=True)]
    return element("p", ", ".join(found), class_="kind")


def document(
    name: str,
    size: Markup,
    sections: Sequence[tuple[str, str, Sequence[Markup]]],
    *,
    command: str,
    kind: str = "study",
) -> str:
    """Return a page that contains its style sheet and script.

    Args:
        name: Name of the study.
        size: How large the study is.
        sections: Identifier, title and content of each section.
        command: Command that wrote the page.
        kind: Kind of the study.
    """
    links = [element("li", element("a", title, href=f"#{identifier}")) for identifier, title, _ in sections]
    toggle = element("button", "Dark", type="button", id="scheme", aria_pressed="false", hidden=True)
    body = [
        element("header", element("p", f"untrained {kind}", class_="kind"), element("h1", name), toggle, size),
        element("nav", element("ul", links), aria_label="Sections"),
        element("main", [_section(*each) for each in sections]),
        element("footer", element("p", "Written by ", element("code", command), " from stored results.")),
    ]
    style, script = (Markup((_HERE / file).read_text("utf-8")) for file in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{name}: untrained {kind}"),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    ]
    content = [element("head", head), element("body", body, element("script", script))]
    return f"<!doctype html>\n{element('html', content, lang='en')}\n"


def _section(identifier: str, title: str, content: Sequence[Markup]) -> Markup:
    heading = element("h2", title, id=f"{identifier}-title")
    return element("section", heading, list(content), id=identifier, aria_labelledby=f"{identifier}-title")


def _figures(analysis: Analysis) -> list[Markup]:
    charts = [_figure(dataset, accuracy_chart(analysis, dataset)) for dataset in analysis.datasets]
    said = (
        "Accuracy in per cent. The dashed line marks chance, thin lines are 95 % intervals over clips, and circles are "
        "individual seeds."
    )
    known = any(cell.published is not None for cell in analysis.cells.values())
    more = " Diamonds are published accuracies." if known else ""
    parts = [element("h3", "Accuracy"), element("p", f"{said}{more}", class_="note"), _colours(analysis)]
    parts.append(element("div", charts, class_="charts"))
    for control in dict.fromkeys(name for family in analysis.families for name in family.controls):
        parts += _differences(analysis, control)
    if overall := ranked(analysis.overall):
        said = (
            f"Mean rank over {overall.n_datasets} data sets; 1 is best. A bar joins frontends that are not separable "
            "in the tests over all data sets."
        )
        parts += [element("h3", "Ranks"), element("p", said, class_="note"), _figure("", rank_plot(overall))]
    return parts


def _differences(analysis: Analysis, control: str) -> list[Markup]:
    charts = []
    for dataset in analysis.datasets:
        order = analysis.frontends()
        rows: list[tuple[str, str, int, PairTest]] = []
        for family in analysis.families:
            if family.dataset == dataset:
                colour = analysis.place_of(family.backend)
                several = [family.backend] if len(analysis.backends(dataset)) > 1 else []
                more = ", ".join([*several, *([family.variant] if family.variant else [])])
                rows += [(test.a, more, colour, test) for test in family.controls.get(control, ())]
        if rows:
            rows.sort(key=lambda row: order.index(row[0]))
            label = f"Difference from {control} on {dataset}"
            charts.append(_figure(dataset, difference_chart(label, rows)))
    said = (
        "Accuracy minus the accuracy of the control, in points, with the 95 % interval of each difference before "
        "correction. Filled points are significant after Holm's correction."
    )
    title = element("h3", "Difference from ", element("span", control))
    note = element("p", said, class_="note")
    return [title, note, _colours(analysis), element("div", charts, class_="charts")] if charts else []


def _weights(analysis: Analysis) -> list[Markup]:
    """Return tables of random and trained weights, and charts of what training adds."""
    rows = beside(analysis)
    if not rows:
        return []
    said = "Accuracy of the same frontends with random and with trained weights; * is significant after correction."
    order = analysis.frontends()
    charts = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        tests = [
            (row.frontend, f"minus {other}", index, test)
            for row in rows
            for index, (other, test) in enumerate(row.gains.items())
            if row.dataset == dataset
        ]
        tests.sort(key=lambda each: order.index(each[0]))
        if tests:
            charts.append(_figure(dataset, difference_chart(f"What training adds on {dataset}", tests)))
    added = (
        "Accuracy with trained weights minus the accuracy with others, in points, with the 95 % interval before "
        "correction. Filled points are significant after Holm's correction."
    )
    parts = [element("p", said, class_="note"), table(*beside_rows(rows), "Random and trained weights", numeric=2)]
    if charts:
        parts += [element("h3", "What training adds"), element("p", added, class_="note")]
        parts.append(element("div", charts, class_="charts"))
    return [
        *parts,
        element("h3", "Cost of each accuracy"),
        table(*spent_rows(rows), "Cost of each accuracy", numeric=2),
    ]


def _sentences(texts: Sequence[str]) -> list[Markup]:
    return [element("ul", [element("li", text) for text in texts])] if texts else []


def _classes(folder: Path, analysis: Analysis) -> list[Markup]:
    found = {key: mean_confusion(folder, cell) for key, cell in analysis.cells.items()}
    said = "Mean over seeds. The diagonal of a confusion matrix is the recall of each class."
    return [element("p", said, class_="note"), *class_section(analysis, found)]


def _cost(analysis: Analysis) -> list[Markup]:
    said = (
        "For each backend, a line joins the frontends that are Pareto-optimal in cost and accuracy; their names are in "
        "bold. Names that would overlap are hidden: point at a mark, or move to it with the arrow keys, to see its "
        "name."
    )
    parts = [element("p", said, class_="note"), _colours(analysis)]
    for dataset in analysis.datasets:
        plots = [(name, cost_plot(analysis, dataset, name, of)) for name, of in COSTS.items()]
        figures = [_figure(name, plot) for name, plot in plots if plot is not None]
        if figures:
            parts += [element("h3", dataset), element("div", figures, class_="charts")]
    return [*parts, cost_table(analysis)]


def _search(folder: Path, analysis: Analysis) -> list[Markup]:
    said = (
        "Candidates that the grid search of each backend tried. The search chooses a candidate by these accuracies, "
        "so they are optimistic."
    )
    return [element("p", said, class_="note"), *candidate_tables(folder, analysis)]


def _figure(title: str, drawing: Markup) -> Markup:
    return element("figure", element("figcaption", title) if title else None, drawing)


def _colours(analysis: Analysis) -> Markup:
    """Return a legend of the colours of backends; empty if no data set has several."""
    shown: dict[str, int] = {}
    for dataset in analysis.datasets:
        backends = analysis.backends(dataset)
        shown |= {name: analysis.place_of(name) % N_COLOURS for name in backends if len(backends) > 1}
    entries = [element("span", element("i", class_=f"s{colour}"), f" {name}") for name, colour in shown.items()]
    return element("p", entries, class_="legend") if entries else Markup("")


def _list(markdown: str) -> Markup:
    """Convert a Markdown list, which may contain bold text and code, to HTML."""
    items = [" ".join(item.split()) for item in re.split(r"^- ", markdown, flags=re.MULTILINE)[1:]]
    return element("ul", [element("li", _inline(item)) for item in items])


def _inline(text: str) -> list[object]:
    parts = re.split(r"(\*\*.+?\*\*|`.+?`)", text)
    return [
        element("strong", part.strip("*"))
        if part[:2] == "**"
        else element("code", part[1:-1])
        if part[:1] == "`"
        else part
        for part in parts
    ]


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
