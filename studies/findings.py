"""Outcomes of the tests of a study: lines for the terminal, tables for the report, and `comparisons.csv`."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from ..escaping import Markdown
from .analysis import Analysis
from .axes import AxisTest
from .families import Family, Method
from .overall import Overall
from .verdict import LEVEL, PairTest, Verdict
from .weights import HOW_TO_READ, beside, gain_lines

COLUMNS = (
    *("family", "dataset", "frontend", "backend", "variant", "a", "b", "difference", "standard_error", "p"),
    *("p_corrected", "n_tests", "detectable", "these_weights_alone", "test"),
)
"""Columns of `comparisons.csv`."""
ALONE = "With one seed, results apply only to the weights that were drawn, not to other random weights."
"""Remark on a verdict that does not account for the variation over random weights."""
_PAIRED = "clip-level test, paired by clips and seeds"
PROTOCOLS = {
    "holdout": "the candidate is chosen on the validation split, or by cross-validation on the train split if there is "
    "none; it is fitted to the train split and scored on the test split",
    "nested": "each fold is scored with the candidate that was chosen on the other folds",
    "study": "the candidate with the best mean over the folds is reported with this mean, which is optimistic",
}
"""Descriptions of protocols by name."""
_HOW_TO_READ = """\
## How to read this report

- **±** is the standard deviation over seeds. It shows how much the accuracy depends on the random weights. Frontends
  without randomness run once and have no deviation, unless the backend is random.
- **[low, high]** is a 95 % bootstrap interval of the mean accuracy over seeds. It resamples clips, or groups of clips
  if the data set has groups, and shows how much the accuracy depends on the choice of clips.
- **Differences** between frontends are tested clip by clip. The variance of a difference is the sum of two parts. The
  first is the variance over clips, or over groups of clips; in a cross-validation it is multiplied by 1.2, because the
  models of different folds share training clips. The second is the variance over seeds. With one seed the second part
  is unknown: the factor is then 1.5, and the result applies only to the weights that were drawn. The p-values of all
  pairs of a table are corrected together by Holm's method. The smallest detectable difference is the one
  that the test would detect with 80 % power at the corrected level.
- **Minus a control** is the accuracy minus the accuracy of a control, which is a frontend without a network. It shows
  what a network adds to its input. These tests are corrected separately for each control and table.
- **Along** an axis of the study, runs that differ only in this setting are compared, paired by clips and seeds.
- Scores of the protocol `study` are not tested, because their candidates were chosen on the scored clips.
- **Published** accuracies are from Pons & Serra (2018), for about 3500 features. For GTZAN they use a hold-out split.
  For the other two data sets they are the best mean over the folds on which the hyper-parameters were chosen. For
  frame-level frontends, each deep feature map was collapsed to one number.
- The report assumes that the ranking of untrained architectures predicts their ranking after training. It does not test
  this assumption.
"""
_OVER_FOLDS = """\
- **Over folds** (`--test folds`): differences between the frontends of a table, and differences from a control, are
  tested by the corrected t-test over folds of Nadeau & Bengio (2003) instead. The overall verdict and the comparisons
  along axes still test clip by clip.
"""


def summary(analysis: Analysis) -> list[str]:
    """Return lines for the verdict on each table, the overall verdict, and the differences from each control."""
    lines = [f"{_place(family)}: {_of_family(analysis, family)}" for family in analysis.families if family.tests]
    lines += [f"{_all_tables(overall)}: {verdict_text(overall.verdict)}" for overall in analysis.overall]
    for control in dict.fromkeys(name for family in analysis.families for name in family.controls):
        lines.append(f"difference from {control}, in points (* significant):")
        lines += [
            f"  {_place(family)}: {', '.join(map(_with_mark, family.controls[control]))}"
            for family in analysis.families
            if family.controls.get(control)
        ]
    lines += gain_lines(beside(analysis))
    verdicts = [*(family.verdict for family in analysis.families), *(found.verdict for found in analysis.overall)]
    if any(verdict is not None and verdict.these_weights_alone for verdict in verdicts):
        lines.append(ALONE)
    if analysis.axes:
        which = f", where NAME is one of {', '.join(analysis.axes)}" if len(analysis.axes) > 1 else ""
        name = "NAME" if which else next(iter(analysis.axes))
        lines.append(f"More tests: untrained report FOLDER --along {name}{which}")
    return lines


def how_to_read(method: Method, analysis: Analysis) -> str:
    """Return the section of a report that explains its numbers, in Markdown.

    Args:
        method: Test of the differences between frontends in a cross-validation, `clips` or `folds`.
        analysis: Analysis of the study.
    """
    text = _HOW_TO_READ
    if beside(analysis):
        text = f"{text.rpartition('- The report assumes')[0]}{HOW_TO_READ}"
    return f"{text}{_OVER_FOLDS if method == 'folds' else ''}"


def verdict_text(verdict: Verdict, accuracies: Mapping[str, float] | None = None) -> str:
    """Return a verdict as a sentence.

    Args:
        verdict: Verdict on frontends.
        accuracies: Known accuracies as fractions, by frontend; they are added to the names.

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
    """Return a line with the number of significant tests along an axis, and a line for each test."""
    tests = analysis.axes[axis]
    lines = [
        f"  {found.dataset}, {found.frontend}, {found.backend}: {found.test.a} - {found.test.b}: {_points(found.test)}"
        for found in tests
    ]
    n = sum(found.test.is_significant for found in tests)
    return [f"along {axis}, in points (* significant): {n} of {len(tests)} differences are significant", *lines]


def family_tables(family: Family, names: Sequence[str]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return a text, a header and rows for the differences of all pairs, row minus column, in points.

    The list is empty if no pair was tested.

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
    """Return the difference of each test in points, by the name of its first frontend; bold if it is significant."""
    return {test.a: _bold(test.estimate.difference, test.is_significant) for test in tests}


def axis_table(tests: Sequence[AxisTest]) -> tuple[list[str], list[list[str]]]:
    """Return a header and rows for the tests along an axis."""
    header = ["data set", "frontend", "backend", "a", "b", "a - b (points)", "corrected p"]
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
