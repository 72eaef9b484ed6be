"""Networks drawn from a grammar of audio architectures, as a search space."""

import functools

from torch import Tensor, nn

from .base import Frontend
from .convolutions import concatenate
from .drawn_branch import Branch
from .drawn_plan import Plan, solve
from .grammar import N_BANDS, Family
from .lengths import Sizes
from .representations import LogMel, Waveform

_MINIMAL = ("vgg", "sample_level")
_MANY = ("shapes", "frame_level_many")


class Drawn(Frontend):
    """A network drawn at random from a grammar of eight families of audio architectures, of a wanted size.

    The family and the number of the design decide depth, shapes of filters, strides, pooling, activation, norm and
    residual connections. The numbers of filters follow from the number of parameters. The seed draws the weights alone.
    The embedding is the mean of every map of every layer. BatchNorm layers are the identity until `calibrate` sets
    their statistics.

    Args:
        family: Family of the grammar: `vgg`, `vertical`, `horizontal`, `shapes` and `temporal` read a spectrogram,
            `sample_level`, `frame_level` and `frame_level_many` the waveform.
        design: Number of the design within its family, 0 or more.
        n_parameters: Wanted number of parameters of the network, which is met within 10 %.
        seed: Seed of the weights.

    Raises:
        ValueError: An argument is invalid, the design cannot have that number of parameters, or it is excluded: a map
            is empty for a clip of 8 s, which takes more than 10 GFLOP, or the embedding would have fewer than 16 or
            more than 1024 features.

    Example:
        >>> frontend = Drawn("temporal", design=1, n_parameters=10_000)
        >>> frontend.input, frontend.describe(96_000).n_parameters
        ('spectrogram', 9651)
    """

    reference = "grammar of eight families; input and filters depend on the family"

    def __init__(self, family: Family = "vgg", design: int = 0, n_parameters: int = 30_000, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        plan = solve(family, design, n_parameters)
        self.plan = plan
        self.input = "waveform" if plan.design.reads_waveform else "spectrogram"
        self.filters = "minimal" if family in _MINIMAL else "many" if family in _MANY else "single"
        self.domain_knowledge = family not in _MINIMAL
        self.representation = Waveform() if plan.design.reads_waveform else LogMel()
        self.layers = nn.ModuleList(_branches(plan, index) for index in range(len(plan.design.layers)))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the pooled maps of each layer, `(batch, n_maps, n)`, or `(batch, n_maps, n_bands, n)` for `vgg`."""
        h = x if self.plan.design.family == "temporal" else x[:, None]
        maps = []
        for branches in self.layers:
            parallel = [branch(h) for branch in branches]  # type: ignore[attr-defined]
            h = parallel[0] if len(parallel) == 1 else concatenate(parallel)
            maps.append(h)
        return maps

    @functools.cached_property
    def _sizes(self) -> Sizes:
        return Sizes(self.plan.min_samples, self.plan.widths)


def _branches(plan: Plan, index: int) -> nn.ModuleList:
    design, layer = plan.design, plan.design.layers[index]
    reads_bands = not design.reads_waveform and design.family != "temporal" and index == 0
    return nn.ModuleList(
        Branch(
            design,
            layer,
            shape,
            plan.in_channels[index],
            n_filters,
            n_bands=N_BANDS if design.is_two_dimensional or (reads_bands and shape[0]) else 0,
            keeps_bands=design.is_two_dimensional,
            residual=design.residual and index > 0,
        )
        for shape, n_filters in zip(layer.shapes, plan.n_filters[index], strict=True)
    )
