import math

import numpy as np
import pytest
import torch
from tiny_networks import Tiny, with_biases
from untrained.proxies import codes
from untrained.proxies.codes import NASWOT, agreements


def test_naswot_by_its_definition(value_of, frontend, plain, batches, monkeypatch):
    monkeypatch.setattr(codes, "_POSITIONS", 7)  # several chunks
    K = np.zeros((10, 10))
    for layer in plain.maps(plain.inputs(batches[0][0])):
        c = (layer.detach().flatten(1).numpy() > 0).astype(float)
        K += c @ c.T + (1 - c) @ (1 - c).T
    assert value_of(NASWOT(), frontend, batches).value == pytest.approx(np.linalg.slogdet(K)[1], rel=1e-12)


def test_agreements_are_units_less_hamming_distance():
    layers = [torch.rand(4, n, generator=torch.Generator().manual_seed(0)) > 0.5 for n in (3, 5)]
    n_equal, n_units = agreements(layers)
    joined = torch.cat(layers, dim=1)
    distances = (joined[:, None] != joined[None]).sum(2)
    assert n_units == 8
    assert torch.equal(n_equal, 8.0 - distances)


def test_scale_and_labels_do_not_matter_without_biases(value_of, batches):
    for n_axes in (1, 2):
        frontend = Tiny(n_axes).double()
        assert not frontend.first.bias.any()
        values = {
            value_of(NASWOT(), frontend, [(factor * waveforms, labels)]).value
            for (waveforms, labels), factor in ((batches[0], 1), (batches[0], 8), ((batches[0][0], batches[1][1]), 1))
        }
        assert len(values) == 1
    frontend = with_biases(Tiny())
    assert len({value_of(NASWOT(), frontend, [(f * batches[0][0], batches[0][1])]).value for f in (1, 0.01)}) == 2


def test_equal_codes(value_of, frontend, batches):
    (waveforms, labels), _ = batches
    found = value_of(NASWOT(), frontend, [(torch.cat([waveforms, waveforms[:2]]), torch.cat([labels, labels[:2]]))])
    assert found.value == -math.inf
    assert found.reason.endswith("two clips have equal codes (in all, 4 of 12 clips share their code)")


def test_dead_maps_single_clips_and_maps_that_are_not_finite(value_of, frontend, batches):
    (waveforms, labels), _ = batches
    single = value_of(NASWOT(), frontend, [(waveforms[:1], labels[:1])])
    assert math.isnan(single.value)
    assert "needs a batch of two clips or more" in single.reason
    frontend.first.weight.zero_()
    frontend.first.bias.fill_(-1)
    assert value_of(NASWOT(), frontend, batches).value == -math.inf
    frontend.first.bias.fill_(math.nan)
    assert "a feature map is not finite" in value_of(NASWOT(), frontend, batches).reason
