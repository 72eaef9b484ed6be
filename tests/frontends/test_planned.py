"""A planned calibration is recorded in a copy of a frontend."""

from untrained.frontends.planned import Calibration, calibration_of, set_calibration, with_calibration
from untrained.frontends.vgg import VGG


def test_a_calibration_is_planned_for_a_copy():
    frontend = VGG(n_filters=2)
    planned = with_calibration(frontend, Calibration("digest", ("a", "b")))
    assert calibration_of(frontend) is None
    assert calibration_of(planned) == Calibration("digest", ("a", "b"))
    assert calibration_of(planned.with_options(pooling="max")) == calibration_of(planned)
    set_calibration(planned, Calibration("digest", weights="before"))
    assert calibration_of(planned).weights == "before"
