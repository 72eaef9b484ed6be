from dataclasses import replace
from math import nan

import pytest
from untrained.studies.rank_analysis.statistics import Ceiling, Reliability, Statistic
from untrained.studies.rank_report.decision_tables import agreement
from untrained.studies.rank_report.document import Table
from untrained.studies.rank_report.task_tables import (
    contrast_table,
    correlations,
    main_table,
    noise_table,
    sensitivities,
    sensitivity_table,
    specificity,
    stated_ceiling,
    subset_table,
)


def rows_of(table):
    return {row[0]: list(row[1:]) for row in table.rows}


def test_every_table_has_a_cell_for_each_column(whole, shared):
    for analysis in (whole.analysis, shared.analysis):
        tables = [part for part in [*correlations(analysis), sensitivity_table(analysis)] if isinstance(part, Table)]
        assert all(len(row) == len(table.header) for table in tables for row in table.rows)


def test_correlations_are_those_of_the_analysis(whole):
    rows = rows_of(main_table(whole.analysis))
    first, pooled = whole.analysis.tasks[0].correlations, whole.analysis.pooled
    assert rows["architectures"] == ["24", "24", ""]
    assert rows["ρ(u, y)"][0] == f"{first.rho.value:.2f} [{first.rho.low:.2f}, {first.rho.high:.2f}]"
    assert rows["Kendall's τ-b"][2] == f"{pooled.tau:.2f}"
    assert "ρ without cross-fitting (inflated by shared clips)" not in rows


@pytest.mark.parametrize("parts", [correlations, sensitivities, agreement])
def test_numbers_that_shared_clips_inflate_are_named_below_their_table(whole, shared, parts):
    first, second, *_ = parts(shared.analysis)
    assert isinstance(first, Table)
    assert "task-0" in second.text
    assert "not cross-fitted" in second.text
    assert second.text.endswith("and may be too high by shared clips.")
    assert "not cross-fitted" not in str(parts(whole.analysis))


def test_shared_clips_show_the_plain_correlation_too(shared):
    rows = rows_of(main_table(shared.analysis))
    plain = shared.analysis.tasks[0].cross_fitted.plain
    assert rows["ρ without cross-fitting (inflated by shared clips)"] == [f"{plain:.2f}", ""]


def test_one_seed_leaves_ceilings_over_seeds_unknown(shared):
    seeds, clips, both = rows_of(noise_table(shared.analysis))["ceiling for u"][0].split(" / ")
    assert (seeds, both) == ("–", "–")
    assert float(clips) > 0


def test_the_stated_ceiling_allows_for_seeds_if_it_can():
    known, unknown = Reliability(0.9, 0.8, 0.7), Reliability(nan, 0.8, nan)
    assert stated_ceiling(Ceiling(known, known, known)) == (0.7, "seeds and clips")
    assert stated_ceiling(Ceiling(unknown, known, known)) == (0.8, "clips")


def test_inputs_and_families_have_a_row(whole):
    assert {"input waveform", "input spectrogram", "without vgg"} <= set(rows_of(subset_table(whole.analysis)))


def test_the_contrast_of_tasks(whole, shared):
    rho = whole.analysis.contrast.rho
    assert rows_of(contrast_table(whole.analysis))["u on task-0"][1] == f"{rho[0, 1]:.2f}".replace("-0.00", "0.00")
    assert "Specificity to the task: " in specificity(whole.analysis)
    assert specificity(shared.analysis).startswith("With one task")
    unknown = replace(whole.analysis.contrast, specificity=Statistic(nan))
    assert "cannot be estimated" in specificity(replace(whole.analysis, contrast=unknown))


def test_sensitivities_are_described(whole):
    rows = rows_of(sensitivity_table(whole.analysis))
    assert rows["u of embeddings that are not standardized"][-1] == "24, 24"
    assert rows["without networks that did not train"][1] == "0.00"
