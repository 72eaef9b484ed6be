"""Plan of a drawn network: numbers of filters for a wanted number of parameters, costs, and excluded designs."""

import bisect
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .grammar import N_BANDS, N_SAMPLES, Design, Family, Layer, draw_design, is_integer

TOLERANCE = 0.1
"""Largest relative difference between the wanted and the actual number of parameters."""
FEWEST_FEATURES, MOST_FEATURES = 16, 1024
MOST_FLOP = 10 * 10**9
"""Largest number of floating-point operations for a clip of `N_SAMPLES`."""
_HOP = 256  # samples
_SHORTEST = 257  # samples; the reflect padding of a spectrogram needs more than half a window


class Cost(NamedTuple):
    """Cost of a network for one clip.

    Args:
        flop: Floating-point operations of the convolutions, two for each multiply-add.
        n_values: Number of outputs of all convolutions.
    """

    flop: int
    n_values: int


@dataclass(frozen=True)
class Plan:
    """Design with numbers of filters.

    Args:
        design: Architecture.
        n_filters: Number of filters of each shape in each layer.
    """

    design: Design
    n_filters: tuple[tuple[int, ...], ...]

    @property
    def n_features(self) -> int:
        """Number of features, which is the number of maps of all layers."""
        return sum(map(sum, self.n_filters))

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of maps of each layer."""
        return tuple(map(sum, self.n_filters))

    @property
    def in_channels(self) -> tuple[int, ...]:
        """Number of input channels of each layer."""
        return (N_BANDS if self.design.family == "temporal" else 1, *self.widths[:-1])

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases; a norm has a scale and a bias for each map, and replaces other biases."""
        others = 1 if self.design.norm == "none" else 2
        return sum(
            filters * (channels * max(height, 1) * length + others)
            for layer, numbers, channels in zip(self.design.layers, self.n_filters, self.in_channels, strict=True)
            for (height, length), filters in zip(layer.shapes, numbers, strict=True)
        )

    @property
    def min_samples(self) -> int:
        """Length in samples of the shortest clip that leaves no map empty, and no norm with a single position."""
        n, fewest = 1, 1 if self.design.norm == "none" else 2
        for layer in reversed(self.design.layers):
            n = (max(n * layer.pool[1], fewest) - 1) * layer.stride + 1
        return n if self.design.reads_waveform else max(_SHORTEST, (n - 1) * _HOP)

    @property
    def n_bands(self) -> int:
        """Number of bands of the last map, 0 if the pooling leaves none."""
        if not self.design.is_two_dimensional:
            return 1
        return functools.reduce(lambda n, layer: n // layer.pool[0], self.design.layers, N_BANDS)

    @property
    def total_stride(self) -> int:
        """Number of samples or frames of the input for each position of the last map."""
        return math.prod(layer.stride * layer.pool[1] for layer in self.design.layers)

    @property
    def receptive_field(self) -> int:
        """Number of samples or frames of the input that reach one position of the last map."""
        reach, step = 1, 1
        for layer in self.design.layers:
            reach += (max(length for _, length in layer.shapes) - 1) * layer.dilation * step
            step *= layer.stride
            reach += (layer.pool[1] - 1) * step
            step *= layer.pool[1]
        return reach

    @property
    def receptive_bands(self) -> int:
        """Number of bands of the input that reach one position of the last map, 0 for waveforms."""
        if self.design.reads_waveform:
            return 0
        reach, step = 1, 1
        for layer in self.design.layers:
            reach += (layer.shapes[0][0] - 1 + layer.pool[0] - 1) * step
            step *= layer.pool[0]
        return min(reach, N_BANDS) if self.design.is_two_dimensional else N_BANDS

    def cost(self, n_samples: int = N_SAMPLES) -> Cost:
        """Return the cost for a clip of one length.

        Args:
            n_samples: Length of the clip in samples; a shorter clip than `min_samples` is repeated.
        """
        n_samples = max(n_samples, self.min_samples)
        n = n_samples if self.design.reads_waveform else 1 + n_samples // _HOP
        bands, flop, n_values = N_BANDS, 0, 0
        for index, layer in enumerate(self.design.layers):
            n = -(-n // layer.stride)
            for (height, length), filters in zip(layer.shapes, self.n_filters[index], strict=True):
                values = filters * self._heights(index, height, bands) * n
                n_values += values
                flop += 2 * values * self.in_channels[index] * max(height, 1) * length
            n //= layer.pool[1]
            bands //= layer.pool[0]
        return Cost(flop, n_values)

    def _heights(self, index: int, height: int, bands: int) -> int:
        """Return at how many heights the filters of a layer are applied."""
        if self.design.is_two_dimensional:
            return bands
        is_over_bands = index == 0 and not self.design.reads_waveform and self.design.family != "temporal"
        return N_BANDS - height + 1 if is_over_bands and height else 1


def solve(family: Family, design: int, n_parameters: int) -> Plan:
    """Return the plan of a design whose number of parameters is nearest to the wanted one.

    The filters are dealt evenly to the layers, so that numbers of filters of two layers differ by at most one; a layer
    has at least one filter of each of its shapes.

    Args:
        family: Family of the grammar.
        design: Number of the design.
        n_parameters: Wanted number of parameters.

    Raises:
        ValueError: An argument is invalid, no number of filters gives a number of parameters within 10 % of the wanted
            one, or the design is excluded: a map is empty, a clip takes more than 10 GFLOP, or there are fewer than 16
            or more than 1024 features.

    Example:
        >>> solve("vgg", 0, 30_000).n_parameters
        29848
    """
    if not is_integer(n_parameters) or n_parameters < 1:
        raise ValueError(f"n_parameters={n_parameters!r}; expected an integer of 1 or more")
    # The draw refuses arguments such as 1.0 and True, which a cache does not distinguish from 1.
    return _solved(draw_design(family, design), int(n_parameters), f"family {family!r}, design {design}")


@functools.lru_cache(maxsize=1024)
def _solved(design: Design, n_parameters: int, who: str) -> Plan:
    return fit(design, n_parameters, who)


def fit(design: Design, n_parameters: int, who: str) -> Plan:
    """Return the plan of a design whose number of parameters is nearest to the wanted one, see `solve`.

    Args:
        design: Architecture.
        n_parameters: Wanted number of parameters.
        who: Name of the design, for messages.

    Raises:
        ValueError: The number of parameters cannot be reached, or the design is excluded.
    """
    totals = range(FEWEST_FEATURES, MOST_FEATURES + 1)
    plan = functools.cache(lambda total: Plan(design, _deal(design.layers, total)))
    above = bisect.bisect_left(totals, n_parameters, key=lambda total: plan(total).n_parameters)
    candidates = [plan(totals[index]) for index in (above - 1, above) if 0 <= index < len(totals)]
    nearest = min(candidates, key=lambda each: abs(each.n_parameters - n_parameters))
    _refuse_empty(nearest, who)
    advice = "Choose another design or another n_parameters."
    if abs(nearest.n_parameters - n_parameters) > TOLERANCE * n_parameters:
        if 0 < above < len(totals):
            low, high = (each.n_parameters for each in candidates)
            raise ValueError(
                f"{who}: {n_parameters:,} parameters are not possible within 10 %; the nearest numbers are {low:,} and "
                f"{high:,}. {advice}"
            )
        number = f"fewer than {FEWEST_FEATURES}" if above == 0 else f"more than {MOST_FEATURES}"
        raise ValueError(
            f"{who}: {n_parameters:,} parameters need {number} features; with {nearest.n_features} features there are "
            f"{nearest.n_parameters:,}, the nearest number. {advice}"
        )
    if nearest.n_features > MOST_FEATURES:
        raise ValueError(f"{who}: {nearest.n_features} features; at most {MOST_FEATURES} are allowed. {advice}")
    if (flop := nearest.cost().flop) > MOST_FLOP:
        raise ValueError(
            f"{who}: with {n_parameters:,} parameters, a clip of {N_SAMPLES:,} samples takes {flop / 1e9:.1f} GFLOP; "
            f"at most {MOST_FLOP / 1e9:.0f} are allowed. {advice}"
        )
    return nearest


def _refuse_empty(plan: Plan, who: str) -> None:
    """Raise a ValueError if the pooling leaves nothing of a clip of `N_SAMPLES`."""
    if plan.min_samples > N_SAMPLES or plan.n_bands == 0:
        raise ValueError(
            f"{who}: a feature map is empty for a clip of {N_SAMPLES:,} samples, because the network pools more than "
            "its input has. Choose another design."
        )


def _deal(layers: Sequence[Layer], total: int) -> tuple[tuple[int, ...], ...]:
    """Return the number of filters of each shape in each layer for a total number of filters."""
    return tuple(
        _apportion(max(len(layer.shapes), (total + index) // len(layers)), layer.shares)
        for index, layer in enumerate(layers)
    )


def _apportion(n: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Divide n filters by shares, at least one each; with a larger n, no shape has fewer (method of Webster)."""
    if len(shares) == 1:
        return (n,)
    found = [1] * len(shares)
    for _ in range(n - len(shares)):
        index = max(range(len(shares)), key=lambda index: shares[index] / (2 * found[index] + 1))
        found[index] += 1
    return tuple(found)
