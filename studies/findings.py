"""What the tests of a study have found: sentences for the terminal, tables for the report and for programs."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from ..escaping import Markdown
from .analysis import Analysis
from .axes import AxisTest
from .families import Family
from .overall import Overall
from .verdict import LEVEL, PairTest, Verdict

COLUMNS = (
    *("family", "dataset", "frontend", "backend", "variant", "a", "b", "difference", "standard_error", "p"),
    *("p_corrected", "n_tests", "detectable", "these_weights_alone", "test"),
)
"""Columns of `comparisons.csv`."""
ALONE = "With one seed, a result concerns the weights that were drawn, and not others."
"""Remark next to a verdict that leaves out the variation over random weights."""
_PAIRED = "clip-level test, paired by clips and seeds"


def summary(analysis: Analysis) -> list[str]:
    """Return a line for the verdict on each table, one for all tables, and what a network adds to each control."""
    lines = [f"{_place(family)}: {_of_family(analysis, family)}" for family in analysis.families if family.tests]
    lines += [f"{_all_tables(overall)}: {verdict_text(overall.verdict)}" for overall in analysis.overall]
    for control in dict.fromkeys(name for family in analysis.families for name in family.controls):
        lines.append(f"difference from {control}, in points (* significant):")
        lines += [
            f"  {_place(family)}: {', '.join(map(_with_mark, family.controls[control]))}"
            for family in analysis.families
            if family.controls.get(control)
        ]
    verdicts = [*(family.verdict for family in analysis.families), *(found.verdict for found in analysis.overall)]
    if any(verdict is not None and verdict.these_weights_alone for verdict in verdicts):
        lines.append(ALONE)
    if analysis.axes:
        lines.append(f"more tests: untrained report FOLDER --along {' | '.join(analysis.axes)}")
    return lines


def verdict_text(verdict: Verdict, accuracies: Mapping[str, float] | None = None) -> str:
    """Return a verdict as a sentence.

    Args:
        verdict: Verdict on frontends.
        accuracies: Accuracies as fractions, shown where they are known.

    Example:
        >>> verdict_text(Verdict("timbral", ["mfcc"], ["vgg"], 0.081, False), {"timbral": 0.663})
        'best: timbral 66.3; not separable from it: mfcc; worse: vgg (smallest detectable difference: 8.1 points)'
    """

    def named(names: Sequence[str]) -> str:
        known = accuracies or {}
        return ", ".join(f"{name} {100 * known[name]:.1f}" if name in known else name for name in names) or "none"

    return (
        f"best: {named([verdict.best])}; not separable from it: {named(verdict.not_separable)}; "
        f"worse: {named(verdict.worse)} (smallest detectable difference: {100 * verdict.detectable:.1f} points)"
    )


def axis_lines(analysis: Analysis, axis: str) -> list[str]:
    """Return a line for each test along an axis, and how many of them are significant."""
    tests = analysis.axes[axis]
    lines = [
        f"  {found.dataset}, {found.frontend}, {found.backend}: {found.test.a} - {found.test.b}: {_points(found.test)}"
        for found in tests
    ]
    n = sum(found.test.is_significant for found in tests)
    return [f"along {axis}, in points (* significant): {n} of {len(tests)} differences are significant", *lines]


def family_tables(family: Family, names: Sequence[str]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return a text, a header and rows for the differences of all pairs, row minus column, in points.

    Args:
        family: Tests of frontends.
        names: Names of the frontends, in the order of the table.
    """
    of = {(test.a, test.b): (test.estimate.difference, test.is_significant) for test in family.tests}
    of |= {(b, a): (-difference, significant) for (a, b), (difference, significant) in of.items()}
    tested = [name for name in names if any(name in pair for pair in of)]
    rows = [[a, *(_bold(*of[a, b]) if (a, b) in of else "" for b in tested)] for a in tested]
    text = (
        f"Row minus column, in points; bold where p < {LEVEL} after Holm's correction for {len(family.tests)} pairs "
        f"({family.method})."
    )
    return [(text, ["", *tested], rows)] if tested else []


def in_points(tests: Sequence[PairTest]) -> dict[str, str]:
    """Return the differences of tests by the first name, in points; bold where they are significant."""
    return {test.a: _bold(test.estimate.difference, test.is_significant) for test in tests}


def axis_table(tests: Sequence[AxisTest]) -> tuple[list[str], list[list[str]]]:
    """Return a header and rows for the tests along an axis."""
    header = ["data set", "frontend", "backend", "a", "b", "a - b (points)", "p, corrected"]
    return header, [
        [
            *(found.dataset, found.frontend, found.backend, found.test.a, found.test.b),
            _bold(found.test.estimate.difference, found.test.is_significant),
            f"{found.test.p_corrected:.3g}",
        ]
        for found in tests
    ]


def comparisons_csv(analysis: Analysis) -> str:
    """Return all tests as CSV, with differences as fractions."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_csv_rows(analysis))
    return text.getvalue()


def _csv_rows(analysis: Analysis) -> Iterator[list[object]]:
    for family in analysis.families:
        place = [family.dataset, "", family.backend, family.variant]
        yield from _numbers(["frontends", *place], family.tests, family.method)
        for control, tests in family.controls.items():
            yield from _numbers([f"control {control}", *place], tests, family.method)
    for overall in analysis.overall:
        yield from _numbers(["overall", "", "", "", overall.variant], overall.tests, "clip-level test")
    for axis, along in analysis.axes.items():
        for found in along:
            place = [axis, found.dataset, found.frontend, found.backend, ""]
            yield from _numbers(place, [found.test], _PAIRED, len(along))


def _numbers(place: Sequence[str], tests: Sequence[PairTest], method: str, n: int = 0) -> Iterator[list[object]]:
    for test in tests:
        found = test.estimate
        numbers = [found.difference, found.standard_error, found.p, test.p_corrected, n or len(tests), test.detectable]
        yield [*place, test.a, test.b, *numbers, found.these_weights_alone, method]


def _of_family(analysis: Analysis, family: Family) -> str:
    if family.verdict is None:
        return "no verdict: some frontends have no clips in common"
    of_table = (cell for cell in analysis.of(family.dataset) if cell.first.backend == family.backend)
    return verdict_text(family.verdict, {cell.first.frontend: cell.accuracy for cell in of_table})


def _place(family: Family) -> str:
    return ", ".join(filter(None, (family.dataset, family.backend, family.variant)))


def _all_tables(overall: Overall) -> str:
    of = "all data sets and backends" if overall.n_datasets > 1 else "all backends"
    return f"over {of}{f', {overall.variant}' if overall.variant else ''}"


def _with_mark(test: PairTest) -> str:
    return f"{test.a} {_points(test)}"


def _points(test: PairTest) -> str:
    return f"{_signed(test.estimate.difference)}{' *' if test.is_significant else ''}"


def _bold(difference: float, significant: bool) -> str:
    return Markdown(f"**{_signed(difference)}**" if significant else _signed(difference))


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.1f}".replace("-0.0", "+0.0")
