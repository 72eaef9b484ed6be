import math
import re

import pytest
import torch
from tiny_networks import Tiny
from untrained import FRONTENDS, PROXIES, Proxy


class Reads(Proxy):
    """Calls a function on the subject."""

    def __init__(self, action, needs=()):
        self.action, self.needs = action, needs

    def compute(self, subject):
        return self.action(subject)


@pytest.mark.parametrize(
    ("action", "needs", "message"),
    [
        (
            lambda subject: subject.batch,
            ("head",),
            "Reads reads batches without a declaration; add 'data' to its needs",
        ),
        (lambda subject: subject.batch.labels, ("data",), "Reads reads labels without a declaration"),
        (lambda subject: subject.head, ("data", "labels"), "Reads reads head without a declaration"),
        (lambda subject: 0, ("label",), r"needs=\('label',\) of Reads; expected a tuple of 'data', 'labels', 'head'"),
        (lambda subject: 0, "data", "needs='data' of Reads; expected a tuple of 'data'"),
    ],
)
def test_what_is_not_declared_is_withheld(value_of, frontend, batches, action, needs, message):
    found = value_of(Reads(action, needs), frontend, batches)
    assert math.isnan(found.value)
    assert re.search(message, found.reason)


def test_gradients_exist_only_if_they_are_declared(value_of, frontend, batches):
    enabled = Reads(lambda subject: float(subject.logits(subject.batch.inputs).requires_grad), ("data", "head"))
    assert value_of(enabled, frontend, batches).value == 0
    enabled.needs = ("data", "head", "backward")
    assert value_of(enabled, frontend, batches).value == 1


@pytest.mark.parametrize("needs", [("data", "head"), ("data", "head", "backward")])
def test_gradients_that_are_not_declared_are_withheld(value_of, frontend, batches, needs):
    def take(subject):
        with torch.enable_grad():
            subject.logits(subject.batch.inputs).sum().backward()
        return 1

    assert ("add 'backward' to its needs" in value_of(Reads(take, needs), frontend, batches).reason) is (len(needs) < 3)

    def circumvent(subject):
        with torch.enable_grad():
            subject.feature_maps(subject.batch.inputs)[0].sum().backward()
        return 1

    assert math.isnan(value_of(Reads(circumvent, needs), frontend, batches).value) is (len(needs) < 3)


def test_a_parametrised_weight_is_named(value_of, batches):
    frontend = Tiny()
    torch.nn.utils.parametrizations.weight_norm(frontend.second)
    reason = value_of(PROXIES.create("snip"), frontend, batches).reason
    assert "second.weight is parametrised, as by weight_norm, so it is no parameter itself" in reason


def test_maps_may_change_their_input(value_of, batches):
    class Changing(Tiny):
        def feature_maps(self, x):
            return super().feature_maps(x.mul_(2))

    class Copying(Tiny):
        def feature_maps(self, x):
            return super().feature_maps(x * 2)

    for name in ("jacob_cov", "zico"):
        changing, copying = (value_of(PROXIES.create(name), cls(), batches) for cls in (Changing, Copying))
        assert changing.value == copying.value
        assert changing.reason == ""


def test_the_copy_has_gradients_in_evaluation_mode_and_the_original_stays(value_of, batches):
    frontend, seen = Tiny(norm=True).double(), []

    def damage(subject):
        seen.append((subject.frontend.training, subject.frontend.first.weight.requires_grad, subject.head.training))
        subject.frontend.first.weight.data.fill_(7)
        subject.batch.inputs.fill_(7)
        return 0

    state, given = frontend.first.weight.clone(), batches[0][0].clone()
    value_of(Reads(damage, ("data", "head", "backward")), frontend, batches)
    assert seen == [(False, True, False)]
    assert torch.equal(frontend.first.weight, state)
    assert not frontend.first.weight.requires_grad
    assert torch.equal(batches[0][0], given)


def test_weights_are_those_of_layers_without_biases(value_of, frontend, batches):
    names = []
    value_of(Reads(lambda subject: names.extend(subject.weights()) or 0, ("head",)), frontend, batches)
    assert names == ["first.weight", "second.weight", "head.1.weight"]


def test_input_scalars_apply_to_the_inputs(value_of, batches):
    frontend = Tiny(2).double()
    mean = Reads(lambda subject: subject.batch.inputs.mean().item(), ("data",))
    before = value_of(mean, frontend, batches).value
    frontend.input_scalars = (1.0, 2.0)
    assert value_of(mean, frontend, batches).value == pytest.approx((before - 1) / 2)


def broken(maps):
    class Broken(Tiny):
        min_samples, embedding_size = 5, 9  # which would be searched for

        def feature_maps(self, x):
            return maps(self, super().feature_maps(x))

    return Broken()


def numbers(of, maps):
    return [layer.detach().numpy() for layer in maps]


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (
            lambda of, maps: [layer.detach() for layer in maps],
            "maps without a gradient; use neither torch.no_grad() nor",
        ),
        (
            lambda of, maps: [maps[0], maps[0][:, :1].expand(-1, 5, -1)],
            "second.weight does not reach the output; use it in feature_maps",
        ),
        (lambda of, maps: [maps[0], of.second(maps[0].detach())], ""),
        (numbers, "feature_maps returns a list with ndarray; expected a list of tensors (batch, n_maps, *positions)"),
        (lambda of, maps: None, "feature_maps returns NoneType; expected a list of tensors"),
        (lambda of, maps: [], "feature_maps returns no maps; expected a list of tensors"),
        (lambda of, maps: maps[0], "feature_maps returns Tensor; expected a list of tensors"),
        (lambda of, maps: [maps[0].mean(0)], "for 1 clips; expected a list of tensors"),
        (
            lambda of, maps: [maps[0], of.second(maps[0].add_(1))],
            "feature_maps changes a tensor in place that the gradient needs",
        ),
        (lambda of, maps: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
@pytest.mark.parametrize("name", ["grad_norm", "synflow"])
def test_feature_maps_that_a_proxy_cannot_use(value_of, batches, maps, message, name):
    found = value_of(PROXIES.create(name), broken(maps), batches)
    assert math.isnan(found.value) is bool(message)
    assert found.reason.startswith(f"proxy {name!r} of frontend 'Broken': ") is bool(message)
    assert message in found.reason


@pytest.mark.parametrize("name", ["grad_norm", "snip", "zico", "synflow", "jacob_cov", "naswot"])
def test_frontends_without_weights_or_maps(value_of, batches, name):
    found = value_of(PROXIES.create(name), FRONTENDS.create("mfcc"), batches)
    assert found.reason == f"proxy {name!r} of frontend 'mfcc': the frontend has no weights"

    class Whole(Tiny):
        embedding_size = 9
        feature_names = [str(number) for number in range(9)]

        def forward(self, waveform):
            return waveform[:, :9]

    assert "overrides forward(), so it has no feature maps" in value_of(PROXIES.create(name), Whole(), batches).reason
