"""Distributions of random weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn

Init = Literal["he_truncated", "he_normal", "xavier", "orthogonal", "pytorch"]


def draw_parameters(layer: nn.Conv1d | nn.Conv2d | nn.Linear, init: Init, generator: Generator) -> None:
    """Draw the weight of a layer, then its bias, in float32 on the CPU.

    - `he_truncated`: normal with standard deviation sqrt(1.3 * 2 / fan_in), truncated at two standard
      deviations (Pons & Serra 2018: the He initialiser of TensorFlow 1's contrib).
    - `he_normal`: normal with standard deviation sqrt(2 / fan_in) (He et al. 2015, eq. 10).
    - `xavier`: uniform within sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16).
    - `orthogonal`: filters of unit length that are orthogonal to each other; if there are more filters than weights per
      filter, the columns of weights are orthonormal instead (Saxe et al. 2013).
    - `pytorch`: uniform within 1 / sqrt(fan_in), for the bias too (PyTorch's default).

    Except for `pytorch`, biases are zero.

    Args:
        layer: Layer whose parameters are overwritten.
        init: Name of the distribution.
        generator: Generator on the CPU; the only source of random numbers.
    """
    drawn = torch.empty(layer.weight.shape)
    _DRAW[init](drawn, generator)
    with torch.no_grad():
        layer.weight.copy_(drawn)
        if layer.bias is not None:
            layer.bias.zero_()
            if init == "pytorch":
                bound = 1 / math.sqrt(drawn[0].numel())
                layer.bias.copy_(torch.empty(layer.bias.shape).uniform_(-bound, bound, generator=generator))


def _he_truncated(weight: Tensor, generator: Generator) -> None:
    deviation = math.sqrt(1.3 * 2 / weight[0].numel())
    nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)


def _he_normal(weight: Tensor, generator: Generator) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


def _xavier(weight: Tensor, generator: Generator) -> None:
    nn.init.xavier_uniform_(weight, generator=generator)


def _orthogonal(weight: Tensor, generator: Generator) -> None:
    # The last digits of a decomposition depend on the number of threads; the digest of the weights must not.
    with _one_thread():
        nn.init.orthogonal_(weight, generator=generator)


def _pytorch(weight: Tensor, generator: Generator) -> None:
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)


@contextmanager
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


_DRAW: dict[Init, Callable[[Tensor, Generator], None]] = {
    "he_truncated": _he_truncated,
    "he_normal": _he_normal,
    "xavier": _xavier,
    "orthogonal": _orthogonal,
    "pytorch": _pytorch,
}
assert tuple(_DRAW) == get_args(Init)
