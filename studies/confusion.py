"""Confusion matrices, averaged over seeds, and their tables on the HTML page of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..probes.record import predictions_file, read_predictions
from ..probes.tensorboard import confusion_shares
from .analysis import Analysis, Cell
from .axes import Key
from .charts import percent
from .markup import Markup, element, embedded, framed

MAX_SHARES = 60_000  # maximum number of non-zero shares embedded in a page (about 0.6 MB)
MAX_RECALLS = 15_000  # maximum number of cells in the tables of recall (about 0.6 MB)


@dataclass(frozen=True)
class Confusion:
    """Mean confusion matrix over the seeds of a cell.

    Args:
        class_names: Names of the classes, in the order of rows and columns.
        shares: Predicted classes (columns) as per cent of each true class (rows), `(n_classes, n_classes)`.
    """

    class_names: Sequence[str]
    shares: NDArray[Any]


def mean_confusion(folder: Path, cell: Cell) -> Confusion:
    """Return the mean confusion matrix over the seeds of a cell, from the predictions of its runs.

    Args:
        folder: Folder of the study.
        cell: Cell of its analysis.

    Raises:
        UsageError: Predictions are missing.
    """
    several = [read_predictions(folder / run.run / predictions_file(run.metric)) for run in cell.runs]
    class_names = sorted({name for each in several for name in (*each.labels, *each.predicted)})
    return Confusion(class_names, np.mean([confusion_shares(each, class_names) for each in several], axis=0))


def class_section(analysis: Analysis, found: Mapping[Key, Confusion]) -> list[Markup]:
    """Return the recall of each class by frontend and the confusion matrices, each with a drop-down list.

    Args:
        analysis: Analysis of the study.
        found: Confusion matrices of the cells of the study.
    """
    return [*_recalls(analysis, found), *_matrices(analysis, found)]


def _recalls(analysis: Analysis, found: Mapping[Key, Confusion]) -> list[Markup]:
    """Return a table of recall for each data set and backend; a drop-down list selects the one to show."""
    tables: list[Markup] = []
    options: list[str] = []
    n_cells = n_left_out = 0
    for dataset, backend in dict.fromkeys((dataset, backend) for dataset, _, backend in found):
        keys = [key for name in analysis.frontends() if (key := (dataset, name, backend)) in found]
        names = sorted({name for key in keys for name in found[key].class_names})
        if n_cells + len(keys) * len(names) > MAX_RECALLS:
            n_left_out += 1
            continue
        n_cells += len(keys) * len(names)
        rows = []
        for key in keys:
            of = dict(zip(found[key].class_names, found[key].shares.diagonal().tolist(), strict=True))
            cells = [_cell(of[name]) if name in of else element("td", "-") for name in names]
            rows.append(element("tr", element("th", key[1], scope="row"), cells))
        place = f"{dataset}, {backend}"
        caption = f"Recall of each class on {place}, in per cent"
        content = element("table", element("caption", caption), _head("frontend", names), element("tbody", rows))
        tables.append(element("div", framed(_heat(content), caption), data_choice=str(len(options))))
        options.append(place)
    parts = [
        element("h3", "Recall of each class"),
        _chooser("recall", "Data set and backend", [("", list(enumerate(options)))]) if len(options) > 1 else None,
        element("div", tables, id="recall"),
        _legend() if tables else None,
    ]
    if n_left_out:
        parts.append(element("p", f"{n_left_out} tables are left out to keep this file small.", class_="note"))
    return [part for part in parts if part is not None]


def _matrices(analysis: Analysis, found: Mapping[Key, Confusion]) -> list[Markup]:
    """Return the matrix of the best cell as a table, and all matrices as data for the drop-down list."""
    order = sorted(found, key=lambda key: -analysis.cells[key].accuracy)
    order.sort(key=lambda key: analysis.datasets.index(key[0]))
    kept: list[Key] = []
    total = 0
    for key in sorted(order, key=lambda key: -analysis.cells[key].accuracy):
        n_classes = len(found[key].class_names)
        n_shares = int(np.count_nonzero(found[key].shares)) + n_classes
        if total + n_shares > MAX_SHARES or n_classes**2 > MAX_SHARES:  # the table also has cells for zero shares
            continue
        total += n_shares
        kept.append(key)
    order = [key for key in order if key in kept]
    groups: dict[str, list[tuple[int, str]]] = {}
    for index, (dataset, frontend, backend) in enumerate(order):
        accuracy = percent(analysis.cells[dataset, frontend, backend].accuracy)
        groups.setdefault(dataset, []).append((index, f"{frontend}, {backend} ({accuracy} %)"))
    lists = list(dict.fromkeys(tuple(found[key].class_names) for key in order))
    data = {
        "classes": lists,
        "cells": [
            [_matrix_caption(key), lists.index(tuple(found[key].class_names)), _sparse(found[key].shares)]
            for key in order
        ],
    }
    said = f"{len(found) - len(order)} matrices are left out to keep this file small."
    left_out = element("p", said, class_="note") if len(order) < len(found) else Markup("")
    if not order:
        return [element("h3", "Confusion matrices"), left_out]
    first = order[0]
    return [
        element("h3", "Confusion matrices"),
        _chooser("confusion", "Frontend and backend", list(groups.items())) if len(order) > 1 else Markup(""),
        element("div", framed(_matrix(first, found[first]), _matrix_caption(first)), id="confusion"),
        _legend(),
        embedded("confusion-data", data),
        left_out,
    ]


def _matrix(key: Key, confusion: Confusion) -> Markup:
    """Return a matrix as a table; page.js builds the same table from the embedded data."""
    rows = [
        element("tr", element("th", name, scope="row"), [_cell(share) for share in shares])
        for name, shares in zip(confusion.class_names, confusion.shares.tolist(), strict=True)
    ]
    caption = element("caption", _matrix_caption(key))
    head = _head("true class \\ predicted", confusion.class_names)
    return _heat(element("table", caption, head, element("tbody", rows)))


def _matrix_caption(key: Key) -> str:
    dataset, frontend, backend = key
    return f"{frontend}, {backend} on {dataset}: per cent of each true class, by predicted class"


def _sparse(shares: NDArray[Any]) -> list[float]:
    """Return non-zero shares as a flat list of pairs: index in the flattened matrix, and per cent."""
    flat = shares.ravel()
    places = np.flatnonzero(flat)
    return [number for place in places for number in (int(place), round(float(flat[place]), 1))]


def _heat(content: Markup) -> Markup:
    return Markup(content.replace("<table>", '<table class="heat">', 1))


def _head(corner: str, names: Sequence[str]) -> Markup:
    columns = [element("th", element("span", name), scope="col") for name in names]
    return element("thead", element("tr", element("th", corner, scope="col", class_="corner"), columns))


def _cell(share: float) -> Markup:
    """Return a table cell; the number in its CSS class is a tenth of the share, rounded up."""
    share = round(share, 1)  # page.js also reads shares of this precision and rounds halves up
    return element("td", str(floor(share + 0.5)) if share else "·", class_=f"h{ceil(share / 10 - 1e-9)}")


def _chooser(name: str, label: str, groups: Sequence[tuple[str, Sequence[tuple[int, str]]]]) -> Markup:
    """Return a drop-down list, which is hidden without JavaScript."""
    of_group = [(group, [element("option", text, value=index) for index, text in options]) for group, options in groups]
    inside = [element("optgroup", options, label=group) if group else options for group, options in of_group]
    select = element("select", inside, id=f"{name}-choice", data_shows=name)
    return element("p", element("label", label, for_=f"{name}-choice"), " ", select, class_="chooser", hidden=True)


def _legend() -> Markup:
    steps = [element("span", class_=f"h{level}") for level in range(1, 11)]
    return element("p", "0 % ", element("span", steps, class_="scale", aria_hidden="true"), " 100 %", class_="legend")
