import pytest
import torch
from torch import nn
from untrained.frontends import allocations
from untrained.frontends.allocations import AllocationError, at_most, refuse_long_input
from untrained.frontends.vgg import VGG


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(10**6, 10**6),
        lambda: torch.arange(10**12),
        lambda: torch.zeros(10, 1).repeat(1, 10**11),
        lambda: torch.ones(10**6, 1) * torch.ones(10**6),
        lambda: [torch.zeros(1000) for _ in range(10**9)],
    ],
    ids=["weights", "numbers", "repeated", "broadcast", "many"],
)
def test_results_beyond_the_limit_are_not_allocated(make):
    with (
        pytest.raises(AllocationError, match=r"a tensor of .* bytes; at most|tensors of more"),
        at_most(10**8, 10**8),
    ):
        make()


def test_a_frontend_is_the_same_with_limits():
    with at_most(2**20, 2**24):
        bounded = VGG(n_filters=4)
    for name, tensor in VGG(n_filters=4).state_dict().items():
        assert torch.equal(bounded.state_dict()[name], tensor)


def test_a_clip_that_does_not_fit_is_refused_without_computing(monkeypatch):
    monkeypatch.setattr(allocations, "machine_memory", lambda: 2**30)
    refuse_long_input(VGG(n_filters=4), 350_000)
    with pytest.raises(AllocationError, match="a tensor of"):
        refuse_long_input(VGG(n_filters=4), 10**8)
    with pytest.raises(AllocationError, match="a waveform of 40,000,000,000 bytes"):
        refuse_long_input(VGG(n_filters=4), 10**10)
