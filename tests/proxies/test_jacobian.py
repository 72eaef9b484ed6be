import math

import numpy as np
import pytest
import torch
from tiny_networks import Tiny, with_biases
from untrained.proxies.jacobian import JacobCov


def test_jacob_cov_by_its_definition(value_of, frontend, plain, batches):
    x = plain.inputs(batches[0][0]).clone().requires_grad_()
    (slopes,) = torch.autograd.grad(plain.logits(x).sum(), x)
    v = np.linalg.eigvalsh(np.corrcoef(slopes.flatten(1).numpy()))
    expected = -np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5))
    assert value_of(JacobCov(), frontend, batches).value == pytest.approx(expected, rel=1e-6)


def test_labels_and_the_scale_of_the_maps_do_not_matter(value_of, frontend, batches):
    value = value_of(JacobCov(), frontend, batches).value
    others = [(waveforms, labels.roll(1)) for waveforms, labels in batches]
    assert value_of(JacobCov(), frontend, others).value == value

    class Louder(Tiny):
        def feature_maps(self, x):
            return [3 * layer for layer in super().feature_maps(x)]

    louder = with_biases(Louder(frontend.first.weight.ndim - 2))
    assert value_of(JacobCov(), louder, batches).value == pytest.approx(value, rel=1e-6)


def test_clips_do_not_mix_in_a_network_with_batch_norm(value_of, batches):
    frontend = with_biases(Tiny(norm=True))
    value = value_of(JacobCov(), frontend, batches).value
    turned = [(waveforms.flip(0), labels.flip(0)) for waveforms, labels in batches]
    assert value_of(JacobCov(), frontend, turned).value == pytest.approx(value, rel=1e-6)


def test_equal_clips_and_single_clips(value_of, frontend, batches):
    (waveforms, labels), _ = batches
    same = value_of(JacobCov(), frontend, [(waveforms[:1].expand(4, -1), labels[:4])])
    assert same.value == pytest.approx(-3e5, rel=0.01)  # minus 1 / k for each of three eigenvalues of 0
    single = value_of(JacobCov(), frontend, [(waveforms[:1], labels[:1])])
    assert math.isnan(single.value)
    assert single.reason == "proxy 'jacob_cov' of frontend 'Tiny': it needs a batch of two clips or more; 1 is given"


def test_dead_maps(value_of, frontend, batches):
    frontend.first.weight.zero_()
    frontend.first.bias.fill_(-1)
    found = value_of(JacobCov(), frontend, batches)
    assert math.isnan(found.value)
    assert "10 of 10 clips have the same slope at all inputs, such as 0 for dead maps" in found.reason
