import math

import pytest
import torch
from untrained.frontends.vgg import VGG

INITS = ["he_truncated", "he_normal", "xavier", "orthogonal", "pytorch"]


@pytest.mark.parametrize(
    ("init", "deviation", "bound"),
    [
        ("he_truncated", 0.8796 * math.sqrt(1.3 * 2 / 576), 2 * math.sqrt(1.3 * 2 / 576)),
        ("he_normal", math.sqrt(2 / 576), math.inf),
        ("xavier", math.sqrt(2 / 1152), math.sqrt(6 / 1152)),
        ("orthogonal", math.sqrt(1 / 576), math.inf),
        ("pytorch", math.sqrt(1 / 576 / 3), math.sqrt(1 / 576)),
    ],
)
def test_weights_follow_their_distribution(init, deviation, bound):
    conv = VGG(n_filters=64).with_options(init=init).convs[1]  # fan-in and fan-out are 576
    assert conv.weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert conv.weight.mean().item() == pytest.approx(0, abs=0.02 * deviation)
    assert conv.weight.abs().max() <= bound
    assert not conv.weight.requires_grad
    if init == "pytorch":
        assert 0.5 * bound < conv.bias.abs().max() <= bound
    else:
        assert (conv.bias == 0).all()


def test_orthogonal_filters():
    convs = VGG(n_filters=64).with_options(init="orthogonal").convs
    wide = convs[1].weight.flatten(1)
    torch.testing.assert_close(wide @ wide.T, torch.eye(64), rtol=0, atol=1e-5)
    tall = convs[0].weight.flatten(1)  # 64 filters of 9 weights
    torch.testing.assert_close(tall.T @ tall, torch.eye(9), rtol=0, atol=1e-5)


@pytest.mark.parametrize("init", INITS)
def test_weights_do_not_depend_on_the_number_of_threads(init):
    n_threads = torch.get_num_threads()
    drawn = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            drawn.append(VGG(n_filters=128, seed=3).with_options(init=init).convs[1].weight)
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(n_threads)
    assert torch.equal(*drawn)
