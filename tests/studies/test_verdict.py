"""Families of tests and the verdict that follows from them."""

import numpy as np
import pytest
from untrained.studies.clip_test import clip_test, seed_variance
from untrained.studies.significance import Estimate, corrected_t_test, holm
from untrained.studies.verdict import compare_clips, compare_folds, correct_family, verdict

RNG = np.random.default_rng(1)
CORRECT = {
    "vgg": RNG.random((2, 120)) < 0.8,
    "timbral": RNG.random((2, 120)) < 0.75,
    "temporal": RNG.random((3, 120)) < 0.35,
    "mfcc": RNG.random((1, 120)) < 0.6,
}


def test_a_family_is_corrected_over_its_own_pairs():
    everything = compare_clips(CORRECT, deterministic=["mfcc"])
    assert [(test.a, test.b) for test in everything][:2] == [("vgg", "timbral"), ("vgg", "temporal")]
    assert [test.p_corrected for test in everything] == holm([test.estimate.p for test in everything])
    (one,) = compare_clips(CORRECT, [("timbral", "mfcc")], deterministic=["mfcc"])
    (same,) = [test for test in everything if (test.a, test.b) == ("timbral", "mfcc")]
    assert one.estimate == same.estimate  # also the variance over seeds is that of all frontends
    assert one.p_corrected == one.estimate.p < same.p_corrected
    assert one.detectable < same.detectable


def test_the_estimates_are_those_of_the_two_tests():
    seeds = seed_variance([CORRECT["vgg"], CORRECT["timbral"], CORRECT["temporal"]])
    assert seeds is not None
    test = compare_clips(CORRECT, [("vgg", "mfcc")], deterministic=["mfcc"])[0]
    assert test.estimate == clip_test(CORRECT["vgg"], CORRECT["mfcc"], seeds=seeds, deterministic=(False, True))
    assert not test.estimate.these_weights_alone
    alone = {name: table[:1] for name, table in CORRECT.items()}
    assert compare_clips(alone, [("vgg", "mfcc")], deterministic=["mfcc"])[0].estimate.these_weights_alone

    folds = np.arange(120) // 24
    of_folds = (CORRECT["vgg"].mean(0) - CORRECT["mfcc"].mean(0)).reshape(5, 24).mean(1)
    found = compare_folds(CORRECT, folds, [("vgg", "mfcc")])[0].estimate
    expected = corrected_t_test(of_folds, [24] * 5)
    assert (found.difference, found.p) == pytest.approx((expected.difference, expected.p))


def test_the_detectable_difference_is_found_four_times_in_five():
    """Share of draws around it whose p is below the corrected level, of ten pairs."""
    test = correct_family({("a", str(i)): Estimate(0.0, 0.03) for i in range(10)})[0]
    drawn = RNG.normal(test.detectable, 0.03, size=4000)
    assert np.mean([Estimate(each, 0.03).p < 0.005 for each in drawn]) == pytest.approx(0.8, abs=0.03)


def test_verdict():
    accuracies = {name: float(table.mean()) for name, table in CORRECT.items()}
    tests = compare_clips(CORRECT, deterministic=["mfcc"])
    found = verdict(accuracies, tests)
    assert found.best == max(accuracies, key=lambda name: accuracies[name]) == "vgg"
    assert "temporal" in found.worse
    assert "timbral" in found.not_separable
    assert {found.best, *found.worse, *found.not_separable} == set(CORRECT)
    assert not found.these_weights_alone
    with pytest.raises(ValueError, match="needs each of their 6 pairs once"):
        verdict(accuracies, tests[1:])


def test_the_best_is_not_tested_as_if_it_had_been_named():
    """A difference of 2.2 standard errors is significant for one pair, and not for the best of four."""
    names = "abcd"
    pairs = {(a, b): Estimate(0.022 if a == "a" else 0.0, 0.01) for i, a in enumerate(names) for b in names[i + 1 :]}
    assert pairs["a", "b"].p < 0.05
    found = verdict({"a": 0.522, "b": 0.5, "c": 0.5, "d": 0.5}, correct_family(pairs))
    assert (found.best, found.not_separable, found.worse) == ("a", ["b", "c", "d"], [])
