"""Document of a report: sections of sentences, tables and figures, which become Markdown and HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...escaping import for_markdown, markdown_table
from ..markup import Markup, element, escape, table

Kind = Literal["headline", "plain", "note", "warning"]


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Args:
        text: Text, which is escaped.
        kind: How prominent it is.
    """

    text: str
    kind: Kind = "plain"


@dataclass(frozen=True)
class Heading:
    """A heading within a section.

    Args:
        text: Text, which is escaped.
    """

    text: str


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        caption: What it shows.
        header: Names of the columns.
        rows: Cells of each row as text; the first cell names the row.
        numeric: Index of the first of the numeric columns; None if there are none.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: int | None = 1


@dataclass(frozen=True)
class Points:
    """A list of sentences.

    Args:
        texts: Sentences, which are escaped.
    """

    texts: Sequence[str]


@dataclass(frozen=True)
class Picture:
    """A figure: a file for Markdown, and charts for HTML.

    Args:
        file: Name of the file.
        title: What it shows.
        charts: Title and chart of each panel.
        legend: Legend of the charts.
        result: What it says, for readers who cannot see it.
    """

    file: str
    title: str
    charts: Sequence[tuple[str, Markup]] = ()
    legend: Markup = field(default_factory=lambda: Markup(""))
    result: str = ""


Part = Text | Heading | Table | Points | Picture


@dataclass(frozen=True)
class Section:
    """A section with a title.

    Args:
        identifier: Name of the section in links.
        title: Title.
        parts: Content; a section without content is not shown.
    """

    identifier: str
    title: str
    parts: Sequence[Part]


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return a document as Markdown."""
    parts = [f"# {for_markdown(title)}\n"]
    for section in sections:
        if section.parts:
            parts += [f"## {for_markdown(section.title)}\n", *map(_markdown, section.parts)]
    return "\n".join(parts)


def _markdown(part: Part) -> str:
    match part:
        case Text(text, kind):
            shown = for_markdown(text)
            return {"headline": f"**{shown}**\n", "warning": f"> {shown}\n"}.get(kind, f"{shown}\n")
        case Heading(text):
            return f"### {for_markdown(text)}\n"
        case Points(texts):
            return "".join(f"- {for_markdown(text)}\n" for text in texts)
        case Picture(file, title, _, _, result):
            return f"![{for_markdown(f'{title} {result}'.strip())}]({file})\n"
        case Table(caption, header, rows, _):
            return f"{for_markdown(caption)}\n\n{markdown_table(header, rows)}"


def as_html(section: Section) -> list[Markup]:
    """Return the content of a section as HTML."""
    return [_html(part) for part in section.parts]


def _html(part: Part) -> Markup:
    match part:
        case Text(text, kind):
            return element("p", text, class_=None if kind == "plain" else kind)
        case Heading(text):
            return element("h3", text)
        case Points(texts):
            return element("ul", [element("li", text) for text in texts])
        case Picture(_, title, charts, legend, _):
            figures = [
                element("figure", element("figcaption", caption) if caption else None, chart)
                for caption, chart in charts
            ]
            note = element("p", title, class_="note")
            return escape([note, legend, element("div", figures, class_="charts")])
        case Table(caption, header, rows, numeric):
            return table(list(header), [list(row) for row in rows], caption, numeric=numeric)
