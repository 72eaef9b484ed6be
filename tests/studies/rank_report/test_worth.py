import json
import shutil
from dataclasses import replace

import pytest
from rank_study import write
from untrained.errors import UsageError
from untrained.studies.analysis import Analysis, Cell
from untrained.studies.rank_report.pair_counts import Pair
from untrained.studies.rank_report.worth import CAVEAT, Worth, general, read_worth, worth_lines
from untrained.studies.results import Result

PAIRS = [Pair(20.0, True, 0, 1), Pair(20.0, True, 0, 2), Pair(3.0, False, 1, 2)]
BAND = {"low": [0.4, 0.6, 0.8], "high": [0.6, 0.8, 1.0]}
WORTH = Worth(
    digest="abc",
    tasks=["events"],
    n=[28],
    difference=[0.0, 10.0, 20.0],
    probability=[0.5, 0.7, 0.9],
    **BAND,
    too_small="",
    pairs=PAIRS,
    items=(9, 9, 0),
    shared=[],
)
ONES = replace(WORTH, probability=[0.5, 0.7, 1.0], low=[0.4, 0.6, 1.0])
SELECTED = "These two are no randomly chosen pair, but the best of this table."


def analysis_of(*scores, weights="random"):
    cells = {}
    for name, accuracy, n_parameters in scores:
        values = dict.fromkeys(Result.__dataclass_fields__, 0)
        values |= {"dataset": "mine", "frontend": name, "backend": "svm", "accuracy": accuracy, "weights": weights}
        values |= {"n_parameters": n_parameters, "n_classes": 2}
        cells["mine", name, "svm"] = Cell([Result(**values)], 0, 1)
    return Analysis(cells, [], [], {})


@pytest.mark.parametrize(("points", "p"), [(0, 0.5), (5, 0.6), (10, 0.7), (20, 0.9), (90, 0.9)])
def test_a_probability_between_known_differences_is_interpolated(points, p):
    assert WORTH.at(points) == pytest.approx((p, p - 0.1, p + 0.1))


def test_the_lead_of_the_best_untrained_network_is_rated():
    found = worth_lines(WORTH, analysis_of(("vgg", 0.6, 9), ("timbral", 0.65, 9), ("mfcc", 0.9, 0)))
    assert found[0] == (
        "mine, svm: timbral leads vgg by 5.0 points untrained; of randomly chosen pairs with this difference, the "
        f"better one was still the better one after training with a probability of 60 % [50, 70]. {SELECTED}"
    )
    assert found[1].endswith("(rank study abc: events; 28 architectures).")
    assert found[2] == CAVEAT


@pytest.mark.parametrize(
    ("worth", "best", "beyond"),
    [(WORTH, 0.6, ", more than any of the rank study (20.0 points)"), (ONES, 0.4, "")],
)
def test_a_lead_with_too_few_pairs_for_a_band_has_no_interval(worth, best, beyond):
    """Beyond the data, or where all drawn pairs agree, a band such as [100, 100] would claim a certainty."""
    found = worth_lines(worth, analysis_of(("vgg", 0.2, 9), ("timbral", best, 9)))[0]
    assert found.endswith(
        f"points untrained{beyond}; there, the better one was still the better one after training in all 2 pairs of 3 "
        f"architectures with a difference of 20.0 points or more, too few for an interval. {SELECTED}"
    )
    assert "%" not in found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"items": (7, 9, 0)}, "incomplete: 7 of 9 items are done, so"),
        ({"items": (8, 9, 1)}, "incomplete: 8 of 9 items are done, and 1 item failed, so"),
        ({"shared": ["events"]}, "untrained and trained accuracy share the clips of events. The probabilities take"),
    ],
)
def test_limits_of_the_rank_study_are_said(changed, said):
    study = analysis_of(("vgg", 0.2, 9), ("timbral", 0.3, 9))
    assert said in " ".join(worth_lines(replace(WORTH, **changed), study))
    assert said not in " ".join(worth_lines(WORTH, study))


def test_tables_without_two_untrained_networks_are_not_rated():
    nothing = "No table has two untrained networks to compare."
    assert worth_lines(WORTH, analysis_of(("vgg", 0.2, 9), ("mfcc", 0.6, 0)))[0] == nothing
    assert worth_lines(WORTH, analysis_of(("vgg", 0.2, 9), ("wide", 0.6, 9), weights="trained"))[0] == nothing


def test_differences_in_general():
    said = "the better of two untrained networks was also the better one after training with a probability of "
    assert general(WORTH) == f"{said}54 % at 2 points, 60 % at 5 points, 70 % at 10 points, 90 % at 20 points"
    assert general(ONES) == (
        f"{said}54 % at 2 points, 60 % at 5 points, 70 % at 10 points, and in all 2 pairs of 3 architectures with a "
        "difference of 20.0 points or more"
    )


def test_a_study_that_is_too_small_is_named():
    small = replace(WORTH, too_small="4 architectures in a task; expected 9 or more")
    assert any("too small to say" in line for line in worth_lines(small, analysis_of(("vgg", 0.2, 9))))
    assert small.mark != WORTH.mark


def test_the_numbers_of_a_report_are_read_or_computed(written, made, tmp_path, whole):
    found = read_worth(written[0])
    assert (found.digest, found.n) == (whole.digest, [24, 24])
    assert 0.9 * 2 * 276 < len(found.pairs) <= 2 * 276  # without those that are equal without training
    assert (found.items, found.shared) == ((486, 486, 1), [])
    assert found.probability == pytest.approx(list(whole.analysis.agreement.probability))
    assert read_worth(write(tmp_path / "bare", *made)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "analysis.json cannot be read"),
        ('{"format": 99}', "has format 99, this version reads 1"),
        ('{"format": 1, "analysis": {"agreement": 3}}', "analysis.json is damaged"),
        ('{"format": 1, "analysis": null}', "too few architectures have been scored"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(tmp_path, text, said):
    (tmp_path / "analysis.json").write_text(text)
    with pytest.raises(UsageError, match=said) as raised:
        read_worth(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_rank_study_is_an_error(untrained, study, tmp_path):
    status, out, err = untrained("report", study, "--rank", "nowhere")
    assert (status, out) == (2, "")
    assert "--rank nowhere: no protocol.json in nowhere" in err
    assert "--rank nowhere: no protocol.json" in untrained("compare", "synthetic", "--rank", "nowhere")[2]


def test_compare_and_report_say_what_differences_are_worth(untrained, study, written, tmp_path):
    shutil.copytree(study, tmp_path / "mine", ignore=shutil.ignore_patterns("*.ckpt", "events.*"))
    status, out, _ = untrained("report", "mine", "--rank", written[0])
    assert status == 0
    assert "after training, by a rank study:" in out
    digest = json.loads((written[0] / "analysis.json").read_text())["protocol"]
    for name in ("report.md", "report.html"):
        text = (tmp_path / "mine" / name).read_text("utf-8")
        assert "After training" in text
        assert f"rank study {digest}: task-0, task-1; 24 architectures" in text
        assert CAVEAT in text
    assert "After training" not in (study / "report.md").read_text()
