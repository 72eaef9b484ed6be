"""The answer of a study, as its page begins with it: which frontend, by how much, and how sure that is."""

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
    """Return the verdict over all tables, that on each table, and what limits them.

    Args:
        analysis: Analysis of the study.
        failures: Runs that ended with an error.
        n_waiting: Number of runs that have not ended yet.
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
        said = "There is no verdict over all tables together, because they have fewer than two frontends in common."
        parts.append(element("p", said, class_="headline small"))
    elif not tables:
        parts.append(element("p", _untested(analysis), class_="headline small"))
    parts += _limits(analysis, failures, n_waiting)
    if tables:
        parts.append(element("div", [_card(analysis, family) for family in tables], class_="cards"))
    return [*parts, *_controls(analysis)]


def leader(verdict: Verdict, tests: Sequence[PairTest]) -> tuple[str, PairTest]:
    """Return the frontend that comes next to the best one, and the test of these two.

    Args:
        verdict: Verdict on frontends.
        tests: Tests of all of their pairs.
    """
    with_best = {
        test.b if test.a == verdict.best else test.a: test for test in tests if verdict.best in (test.a, test.b)
    }
    order = [*verdict.not_separable, *verdict.worse]
    name = min(with_best, key=lambda name: (ahead(verdict.best, with_best[name]), order.index(name)))
    return name, with_best[name]


def ahead(name: str, test: PairTest) -> float:
    """Return by how much a frontend of a pair is better than the other one, as a fraction."""
    return test.estimate.difference if test.a == name else -test.estimate.difference


def _overall(overall: Overall) -> list[Markup]:
    of = f"{overall.n_datasets} data sets" if overall.n_datasets > 1 else "all backends"
    where = f"over {of}{f', {overall.variant}' if overall.variant else ''}"
    return _headline(overall.verdict, overall.tests, where)


def _headline(verdict: Verdict | None, tests: Sequence[PairTest], where: str) -> list[Markup]:
    """Return the answer as a headline and a sentence with its numbers."""
    if verdict is None:
        return []
    name, test = leader(verdict, tests)
    n_close, n_others = len(verdict.not_separable), len(verdict.not_separable) + len(verdict.worse)
    best = element("strong", verdict.best)
    lead = 100 * ahead(verdict.best, test)
    said = f"It leads {name}, the next one, by {lead:.1f} points (corrected p = {test.p_corrected:.2g})."
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
        said += " No frontend is significantly worse than it."
    sure = (
        f"The smallest difference that this study finds in four of five cases is "
        f"{100 * verdict.detectable:.1f} points. 'Not separable' means that a smaller one may exist."
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
        ("Ahead of the next", f"{points(ahead(verdict.best, test))} points over {name} (p = {test.p_corrected:.2g})"),
        ("Not separable from it", _named(verdict.not_separable, cells)),
        ("Significantly worse", _named(verdict.worse, cells)),
        ("Smallest detectable difference", f"{100 * verdict.detectable:.1f} points"),
    ]
    guess = "Its interval includes chance." if best.low <= chance else None
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
    """Return for each control how many differences from it are significant."""
    parts = []
    for control in dict.fromkeys(name for family in analysis.families for name in family.controls):
        tests = [test for family in analysis.families for test in family.controls.get(control, ())]
        if tests:
            better = sum(test.is_significant and test.estimate.difference > 0 for test in tests)
            worse = sum(test.is_significant and test.estimate.difference < 0 for test in tests)
            found = (
                f"{better} of {len(tests)} differences from it are significantly above 0, {worse} significantly below"
            )
            if not better and not worse:
                found = f"none of {len(tests)} differences from it is significant"
            said = f" shows what a network adds to its input: {found}."
            parts.append(element("p", "The control ", element("strong", control), said))
    return parts


def _limits(analysis: Analysis, failures: Sequence[Failure], n_waiting: int) -> list[Markup]:
    """Return warnings of what is missing or does not generalise."""
    said: list[object] = []
    if failures:
        link = element("a", f"{_runs(len(failures))} failed", href="#failures")
        said.append([link, ": their results are missing here."])
    if n_waiting:
        have = "has" if n_waiting == 1 else "have"
        said.append(f"{_runs(n_waiting)} of this study {have} not ended yet.")
    optimistic = sorted({cell.first.dataset for cell in analysis.cells.values() if cell.first.selected_on_test})
    if optimistic:
        remark = OPTIMISTIC.removeprefix(", ")
        said.append(
            f"Scores on {', '.join(optimistic)} are of candidates {remark}: they are optimistic and not tested."
        )
    verdicts = [*(family.verdict for family in analysis.families), *(found.verdict for found in analysis.overall)]
    if any(verdict is not None and verdict.these_weights_alone for verdict in verdicts):
        said.append(ALONE)
    return [element("p", text, class_="warning") for text in said]


def _untested(analysis: Analysis) -> str:
    cells = list(analysis.cells.values())
    if all(cell.first.selected_on_test for cell in cells):
        return "No differences are tested: the protocol chose by the clips that it scores."
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
