from untrained.training.schedule import factor


def test_the_rate_rises_and_then_falls_to_zero():
    rates = [factor(step, 1000, 0.05) for step in range(1001)]
    assert max(rates) == rates[49] == 1
    assert rates[0] == 0.02
    assert rates[1000] == 0
    assert rates[50:] == sorted(rates[50:], reverse=True)
