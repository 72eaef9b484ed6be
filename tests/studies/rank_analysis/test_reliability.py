"""Reliability over seeds and clips, ceilings, and the correction for attenuation."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from rank_results import made_up
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.ranks import spearman
from untrained.studies.rank_analysis.reliability import attenuation, ceiling, reliability, spearman_brown
from untrained.studies.rank_analysis.statistics import Reliability


def rng():
    return np.random.default_rng(0)


def test_spearman_brown():
    assert spearman_brown(0.6, 2) == pytest.approx(0.75)
    assert spearman_brown(0.5, 1) == 0.5
    assert spearman_brown(-0.2, 2) == 0
    assert np.isnan(spearman_brown(np.nan, 2))


def test_reliability_over_seeds_comes_from_pairs_of_seeds(tasks):
    whole, one = reliability(tasks[0], "trained", rng())
    of_seeds = tasks[0].arms["trained"].right.mean(axis=2)[:80]
    r = np.mean([spearman(of_seeds[:, i], of_seeds[:, j]) for i, j in combinations(range(3), 2)])
    assert one.seeds == pytest.approx(r)
    assert whole.seeds == pytest.approx(3 * r / (1 + 2 * r))


def test_reliability_is_the_correlation_of_replicates():
    """Two halves of a study with twice the clips and seeds are such replicates."""
    expected = {"seeds": [], "clips": [], "both": []}
    found = {"seeds": [], "clips": [], "both": []}
    for seed in range(6):
        double = made_up(n_tasks=1, n_clips=320, n_seeds=4, family_effect=0, seed=seed)
        right = double.tasks[0].right["random"]
        first = right[:, :2, :80].mean(axis=(1, 2))
        expected["seeds"].append(spearman(first, right[:, 2:, :80].mean(axis=(1, 2))))
        expected["clips"].append(spearman(first, right[:, :2, 80:160].mean(axis=(1, 2))))
        expected["both"].append(spearman(first, right[:, 2:, 80:160].mean(axis=(1, 2))))
        clips = np.r_[0:80, 160:240]
        task = double.tasks[0]
        half = replace(
            task,
            labels=task.labels[clips],
            groups=task.groups[clips],
            test_set=task.test_set[clips],
            right={arm: task.right[arm][:, :2, clips] for arm in ("random", "trained")},
        )
        whole, _ = reliability(prepare(replace(double, tasks=[half]), 2, 0)[0], "random", rng())
        for name, values in found.items():
            values.append(getattr(whole, name))
    for name in found:
        assert np.mean(found[name]) == pytest.approx(np.mean(expected[name]), abs=0.035)
    assert np.mean(found["both"]) < min(np.mean(found["seeds"]), np.mean(found["clips"]))


def test_with_one_seed_nothing_is_known_of_seeds():
    task = prepare(made_up(n_tasks=1, n_seeds=1), 40, 0)[0]
    whole, one = reliability(task, "random", rng())
    assert np.isnan([whole.seeds, whole.both, one.seeds, one.both]).all()
    assert 0.8 < whole.clips < 1
    assert whole.clips == pytest.approx(one.clips)
    assert attenuation(task, 0.6, whole, whole, rng()).by == "clips"
    assert np.isnan(ceiling(whole, whole, one).predictor.seeds)


def test_ceilings_are_roots_of_reliabilities():
    found = ceiling(Reliability(0.9, 0.8, 0.7), Reliability(0.9, 0.5, 0.7), Reliability(0.1, 0.2, 0.3))
    assert found.predictor.seeds == pytest.approx(0.9)
    assert found.predictor.clips == pytest.approx(np.sqrt(0.4))
    assert found.noiseless.both == pytest.approx(np.sqrt(0.7))
    assert found.retest.both == 0.3


def test_attenuation_divides_by_the_reliabilities(tasks):
    known = Reliability(0.95, 0.9, 0.81)
    found = attenuation(tasks[0], 0.5, known, replace(known, both=0.55), rng())
    assert found.rho.value == pytest.approx(0.5 / np.sqrt(0.81 * 0.55))
    assert found.unstable
    assert found.by == "both"
    assert found.rho.low < found.rho.value < found.rho.high
    assert not attenuation(tasks[0], 0.5, known, known, rng()).unstable
    assert np.isnan(attenuation(tasks[0], 0.5, replace(known, both=0.0), known, rng()).rho.value)
