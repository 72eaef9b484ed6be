"""Grammar of audio architectures: eight families, from which a number draws one design.

A design fixes everything except the number of filters, which `drawn_plan` solves for a number of parameters. The draws
use the raw output of PCG64 alone, which NumPy keeps the same in all versions, unlike the methods of its generators.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, TypeVar, get_args

import numpy as np

Family = Literal[
    "vgg", "vertical", "horizontal", "shapes", "sample_level", "frame_level", "frame_level_many", "temporal"
]
Activation = Literal["relu", "elu", "leaky", "gelu"]
Norm = Literal["none", "group", "batch"]
Reduction = Literal["max", "mean"]
Shape = tuple[int, int]
T = TypeVar("T")

FAMILIES: tuple[Family, ...] = get_args(Family)
"""Families in the order that numbers them for the draws."""
WAVEFORMS = ("sample_level", "frame_level", "frame_level_many")
"""Families that read the waveform; the others read a spectrogram."""

N_BANDS = 96
N_SAMPLES = 96_000
"""Length in samples of the clips that a design must fit, 8 s at 12 kHz."""
N_FRAMES = 1 + N_SAMPLES // 256

# Heights in bands, lengths in frames or samples.
VERTICAL = tuple((height, length) for height in (19, 38, 57, 77, 86, 96) for length in (1, 3, 7, 15))
HORIZONTAL = tuple((height, length) for height in (0, 1, 8) for length in (8, 16, 32, 64, 128, 165))
WINDOWS = (16, 32, 64, 128, 256, 512, 1024)
ON_TOP = 7
LEAST_REDUCTION = 500
MOST_REDUCTION = N_SAMPLES // 2


@dataclass(frozen=True)
class Layer:
    """Convolutions of one layer, which run in parallel, and the pooling of their maps.

    Args:
        shapes: Shapes of the filters, (bands, frames) or (1, samples). A height of 0 reads the mean over all bands.
        shares: Number of filters of each shape relative to the other shapes.
        stride: Step between positions along time.
        dilation: Step between the inputs of a filter along time.
        pool: Size of the pooling, (bands, frames) or (1, samples).
    """

    shapes: tuple[Shape, ...]
    shares: tuple[int, ...] = (1,)
    stride: int = 1
    dilation: int = 1
    pool: Shape = (1, 1)


@dataclass(frozen=True)
class Design:
    """Architecture without numbers of filters; equal designs are the same architecture.

    Args:
        family: Family of the grammar.
        layers: Layers in the order in which they run.
        activation: Function after each convolution and norm; `leaky` has a slope of 0.1 below 0.
        norm: Normalisation after each convolution: `group` of all maps of a shape for each clip, or `batch`.
        residual: Whether the input of each layer but the first is added to its output.
        pooling: Statistic of the pooling within the network, over time and over heights.
    """

    family: Family
    layers: tuple[Layer, ...]
    activation: Activation = "relu"
    norm: Norm = "none"
    residual: bool = False
    pooling: Reduction = "max"

    @property
    def reads_waveform(self) -> bool:
        """Whether the input is the waveform rather than a spectrogram."""
        return self.family in WAVEFORMS

    @property
    def is_two_dimensional(self) -> bool:
        """Whether all layers keep the frequency axis; otherwise, the first layer removes it."""
        return self.family == "vgg"


class Dice:
    """Random choices that are the same with every version of NumPy.

    Args:
        key: Integers of 0 or more that determine the choices.
    """

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all of which are equally likely."""
        return options[int(self._bits.random_raw()) % len(options)]  # uneven by less than 1e-15

    def fraction(self) -> float:
        """Return a number from 0 to below 1."""
        return (int(self._bits.random_raw()) >> 11) / 2**53

    def sample(self, options: Sequence[T], n: int) -> list[T]:
        """Return n different options in random order."""
        left = list(options)
        return [left.pop(self.pick(range(len(left)))) for _ in range(n)]


def draw_design(family: Family, design: int) -> Design:
    """Return a design of a family.

    Args:
        family: Family of the grammar.
        design: Number of the design, 0 or more.

    Raises:
        ValueError: The family is unknown, or the number is not an integer of 0 or more.

    Example:
        >>> draw_design("vertical", 0) == draw_design("vertical", 0)
        True
    """
    if not isinstance(family, str) or family not in FAMILIES:
        raise ValueError(f"family={family!r}; expected one of {', '.join(FAMILIES)}")
    if not is_integer(design) or not 0 <= design < 2**63:
        raise ValueError(f"design={design!r}; expected an integer of 0 or more, below 2**63")
    dice = Dice(FAMILIES.index(family), int(design))
    layers = _LAYERS[family](dice)
    activation = dice.pick(get_args(Activation))
    norm = dice.pick(get_args(Norm))
    residual = dice.pick((False, True))
    pooling = dice.pick(get_args(Reduction))
    return Design(
        family,
        layers,
        activation,
        norm,
        # Where they have no effect, the axes have their first value, so that designs are equal if networks are.
        residual and len(layers) > 1,
        pooling if _pools(family, layers) else "max",
    )


def is_integer(value: object) -> bool:
    """Return whether a value is an integer of Python or NumPy; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _pools(family: Family, layers: Sequence[Layer]) -> bool:
    """Return whether a network pools its maps, over time or over the heights at which its filters fit."""
    over_heights = family not in WAVEFORMS and any(height not in (0, N_BANDS) for height, _ in layers[0].shapes)
    return any(layer.pool != (1, 1) for layer in layers) or (over_heights and family != "temporal")


def _vgg(dice: Dice) -> tuple[Layer, ...]:
    depth = dice.pick(range(2, 8))
    kernel = dice.pick(((3, 3), (5, 5), (3, 5), (5, 3)))
    time = _factors(dice, depth, (2, 3, 4, 5), 1, N_FRAMES)
    frequency = _factors(dice, depth, (1, 2, 3, 4), 1, N_BANDS)
    return tuple(Layer((kernel,), pool=pool) for pool in zip(frequency, time, strict=True))


def _vertical(dice: Dice) -> tuple[Layer, ...]:
    return (Layer((dice.pick(VERTICAL),)), *_on_top(dice, range(4)))


def _horizontal(dice: Dice) -> tuple[Layer, ...]:
    return (Layer((dice.pick(HORIZONTAL),)), *_on_top(dice, range(4)))


def _shapes(dice: Dice) -> tuple[Layer, ...]:
    shapes = dice.sample(VERTICAL + HORIZONTAL, dice.pick(range(3, 9)))
    shares = [dice.pick((1, 2, 4)) for _ in shapes]
    # Neither the order of the shapes nor a common factor of their shares changes the network.
    by_shape = sorted(zip(shapes, shares, strict=True))
    factor = math.gcd(*shares)
    first = Layer(tuple(shape for shape, _ in by_shape), tuple(share // factor for _, share in by_shape))
    return (first, *_on_top(dice, range(4)))


def _sample_level(dice: Dice) -> tuple[Layer, ...]:
    depth = dice.pick(range(4, 10))
    kernel = (1, dice.pick((2, 3, 5)))
    stride, *pools = _factors(dice, depth + 1, (2, 3, 4), LEAST_REDUCTION, MOST_REDUCTION)
    return tuple(Layer((kernel,), stride=1 if index else stride, pool=(1, pool)) for index, pool in enumerate(pools))


def _frame_level(dice: Dice) -> tuple[Layer, ...]:
    length = dice.pick((64, 128, 256, 512, 1024))
    stride = length // dice.pick((2, 4, 8, 16))
    return (Layer(((1, length),), stride=stride), *_on_top(dice, range(1, 5)))


def _frame_level_many(dice: Dice) -> tuple[Layer, ...]:
    lengths = sorted(dice.sample(WINDOWS, dice.pick(range(2, 7))))
    first = Layer(tuple((1, length) for length in lengths), (1,) * len(lengths), stride=dice.pick((32, 64, 128)))
    return (first, *_on_top(dice, range(1, 5)))


def _temporal(dice: Dice) -> tuple[Layer, ...]:
    depth = dice.pick(range(1, 7))
    length = dice.pick((1, 3, 5, 9, 15))
    growth, start = dice.pick(((1, 1), (1, 2), (1, 4), (2, 1)))  # the last doubles from layer to layer
    pool = dice.pick((1, 2))
    return tuple(
        Layer(((1, length),), dilation=start * growth**index if length > 1 else 1, pool=(1, pool))
        for index in range(depth)
    )


def _on_top(dice: Dice, numbers: Sequence[int]) -> list[Layer]:
    """Return layers that follow the first one, each pooled by 1 or 2."""
    number, pool = dice.pick(numbers), dice.pick((1, 2))
    return [Layer(((1, ON_TOP),), pool=(1, pool)) for _ in range(number)]


def _factors(dice: Dice, n: int, options: Sequence[int], least: int, most: int) -> list[int]:
    """Return n of the options in random order whose product is within limits."""
    found: list[int] = []
    product = 1
    for left in reversed(range(n)):
        lowest, highest = min(options) ** left, max(options) ** left
        fits = [option for option in options if product * option * lowest <= most]
        fits = [option for option in fits if product * option * highest >= least]
        found.append(dice.pick(fits))
        product *= found[-1]
    return dice.sample(found, n)


_LAYERS: dict[Family, Callable[[Dice], tuple[Layer, ...]]] = {
    "vgg": _vgg,
    "vertical": _vertical,
    "horizontal": _horizontal,
    "shapes": _shapes,
    "sample_level": _sample_level,
    "frame_level": _frame_level,
    "frame_level_many": _frame_level_many,
    "temporal": _temporal,
}
