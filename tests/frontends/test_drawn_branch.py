import pytest
import torch
from torch.nn import functional
from untrained.frontends.drawn_branch import Branch
from untrained.frontends.grammar import Design, Layer


def branch(shape, layer, in_channels=3, n_filters=5, n_bands=0, keeps_bands=False, residual=False, **axes):
    made = Branch(Design("vgg", (layer,), **axes), layer, shape, in_channels, n_filters, n_bands, keeps_bands, residual)
    return made.requires_grad_(False).eval()


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("activation", ["relu", "elu", "leaky", "gelu"])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_pooling_follows_the_activation(activation, pooling):
    """A maximum may be taken before a monotonic activation; the values are the same."""
    layer = Layer(((1, 3),), pool=(1, 2))
    made, x = branch((1, 3), layer, activation=activation, pooling=pooling), noise(2, 3, 20)
    pool = functional.max_pool1d if pooling == "max" else functional.avg_pool1d
    act = {"relu": functional.relu, "elu": functional.elu, "gelu": functional.gelu}.get(
        activation, lambda x: functional.leaky_relu(x, 0.1)
    )
    maps = functional.conv1d(x, made.conv.weight, made.conv.bias, padding=1)
    assert torch.allclose(made(x), pool(act(maps), 2), atol=1e-6)


@pytest.mark.parametrize(("length", "stride", "dilation"), [(2, 1, 1), (5, 1, 4), (64, 16, 1), (33, 1, 1), (1, 1, 1)])
def test_positions_are_same_along_time(length, stride, dilation, assert_as_torch):
    layer = Layer(((1, length),), stride=stride, dilation=dilation)
    made, x = branch((1, length), layer, activation="gelu"), noise(2, 3, 90)
    reach = (length - 1) * dilation + 1
    total = max((-(-90 // stride) - 1) * stride + reach - 90, 0)
    padded = functional.pad(x, (total // 2, total - total // 2))
    maps = functional.conv1d(padded, made.conv.weight, made.conv.bias, stride, 0, dilation)
    assert maps.shape[2] == -(-90 // stride)
    assert_as_torch(made(x), functional.gelu(maps))


@pytest.mark.parametrize("norm", ["none", "group", "batch"])
def test_tall_filters_are_pooled_over_all_heights(norm):
    layer = Layer(((19, 8),))
    made, x = branch((19, 8), layer, 1, n_bands=96, norm=norm), noise(2, 1, 96, 30)
    maps = functional.conv2d(functional.pad(x, (3, 4)), made.conv.weight, made.conv.bias)
    if norm == "group":
        maps = functional.group_norm(maps, 1)
    elif norm == "batch":  # the identity until it is calibrated
        maps = maps / (1 + 1e-5) ** 0.5
    assert made(x).shape == (2, 5, 30)
    assert torch.allclose(made(x), maps.relu().amax(2), atol=1e-5)
    assert (made.conv.bias is None) == (norm != "none")


def test_a_height_of_0_reads_the_mean_of_all_bands():
    made, x = branch((0, 7), Layer(((0, 7),)), 1), noise(2, 1, 96, 30)
    assert torch.equal(made(x), made(x.mean(2)))


def test_square_filters_keep_the_bands():
    made = branch((5, 3), Layer(((5, 3),), pool=(3, 2)), n_bands=96, keeps_bands=True, pooling="mean")
    x = noise(2, 3, 12, 9)
    maps = functional.conv2d(x, made.conv.weight, made.conv.bias, padding=(2, 1)).relu()
    assert torch.allclose(made(x), functional.avg_pool2d(maps, (3, 2)), atol=1e-6)


@pytest.mark.parametrize("n_filters", [2, 3, 4])
def test_a_residual_connection_adds_the_maps_that_both_have(n_filters):
    layer = Layer(((1, 7),), pool=(1, 2))
    made, x = branch((1, 7), layer, 3, n_filters, residual=True), noise(2, 3, 20)
    maps = functional.conv1d(x, made.conv.weight, made.conv.bias, padding=3).relu()
    n = min(3, n_filters)
    maps[:, :n] += x[:, :n]
    assert torch.allclose(made(x), functional.max_pool1d(maps, 2), atol=1e-6)
