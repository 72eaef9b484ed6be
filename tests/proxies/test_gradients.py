import math

import numpy as np
import pytest
import torch
from untrained.proxies.gradients import SNIP, GradNorm, ZiCo


def test_grad_norm_is_a_sum_of_norms_of_layers(value_of, frontend, plain, batches):
    norms = [np.sqrt((gradient**2).sum()) for gradient in plain.gradients(batches[0])]
    found = value_of(GradNorm(), frontend, batches)
    assert found.value == pytest.approx(sum(norms), rel=1e-9)
    assert found.value > np.sqrt(np.square(norms).sum())  # the norm of the whole gradient


def test_snip_is_the_gradient_of_a_mask_of_ones(value_of, frontend, plain, batches):
    weights = [weight.detach().numpy() for weight in plain.weights]
    expected = sum(np.abs(w * g).sum() for w, g in zip(weights, plain.gradients(batches[0]), strict=True))
    assert value_of(SNIP(), frontend, batches).value == pytest.approx(expected, rel=1e-9)


def test_zico_by_its_definition(value_of, frontend, plain, batches):
    expected = 0.0
    for layer in zip(*map(plain.gradients, batches), strict=True):
        g = np.stack(layer)
        mean, deviation = np.abs(g).mean(0), np.sqrt(((g - g.mean(0)) ** 2).mean(0))
        expected += math.log((mean[deviation > 0] / deviation[deviation > 0]).sum())
    assert value_of(ZiCo(), frontend, batches).value == pytest.approx(expected, rel=1e-9)


def test_zico_drops_weights_whose_gradient_is_constant(value_of, frontend, plain, batches):
    frontend.first.weight[0], frontend.first.bias[0] = 0, -1  # the first filter never fires
    found = value_of(ZiCo(), frontend, batches)
    assert math.isfinite(found.value)
    assert found.reason == ""


def test_rounding_does_not_decide_which_weights_zico_drops(value_of, frontend, batches):
    frontend.first.weight[0], frontend.first.bias[0] = 0, 0.5  # a feature that is the same for all clips
    frontend.first.weight[1] *= 1e-4  # and one that is nearly the same
    frontend.first.bias[1] = 0.5
    frontend.float()
    in_float32 = value_of(ZiCo(), frontend, [(waveforms.float(), labels) for waveforms, labels in batches])
    in_float64 = value_of(ZiCo(), frontend.double(), batches)
    assert in_float32.value == pytest.approx(in_float64.value, rel=1e-9)


def test_zico_needs_several_batches_that_differ(value_of, frontend, batches):
    found = value_of(ZiCo(), frontend, batches[:1])
    assert math.isnan(found.value)
    assert found.reason == "proxy 'zico' of frontend 'Tiny': it needs two batches of labelled clips or more; 1 is given"
    found = value_of(ZiCo(), frontend, [batches[0], batches[0]])
    assert found.value == -math.inf
    assert "no gradient differs between the batches" in found.reason


@pytest.mark.parametrize("proxy", [GradNorm, SNIP, ZiCo])
def test_labels_matter_and_the_order_of_clips_does_not(value_of, frontend, batches, proxy):
    value = value_of(proxy(), frontend, batches).value
    others = [(waveforms, labels.roll(1)) for waveforms, labels in batches]
    assert value_of(proxy(), frontend, others).value != pytest.approx(value, rel=1e-3)
    turned = [(waveforms.flip(0), labels.flip(0)) for waveforms, labels in batches]
    assert value_of(proxy(), frontend, turned).value == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("proxy", [GradNorm, SNIP, ZiCo])
def test_batches_without_information(value_of, frontend, batches, proxy):
    single = [(waveforms[:1], labels[:1]) for waveforms, labels in batches]
    assert value_of(proxy(), frontend, single).reason.endswith("it needs a batch of two clips or more; 1 is given")
    same = [(waveforms, torch.zeros_like(labels)) for waveforms, labels in batches]
    found = value_of(proxy(), frontend, same, n_classes=3)
    assert math.isnan(found.value)
    assert "all clips of the batch have the same class" in found.reason


def test_dead_maps(value_of, frontend, batches):
    for conv in (frontend.first, frontend.second):
        conv.weight.zero_()
        conv.bias.fill_(-1)
    for proxy, value in ((GradNorm, 0), (SNIP, 0), (ZiCo, -math.inf)):
        found = value_of(proxy(), frontend, batches)
        assert found.value == value
        assert "dead" in found.reason
