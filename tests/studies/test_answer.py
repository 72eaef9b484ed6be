import re

import pytest
from untrained.probes.record import OPTIMISTIC
from untrained.studies.analysis import Analysis, Cell
from untrained.studies.answer import answer, leader
from untrained.studies.families import Family
from untrained.studies.findings import ALONE
from untrained.studies.results import Failure
from untrained.studies.significance import Estimate
from untrained.studies.verdict import correct_family, verdict


def text_of(parts):
    return " ".join(re.sub("<[^>]*>", " ", "".join(parts)).split())


@pytest.fixture
def one_table(made):
    """Function that returns the analysis of a table of three frontends with the given differences."""

    def one_table(ab, ac, bc, error=0.02, **changes):
        estimates = {("a", "b"): ab, ("a", "c"): ac, ("b", "c"): bc}
        tests = correct_family({pair: Estimate(value, error) for pair, value in estimates.items()})
        controls = {"c": [test for test in tests if test.b == "c"]}
        family = Family("my copy", "svm", "", "clip-level test", tests, verdict(tests), controls)
        cells = {("my copy", name, "svm"): Cell([made(name, **changes)], 0.45, 0.6) for name in "abc"}
        return Analysis(cells, [family], [], {})

    return one_table


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        (
            (0.1, 0.3, 0.2),
            "a is best on my copy, svm. It leads the runner-up, b, by 10.0 points (corrected p = 5.7e-07).",
        ),
        ((0.01, 0.3, 0.29), "a scores highest on my copy, svm, but one other frontend is not separable from it."),
        (
            (0.01, 0.02, 0.01),
            "No clear winner on my copy, svm: a scores highest. It leads the runner-up, b, by 1.0 points",
        ),
    ],
)
def test_the_headline_states_the_verdict(one_table, differences, said):
    found = text_of(answer(one_table(*differences), [], 0)).replace(" .", ".").replace(" :", ":")
    assert found.startswith(said)


def test_a_card_shows_the_verdict_of_its_table(one_table):
    found = text_of(answer(one_table(0.01, 0.3, 0.29, accuracy_low=0.4), [], 0))
    assert "my copy, svm a 50.0 % 95 % interval 45.0 to 60.0 %; chance 50.0 % Not separable" in found
    assert "Not separable from it b 50.0 Significantly worse c 50.0 Smallest detectable difference" in found
    assert "The interval of a includes chance." in found
    compared = "Compared with the control c , which shows what a network adds to its input, 2 of 2 accuracies are"
    assert f"{compared} significantly higher and 0 significantly lower." in found


def test_missing_runs_are_reported(one_table):
    failure = Failure("my copy", "d", "svm", 0, "d", "ValueError: too loud")
    found = text_of(answer(one_table(0.1, 0.2, 0.1), [failure], 2))
    failed = "1 run failed ; their results are missing from this page."
    assert f"{failed} 2 runs of this study have not finished yet." in found
    assert ALONE not in found
    assert text_of(answer(Analysis({}, [], [], {}), [failure], 0)).startswith("No run has succeeded yet. 1 run failed")


def test_the_reason_is_given_if_no_differences_are_tested(made):
    cell = Cell([made("vgg", accuracy=0.75)], 0.7, 0.8)
    alone = Analysis({("my copy", "vgg", "svm"): cell}, [], [], {})
    assert text_of(answer(alone, [], 0)) == "One result: vgg with svm, 75.0 %."
    chosen = Cell([made("vgg", protocol="study", selected_on_test=True)], 0.7, 0.8)
    found = text_of(answer(Analysis({("my copy", "vgg", "svm"): chosen}, [], [], {}), [], 0))
    assert found.startswith("No differences are tested: the candidates were chosen on the scored clips.")
    optimistic = f"The candidates for my copy were {OPTIMISTIC[2:]}. Their scores are optimistic and are not tested."
    assert optimistic in found


def test_the_headline_names_the_best_frontend_of_the_overall_verdict(analysis):
    (overall,) = analysis.overall
    assert overall.verdict.best in text_of(answer(analysis, [], 0)[:1])
    name, test = leader(overall.verdict, overall.tests)
    assert {name, overall.verdict.best} == {test.a, test.b}
