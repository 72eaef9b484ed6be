from dataclasses import replace

import pytest
from untrained.studies.rank_analysis.analysis import Condition
from untrained.studies.rank_analysis.statistics import Statistic
from untrained.studies.rank_report.answer import answer, condition_table, headline, limits, rule, terminal_lines
from untrained.studies.rank_report.document import Table, Text


def says(study, text, too_small=""):
    verdict = replace(study.analysis.verdict, text=text, too_small=too_small)
    return replace(study, analysis=replace(study.analysis, verdict=verdict))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("predicts, beyond size", "predicts their rank after training, within families and beyond their size: ρ = 0."),
        ("predicts", "also within families: ρ = 0."),
        ("between families only", "the untrained rank predicts the trained rank overall: ρ = 0."),
        ("between families only", "]. That it does so within families is not shown."),
        ("not shown", "Not shown: ρ = 0."),
    ],
)
def test_each_verdict_is_a_sentence_with_the_headline_and_its_interval(whole, text, said):
    found = headline(says(whole, text))
    rho = whole.analysis.pooled.rho
    assert said in found
    assert f"ρ = {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}]" in found


def test_a_study_that_is_too_small_says_so_first_and_claims_nothing(whole):
    study = says(whole, "predicts, beyond size", "4 architectures in a task; expected 9 or more")
    assert headline(study).startswith("Too small to say whether")
    assert "4 architectures in a task" in headline(study)
    assert "no evidence for or against" in rule(study)
    assert next(terminal_lines(study)) == headline(study)


def test_the_verdict_of_an_unfinished_study_says_how_far_it_is(whole, parts):
    study = parts(lambda record: record.item.arm != "linear")
    done, total = study.progress()
    assert headline(study).startswith(f"So far ({done} of {total} items): ")
    assert next(terminal_lines(study)) == headline(study)
    assert answer(study)[0] == Text(headline(study), "headline")
    small = says(study, "predicts", "4 architectures in a task; expected 9 or more")
    assert f"{total} items): too small to say whether" in headline(small)
    assert "So far" not in headline(whole)


def test_a_study_without_results_says_so(nothing):
    assert headline(nothing).startswith("Nothing is scored yet")
    assert any("0 of 486 items are done" in line for line in terminal_lines(nothing))


def test_the_answer_shows_digest_and_conditions(whole):
    parts = answer(whole)
    assert parts[0] == Text(headline(whole), "headline")
    assert whole.digest in parts[1].text
    assert "Of 24 architectures and 3 reported apart, these have both scores: 24 on task-0" in parts[1].text
    (table,) = (part for part in parts if isinstance(part, Table))
    assert [row[3] for row in table.rows] == ["> 0.5", "> 0", "> 0", "> 0"]


def test_a_condition_without_an_interval_neither_holds_nor_fails(whole):
    values = [Statistic(0.8, 0.6, 0.9), Statistic(0.8, 0.4, 0.9), Statistic(0.8)]
    verdict = replace(whole.analysis.verdict, conditions=[Condition("headline", value, 0.5) for value in values])
    assert [row[-1] for row in condition_table(verdict).rows] == ["yes", "no", "–"]


def test_limits_of_a_study_are_named(whole, nothing, parts):
    said = " ".join(limits(whole))
    assert "The task rhythm was left out of the protocol: with 160 training clips" in said
    assert "1 item failed" in said
    assert "1 item has two results that differ" in said
    assert "Unfinished" not in said
    assert "Unfinished: 0 of 486" in " ".join(limits(nothing))
    one = parts(lambda record: record.item.task == "task-0" or record.item.arm != "trained")
    assert "ρ cannot be estimated on task-1, which the pooled ρ leaves out" in " ".join(limits(one))


def test_the_range_of_sizes_is_a_limit(whole):
    """Rivals such as parameters are weak if all architectures are small, and depth may go along with them."""
    rows = [
        {"name": f"{index}", "apart": False, "flop": flop, "n_parameters": 10**index, "depth": depth}
        for index, (flop, depth) in enumerate([(2.0e6, 4), (1.9e7, 3), (5.0e6, 2), (3.0e6, 1)])
    ]
    rows.append({"name": "4", "apart": True, "flop": 9.0e9, "n_parameters": 10**9, "depth": 9})
    said = " ".join(limits(replace(whole, protocol={**whole.protocol, "architectures": rows})))
    assert "restricted to 2.0 to 19.0 MFLOP and 1 to 1,000 parameters, which weakens these two as rivals" in said
    assert "|ρ| of log10 of parameters and depth is 1.00." in said


def test_results_of_several_versions_of_torch_are_named(whole):
    record = next(iter(whole.known.records.values()))
    records = {**whole.known.records, record.item: replace(record, machine={"torch": "2.5.0"})}
    study = replace(whole, known=replace(whole.known, records=records))
    assert "several versions of torch (2.4.0, 2.5.0)" in " ".join(limits(study))


def test_shared_clips_are_cross_fitted_and_the_report_says_so(shared, whole):
    """The verdict rests on ρ of u and y on different halves of the clips, and names the ρ of all clips beside it."""
    found = shared.analysis.tasks[0]
    assert found.correlations.rho.value == found.cross_fitted.rho
    said = " ".join(limits(shared))
    assert "measured on the same clips" in said
    assert "uses the cross-fitted ρ, which takes each from another half of the clips" in said
    assert f"(task-0: {found.cross_fitted.rho:.2f}, and" in said
    assert f"{found.cross_fitted.plain:.2f} without cross-fitting" in said
    assert f"{found.cross_fitted.rho:.2f}" in headline(shared)
    assert "same clips" not in " ".join(limits(whole))


def test_a_recipe_that_does_not_train_limits_the_verdict(whole):
    task = whole.analysis.tasks[0]
    flags = replace(task.flags, not_trained=["a"] * 9, many_not_trained=True, many_at_grid_end=True)
    analysis = replace(whole.analysis, tasks=[replace(task, flags=flags)])
    said = " ".join(limits(replace(whole, analysis=analysis)))
    assert "9 of 24 networks did not train on task-0" in said
    assert "end of the grid" not in said  # with two rates, every choice is an end
    settings = whole.protocol["settings"]
    three = {**settings, "training": {**settings["training"], "learning_rate": [1, 2, 3]}}
    study = replace(whole, analysis=analysis, protocol={**whole.protocol, "settings": three})
    assert "an end of the grid, which is too narrow" in " ".join(limits(study))
