"""Summary at the top of a study's HTML page: the best frontend, its lead, and the uncertainty of this verdict."""

from collections.abc import Mapping, Sequence

from ..probes.record import OPTIMISTIC
from .analysis import Analysis, Cell
from .charts import percent, points
from .families import Family
from .findings import ALONE
from .markup import Markup, element
from .overall import Overall
from .results import Failure
from .verdict import PairTest, Verdict


def answer(analysis: Analysis, failures: Sequence[Failure], n_waiting: int) -> list[Markup]:
    """Return the overall verdict, the verdict on each table, and warnings about their limits.

    Args:
        analysis: Analysis of the study.
        failures: Runs that ended with an error.
        n_waiting: Number of runs that have not finished yet.
    """
    if not analysis.cells:
        return [element("p", "No run has succeeded yet.", class_="headline"), *_limits(analysis, failures, n_waiting)]
    tables = [family for family in analysis.families if family.tests and family.verdict is not None]
    parts: list[Markup] = []
    for overall in analysis.overall:
        parts += _overall(overall)
    if not analysis.overall and len(tables) == 1:
        parts += _headline(tables[0].verdict, tables[0].tests, f"on {_place(tables[0])}")
    elif not analysis.overall and tables:
        said = "There is no overall verdict, because the tables have fewer than two frontends in common."
        parts.append(element("p", said, class_="headline small"))
    elif not tables:
        parts.append(element("p", _untested(analysis), class_="headline small"))
    parts += _limits(analysis, failures, n_waiting)
    if tables:
        parts.append(element("div", [_card(analysis, family) for family in tables], class_="cards"))
    return [*parts, *_controls(analysis)]


def leader(verdict: Verdict, tests: Sequence[PairTest]) -> tuple[str, PairTest]:
    """Return the runner-up to the best frontend, and the test of this pair.

    Args:
        verdict: Verdict on frontends.
        tests: Tests of all pairs of these frontends.
    """
    with_best = {
        test.b if test.a == verdict.best else test.a: test for test in tests if verdict.best in (test.a, test.b)
    }
    order = [*verdict.not_separable, *verdict.worse]
    name = min(with_best, key=lambda name: (ahead(verdict.best, with_best[name]), order.index(name)))
    return name, with_best[name]


def ahead(name: str, test: PairTest) -> float:
    """Return the lead of a frontend over the other one of a pair, as a fraction; negative if it is worse."""
    return test.estimate.difference if test.a == name else -test.estimate.difference


def _overall(overall: Overall) -> list[Markup]:
    of = f"{overall.n_datasets} data sets" if overall.n_datasets > 1 else "all backends"
    where = f"over {of}{f', {overall.variant}' if overall.variant else ''}"
    return _headline(overall.verdict, overall.tests, where)


def _headline(verdict: Verdict | None, tests: Sequence[PairTest], where: str) -> list[Markup]:
    """Return a verdict as a headline, a sentence with its numbers, and a note on the detectable difference."""
    if verdict is None:
        return []
    name, test = leader(verdict, tests)
    n_close, n_others = len(verdict.not_separable), len(verdict.not_separable) + len(verdict.worse)
    best = element("strong", verdict.best)
    lead = 100 * ahead(verdict.best, test)
    said = f"It leads the runner-up, {name}, by {lead:.1f} points (corrected p = {test.p_corrected:.2g})."
    if not n_close:
        others = "the other frontend" if n_others == 1 else f"each of the {n_others} other frontends"
        headline = element("p", best, f" is best {where}.", class_="headline")
        said += f" It is significantly better than {others}."
    elif verdict.worse:
        are = "one other frontend is" if n_close == 1 else f"{n_close} other frontends are"
        headline = element("p", best, f" scores highest {where}, but {are} not separable from it.", class_="headline")
        said += f" It is significantly better than {', '.join(verdict.worse)}."
    else:
        headline = element("p", "No clear winner ", where, ": ", best, " scores highest.", class_="headline")
        said += " No frontend is significantly worse."
    sure = (
        f"The smallest detectable difference is {100 * verdict.detectable:.1f} points (80 % power). 'Not separable' "
        "does not mean equal, because a smaller difference may exist."
    )
    return [headline, element("p", said), element("p", sure, class_="note")]


def _card(analysis: Analysis, family: Family) -> Markup:
    """Return the verdict on one table."""
    verdict = family.verdict
    assert verdict is not None
    cells = {cell.first.frontend: cell for cell in analysis.of(family.dataset) if cell.first.backend == family.backend}
    best = cells[verdict.best]
    name, test = leader(verdict, family.tests)
    state = "Not separable" if verdict.not_separable else "Clearly best"
    chance = 1 / best.first.n_classes
    rows = [
        ("Lead", f"{points(ahead(verdict.best, test))} points over {name} (corrected p = {test.p_corrected:.2g})"),
        ("Not separable from it", _named(verdict.not_separable, cells)),
        ("Significantly worse", _named(verdict.worse, cells)),
        ("Smallest detectable difference", f"{100 * verdict.detectable:.1f} points"),
    ]
    guess = f"The interval of {verdict.best} includes chance." if best.low <= chance else None
    return element(
        "article",
        element("h3", _place(family)),
        element("p", element("strong", verdict.best), f" {percent(best.accuracy)} %", class_="best"),
        element(
            "p",
            f"95 % interval {percent(best.low)} to {percent(best.high)} %; chance {percent(chance)} %",
            class_="note",
        ),
        element("p", state, class_=f"state {'open' if verdict.not_separable else 'clear'}"),
        element("dl", [element("div", element("dt", term), element("dd", text)) for term, text in rows]),
        element("p", guess, class_="warning") if guess else None,
        class_="card",
    )


def _controls(analysis: Analysis) -> list[Markup]:
    """Return the number of frontends that are significantly better or worse than each control."""
    parts = []
    for control in dict.fromkeys(name for family in analysis.families for name in family.controls):
        tests = [test for family in analysis.families for test in family.controls.get(control, ())]
        if tests:
            better = sum(test.is_significant and test.estimate.difference > 0 for test in tests)
            worse = sum(test.is_significant and test.estimate.difference < 0 for test in tests)
            found = f"{better} of {len(tests)} accuracies are significantly higher and {worse} significantly lower"
            if not better and not worse:
                found = f"none of {len(tests)} accuracies differs significantly"
            said = f", which shows what a network adds to its input, {found}."
            parts.append(element("p", "Compared with the control ", element("strong", control), said))
    return parts


def _limits(analysis: Analysis, failures: Sequence[Failure], n_waiting: int) -> list[Markup]:
    """Return warnings about missing results, and about results that are optimistic or do not generalise."""
    said: list[object] = []
    if failures:
        link = element("a", f"{_runs(len(failures))} failed", href="#failures")
        said.append([link, "; their results are missing from this page."])
    if n_waiting:
        have = "has" if n_waiting == 1 else "have"
        said.append(f"{_runs(n_waiting)} of this study {have} not finished yet.")
    optimistic = sorted({cell.first.dataset for cell in analysis.cells.values() if cell.first.selected_on_test})
    if optimistic:
        remark = OPTIMISTIC.removeprefix(", ")
        said.append(
            f"The candidates for {', '.join(optimistic)} were {remark}. Their scores are optimistic and are not tested."
        )
    verdicts = [*(family.verdict for family in analysis.families), *(found.verdict for found in analysis.overall)]
    if any(verdict is not None and verdict.these_weights_alone for verdict in verdicts):
        said.append(ALONE)
    return [element("p", text, class_="warning") for text in said]


def _untested(analysis: Analysis) -> str:
    cells = list(analysis.cells.values())
    if all(cell.first.selected_on_test for cell in cells):
        return f"No differences are tested: the candidates were {OPTIMISTIC.removeprefix(', ')}."
    if len(cells) == 1:
        first = cells[0]
        return f"One result: {first.first.frontend} with {first.first.backend}, {percent(first.accuracy)} %."
    return "No differences are tested: no table has two frontends that can be compared."


def _named(names: Sequence[str], cells: Mapping[str, Cell]) -> str:
    return ", ".join(f"{name} {percent(cells[name].accuracy)}" for name in names) or "none"


def _place(family: Family) -> str:
    return ", ".join(filter(None, (family.dataset, family.backend, family.variant)))


def _runs(n: int) -> str:
    return "1 run" if n == 1 else f"{n} runs"
