"""Pairs of architectures: those beyond chance, bands of the difference, and isotonic regression."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from sklearn.isotonic import IsotonicRegression
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.pairs import agreement, isotonic, significant_pairs


def tiny(u, y):
    """Return a task whose accuracies are u and y on 10 clips, with one seed."""
    data = made_up(n_families=len(u), per_family=1, n_tasks=1, n_clips=20, n_seeds=1, arms=())
    right = {arm: np.zeros((len(u), 1, 20)) for arm in ("random", "trained")}
    for arm, first, values in (("random", 0, u), ("trained", 10, y)):
        for index, value in enumerate(values):
            right[arm][index, 0, first : first + round(10 * value)] = 1
    labels = np.array(["a"] * 20)
    return prepare(replace(data, tasks=[replace(data.tasks[0], right=right, labels=labels)]), 400, 0)


def test_bands_count_pairs():
    # Differences of u: 0.1, 0.3, 0.3, 0.2, 0.2, 0; the trained order agrees, agrees, not, agrees, not, tie of u.
    found = agreement(tiny([0.1, 0.2, 0.4, 0.4], [0.1, 0.2, 0.5, 0.0])).bands
    assert [band.n_pairs for band in found] == [1, 0, 0, 1, 4]
    assert found[0].share == 0.5
    assert np.isnan(found[1].share)
    assert found[3].share == 1
    assert found[4].share == 0.5


def test_a_trained_tie_counts_as_half():
    found = agreement(tiny([0.1, 0.2, 0.4, 0.7], [0.2, 0.2, 0.5, 0.7])).bands
    assert found[3].share == 0.5


def test_isotonic_regression_is_sklearns():
    rng = np.random.default_rng(0)
    x, y, weights = rng.integers(0, 30, 200).astype(float), rng.random(200), rng.integers(0, 3, 200).astype(float)
    places = np.linspace(-2, 32, 50)
    expected = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights).predict(places)
    assert isotonic(x, y, weights, places) == pytest.approx(expected)
    assert np.isnan(isotonic(x, y, np.zeros(200), places)).all()


def test_the_probability_increases_inside_its_band(tasks):
    found = agreement(tasks)
    assert (np.diff(found.probability) >= 0).all()
    assert found.probability[0] == pytest.approx(0.5, abs=0.12)
    assert found.probability[-1] > 0.95
    assert (found.low <= found.high).all()
    assert np.mean((found.low <= found.probability) & (found.probability <= found.high)) > 0.9
    shares = [band.share for band in found.bands]
    assert shares[0] < shares[2] < shares[4]
    assert sum(band.n_pairs for band in found.bands) == 2 * 80 * 79 / 2


def test_luck_with_shared_clips_makes_no_agreement():
    found, plain = [], []
    for seed in range(4):
        data = made_up(rho=0.0, n_families=3, shared=True, n_tasks=1, n_clips=40, luck=0.4, family_effect=0, seed=seed)
        task = prepare(data, 8, 0)[0]
        for shares, each in ((task, found), (replace(task, splits=None), plain)):
            bands = [band for band in agreement([shares]).bands if band.n_pairs]
            assert sum(band.n_pairs for band in bands) == pytest.approx(30 * 29 / 2, abs=2)
            each.append(np.average([band.share for band in bands], weights=[band.n_pairs for band in bands]))
    assert np.mean(plain) > np.mean(found) + 0.03
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_pairs_that_differ_by_chance_do_not_count():
    # Of 10 clips, only 0 and 1 against 10 and 9 differ beyond chance; the untrained order of one such pair is a tie.
    found = significant_pairs(tiny([0.1, 0.2, 0.2, 0.9], [0.0, 0.1, 0.9, 1.0])[0])
    assert found.share == pytest.approx(4 / 6)
    assert found.tau == pytest.approx(3 / 4)
    nothing = significant_pairs(tiny([0.1, 0.2, 0.2, 0.9], [0.5, 0.5, 0.5, 0.5])[0])
    assert nothing.share == 0
    assert np.isnan(nothing.tau)


def test_too_few_architectures():
    few = tiny([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert np.isnan(significant_pairs(few[0]).tau)
    assert np.isnan(significant_pairs(few[0]).share)
