import math

from untrained.training.estimate import seconds_of_jobs

from .test_jobs import CPU, job


def test_the_estimate_grows_with_the_steps(tmp_path):
    known = [seconds_of_jobs([job(tmp_path, max_steps=steps)], CPU[0]) for steps in (2, 2000)]
    assert known[1] > known[0] + 2


def test_the_estimate_of_a_network_that_fails_is_that_of_writing_its_files(tmp_path):
    broken = job(tmp_path)
    broken.module.with_rate = None
    assert 0 < seconds_of_jobs([broken], CPU[0]) < 5


def test_the_estimate_of_a_network_that_diverges_is_a_number(tmp_path):
    diverging = job(tmp_path)
    diverging.module.frontend.input_scalars = (float("nan"), 1.0)
    assert math.isfinite(seconds_of_jobs([diverging], CPU[0]))
