import math

import pytest
import torch
from tiny_networks import Plain, Tiny, with_biases
from untrained.proxies.synflow import SynFlow


@pytest.mark.parametrize("norm", [False, True])
def test_synflow_by_its_definition(value_of, frontend, norm):
    n_axes = frontend.first.weight.ndim - 2
    frontend = with_biases(Tiny(n_axes, norm))
    if norm:
        frontend.norm.running_mean.fill_(3)
        frontend.norm.weight.fill_(0.2)
    plain = Plain(frontend)
    plain.weights = [weight.detach().abs().requires_grad_() for weight in plain.weights]
    plain.biases = [bias.abs() for bias in plain.biases]
    ones = plain.inputs(torch.ones(1, 48, dtype=torch.float64))
    gradients = torch.autograd.grad(plain.logits(ones, norm=1).sum(), plain.weights)
    expected = sum((w.detach() * g).abs().sum().item() for w, g in zip(plain.weights, gradients, strict=True))
    assert value_of(SynFlow(), frontend, [], n_samples=48, n_classes=3).value == pytest.approx(math.log(expected), 1e-9)


def test_synflow_reads_no_data(value_of, frontend, batches):
    values = {value_of(SynFlow(), frontend, given, n_samples=48, n_classes=3).value for given in ([], batches)}
    assert len(values) == 1
    assert values.pop() != value_of(SynFlow(), Tiny(frontend.first.weight.ndim - 2, seed=1), batches).value


def test_synflow_does_not_overflow_in_float32(value_of):
    frontend = Tiny()
    frontend.first.weight.mul_(1e25)
    frontend.second.weight.mul_(1e25)
    found = value_of(SynFlow(), frontend, [], n_samples=48)
    assert math.log(1e38) < found.value < math.log(1e60)
    assert found.reason == ""


def test_synflow_of_a_network_without_paths(value_of, frontend):
    for conv in (frontend.first, frontend.second):
        conv.weight.zero_()
        conv.bias.zero_()
    found = value_of(SynFlow(), frontend, [], n_samples=48)
    assert found.value == -math.inf
    assert "no path from the input reaches the output" in found.reason
