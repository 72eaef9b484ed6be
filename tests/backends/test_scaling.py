import numpy as np
import pytest
from untrained.backends import scaling


@pytest.mark.parametrize(("power", "expected"), [(1.0, 2.0), (2.5, 2.5), (4.0, 3.0)])
def test_two_fits_determine_the_growth_of_the_time_within_limits(power, expected, monkeypatch):
    clock = iter([0.0, 1.0, 0.0, 2.0**power])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    X, y = np.zeros((2000, 1)), np.arange(2000) % 2
    found = scaling.seconds_of_fit(lambda X, y: None, X, y, 10_000)
    assert found == pytest.approx((2**power * 10**expected, expected))
