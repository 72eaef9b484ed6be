import pytest
from untrained import FRONTENDS
from untrained.probes.figures import filters_figure


@pytest.mark.parametrize(
    "name", ["vgg", "timbral", "temporal", "sample_level", "frame_level_many", "logmel_projection"]
)
def test_random_filters_are_drawn(name):
    frontend = FRONTENDS.create(name)
    figure = filters_figure(frontend)
    first = [m for m in frontend.modules() if getattr(m, "in_channels", 0) == 1 and hasattr(m, "kernel_size")]
    assert figure is None if name == "logmel_projection" else len(figure.axes) == len(first)
