"""The whole analysis: a study with a known answer, studies at the limit, and JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from untrained.studies.rank_analysis.analyse import analyse, as_json
from untrained.studies.rank_analysis.analysis import Band
from untrained.studies.rank_analysis.statistics import Statistic


def test_the_known_answer_is_found(analysis):
    """ρ = 0.7 in each of two tasks, without effects of size, and the tasks have nothing in common."""
    assert analysis.verdict.text == "predicts, beyond size"
    assert analysis.verdict.too_small == ""
    assert all(condition.holds for condition in analysis.verdict.conditions)
    rho = analysis.pooled.rho
    assert rho.value == pytest.approx(0.7, abs=0.06)
    assert rho.low < 0.7 < rho.high
    assert [task.correlations.rho.value for task in analysis.tasks] == pytest.approx([0.7, 0.7], abs=0.09)
    # One family is better in both arms, which the ranks within families do not see.
    assert analysis.pooled.within_family.value < rho.value
    assert min(analysis.pooled.without_family.values()) == analysis.pooled.without_family["family-0"]
    assert analysis.contrast.specificity.low > 0.3
    rivals = {rival.name: rival for rival in analysis.rivals}
    assert rivals["naswot"].rho.low > 0.2  # u plus noise
    assert rivals["naswot"].difference.value > 0
    assert rivals["n_parameters"].p_corrected < 1e-3
    assert rho.value < analysis.pooled.ceiling.predictor.both < analysis.pooled.ceiling.noiseless.both < 1
    for task in analysis.tasks:
        assert task.attenuation.rho.value > task.correlations.rho.value
        assert task.significant_pairs.tau > task.correlations.tau
    assert analysis.decisions.regrets[1].points < analysis.decisions.regrets[0].points
    assert analysis.decisions.searches[0].n_within_point["untrained"] < 10


def test_without_a_correlation_nothing_is_shown():
    found = analyse(made_up(rho=0.0, family_effect=0, n_seeds=1, n_clips=100), n_draws=100)
    assert found.verdict.text == "not shown"
    assert found.verdict.too_small == ""
    assert np.isnan(found.pooled.ceiling.predictor.both)


def test_an_effect_of_families_alone_is_not_prediction():
    """Families differ by as much as the networks in a family, whose order untrained says nothing."""
    data = made_up(rho=0.0, family_effect=0, n_clips=240)
    better = (np.arange(80) % 8 / 8)[:, None, None] > np.random.default_rng(0).random((80, 1, 240))
    tasks = [
        replace(task, right={arm: np.where(better, values, 0) for arm, values in task.right.items()})
        for task in data.tasks
    ]
    assert analyse(replace(data, tasks=tasks), n_draws=100).verdict.text == "between families only"


def test_the_same_seed_gives_the_same_analysis():
    data = made_up(n_families=4, per_family=3, n_clips=40)
    first, again, other = (as_json(analyse(data, n_draws=40, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first["pooled"]["rho"]["value"] == other["pooled"]["rho"]["value"]
    assert first["pooled"]["rho"]["low"] != other["pooled"]["rho"]["low"]


def test_every_number_is_in_the_json(analysis):
    text = json.dumps(as_json(analysis), allow_nan=False)
    found = json.loads(text)
    assert found["verdict"]["conditions"][0]["holds"] is True
    assert found["pooled"]["rho"]["value"] == analysis.pooled.rho.value
    assert found["tasks"][0]["scores"]["trained"] == analysis.tasks[0].scores.trained.tolist()
    assert len(found["tasks"][1]["scores"]["untrained"]) == len(found["architectures"]) == 83
    assert sum(found["apart"]) == 3
    zico = next(rival for rival in found["rivals"] if rival["name"] == "zico")
    assert zico["rho"] == {"value": None, "low": None, "high": None, "p": None}
    assert as_json(Statistic(1.0, p=0.5)) == {"value": 1.0, "low": None, "high": None, "p": 0.5}
    assert as_json([Band(20, np.inf, 1.0, 3)]) == [{"low": 20, "high": None, "share": 1.0, "n_pairs": 3}]


def test_architectures_without_a_score_are_listed_and_left_out_of_their_task_alone():
    study = made_up(n_families=4, per_family=3, n_clips=40)
    right = {arm: values.copy() for arm, values in study.tasks[0].right.items()}
    right["trained"][4] = np.nan
    right["random"][7, :, 5] = np.nan
    found = analyse(replace(study, tasks=[replace(study.tasks[0], right=right), study.tasks[1]]), n_draws=50)
    assert found.tasks[0].left_out == ["net-4", "net-7"]
    assert (found.tasks[0].n, found.tasks[1].n) == (10, 12)
    assert found.tasks[1].left_out == []
    assert np.isnan(found.tasks[0].scores.trained[4])
    assert np.isfinite(found.pooled.rho.low)


@pytest.mark.parametrize(
    "options",
    [
        {"n_families": 1, "per_family": 12, "n_tasks": 1, "n_seeds": 1, "shared": True},
        {"n_families": 4, "per_family": 1, "n_tasks": 1},
        {"n_families": 4, "per_family": 1, "n_tasks": 2, "n_seeds": 1, "shared": True},
        {"n_families": 3, "per_family": 1},
        {"n_families": 1, "per_family": 1, "n_tasks": 1, "n_seeds": 1},
    ],
)
def test_a_small_study_is_no_error(options):
    found = analyse(made_up(n_clips=24, **options), n_draws=40)
    json.dumps(as_json(found), allow_nan=False)
    if options["n_families"] * options["per_family"] < 9:
        assert found.verdict.too_small.startswith(f"{found.tasks[0].n} architecture")
    if found.tasks[0].n < 4:
        assert np.isnan(found.pooled.rho.value)
        assert found.verdict.text == "not shown"


def test_constant_scores_are_no_error():
    study = made_up(n_families=4, per_family=3, n_clips=40)
    first = study.tasks[0]
    constant = replace(first, right={**first.right, "trained": np.ones_like(first.right["trained"])})
    found = analyse(replace(study, tasks=[constant, study.tasks[1]]), n_draws=50)
    assert np.isnan(found.tasks[0].correlations.rho.value)
    assert found.pooled.rho.value == found.tasks[1].correlations.rho.value
    assert found.verdict.too_small == "the correlation cannot be estimated on task-0"
    json.dumps(as_json(found), allow_nan=False)
