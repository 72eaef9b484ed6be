import pytest
import torch
from tiny_networks import Tiny
from untrained.proxies import DegenerateError
from untrained.proxies.passes import differentiated, maps_in, problem_of_maps, slopes_of


def test_maps_are_a_list_of_tensors():
    layer = torch.zeros(2, 3, 4)
    assert maps_in((layer, layer), 2) == [layer, layer]
    for found in (None, [], layer, [layer.numpy()], [layer[0]], [layer.long()], [layer[0, 0]]):
        with pytest.raises(DegenerateError, match="expected a list of tensors"):
            maps_in(found, 2)


def test_a_clip_shows_what_is_wrong_with_the_maps():
    frontend = Tiny()
    assert problem_of_maps(frontend, 48) is None
    assert problem_of_maps(frontend, 1) is None  # too short, which is reported elsewhere
    frontend.feature_maps = lambda x: None
    assert "feature_maps returns NoneType" in str(problem_of_maps(frontend, 48))


def test_slopes():
    x, unused = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    slope, none = slopes_of(3 * x.sum(), [x, unused])
    assert slope.tolist() == [3, 3]
    assert none is None
    with pytest.raises(DegenerateError, match="b does not reach the output"):
        differentiated(x.sum(), {"a": x, "b": unused})
    changed = x.exp()
    total = changed.sum()
    changed.add_(1)
    with pytest.raises(DegenerateError, match="changes a tensor in place that the gradient needs"):
        slopes_of(total, [x])
