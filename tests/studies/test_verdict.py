"""Correction of families of tests, and the verdict that follows from them."""

import numpy as np
import pytest
from untrained.studies.significance import Estimate, holm
from untrained.studies.verdict import correct_family, verdict

RNG = np.random.default_rng(1)


def test_a_family_is_corrected_for_its_own_pairs_only():
    estimates = {("a", "b"): Estimate(0.08, 0.03), ("a", "c"): Estimate(0.05, 0.03), ("b", "c"): Estimate(-0.03, 0.03)}
    tests = correct_family(estimates)
    assert [test.p_corrected for test in tests] == holm([estimate.p for estimate in estimates.values()])
    (one,) = correct_family({("a", "c"): estimates["a", "c"]})
    assert one.p_corrected == one.estimate.p < tests[1].p_corrected
    assert one.detectable < tests[1].detectable
    assert correct_family({}) == []


def test_the_detectable_difference_is_found_in_four_of_five_cases():
    """80 % of the draws around this difference have a p-value below the corrected level of ten pairs."""
    test = correct_family({("a", str(i)): Estimate(0.0, 0.03) for i in range(10)})[0]
    drawn = RNG.normal(test.detectable, 0.03, size=4000)
    assert np.mean([Estimate(each, 0.03).p < 0.005 for each in drawn]) == pytest.approx(0.8, abs=0.03)


def test_verdict():
    accuracies = {"vgg": 0.81, "timbral": 0.78, "temporal": 0.36, "mfcc": 0.6}
    names = list(accuracies)
    pairs = {
        (a, b): Estimate(accuracies[a] - accuracies[b], 0.03, these_weights_alone="mfcc" in (a, b))
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    tests = correct_family(pairs)
    found = verdict(tests)
    assert (found.best, found.not_separable, found.worse) == ("vgg", ["timbral"], ["mfcc", "temporal"])
    assert found.these_weights_alone
    assert found.detectable == tests[0].detectable
    with pytest.raises(ValueError, match="5 tests of 4 frontends; expected one test for each pair"):
        verdict(tests[1:])
    with pytest.raises(ValueError, match="0 tests of 0 frontends"):
        verdict([])


def test_the_verdict_corrects_for_all_pairs():
    """A difference of 2.2 standard errors is significant for a single pair, but not for the best of four frontends."""
    names = "abcd"
    pairs = {(a, b): Estimate(0.022 if a == "a" else 0.0, 0.01) for i, a in enumerate(names) for b in names[i + 1 :]}
    assert pairs["a", "b"].p < 0.05
    found = verdict(correct_family(pairs))
    assert (found.best, found.not_separable, found.worse) == ("a", ["b", "c", "d"], [])


def test_a_significantly_better_frontend_is_never_called_worse():
    """Differences on different clips need not add up: b beats a, but a has the largest mean difference."""
    pairs = {("a", "b"): Estimate(-0.1, 0.01), ("a", "c"): Estimate(0.6, 0.01), ("b", "c"): Estimate(0.1, 0.01)}
    found = verdict(correct_family(pairs))
    assert (found.best, found.not_separable, found.worse) == ("a", ["b"], ["c"])
