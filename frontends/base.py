"""The contract of a front-end: a frozen, random network from waveforms to embeddings."""

import copy
import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

# Longest input tried when looking for the shortest that works: hours on the meta device cost nothing, minutes on a real
# one do.
_LONGEST_ON_META = 2**27
_LONGEST_ON_CPU = 2**22
# Their parameters start as constants, so that there is nothing to draw.
_CONSTANT_AT_START = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


class FrontEnd(nn.Module):
    """A frozen network with random weights that turns waveforms into embeddings.

    A plug-in writes `__init__`, which sets `representation` and the layers, and `feature_maps`. As soon as the
    outermost `__init__` has returned, the weights are drawn from a generator of their own, frozen, and the module is in
    evaluation mode for good.

    Conventions: a spectrogram front-end reads `(batch, n_mels, n_frames)`, a waveform one `(batch, n_samples)`;
    convolutions are `nn.Conv1d` or `nn.Conv2d`, registered in the order of the layers; 2-D kernels are (frequency,
    time).

    Args:
        seed: Seed of the weights, 0 or more.

    Attributes:
        sample_rate: Rate of the waveforms that it reads, in Hz.
        representation: Module from a waveform `(batch, n_samples)` to what the network reads; runs on the device, in
            float32.
        arguments: The arguments that the front-end was made with, by name, defaults included.
        input: "waveform" or "spectrogram"; where it stands in the table of Pons & Serra's talk, as the next three.
        filters: "minimal", "single" or "many" shapes of filters in the first layer.
        domain_knowledge: Whether knowledge of audio shaped the filters.
        reference: The publication that the architecture stands for.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from untrained.frontends import FrontEnd, LogMel
        >>> class Onebyone(FrontEnd):
        ...     def __init__(self, n_filters: int = 16, *, seed: int = 0) -> None:
        ...         super().__init__(seed=seed)
        ...         self.representation = LogMel()
        ...         self.conv = nn.Conv2d(1, n_filters, 1)
        ...     def feature_maps(self, x):
        ...         return [self.conv(x[:, None]).relu()]
        >>> front_end = Onebyone()
        >>> front_end(torch.zeros(2, 12_000)).shape
        torch.Size([2, 16])
        >>> front_end.min_samples
        257
    """

    sample_rate: int = 12_000
    input: ClassVar[str | None] = None
    filters: ClassVar[str | None] = None
    domain_knowledge: ClassVar[bool | None] = None
    reference: ClassVar[str | None] = None

    representation: nn.Module
    arguments: dict[str, Any]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ValueError(f"seed={seed!r}; expected an integer of 0 or more, below 2**63")
        self.seed = seed

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            # No metaclass: it would hide the signature from the command line.
            cls.__init__ = _finalising(cls.__init__)  # type: ignore[method-assign]

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Feature maps of every layer that contributes to the embedding.

        Args:
            x: The representation of a batch, `(batch, n_mels, n_frames)` or `(batch, n_samples)`.

        Returns:
            One tensor a layer, `(batch, n_maps, *positions)`.
        """
        raise TypeError(f"{type(self).__name__} has no feature_maps(x); define it, or override forward(waveform)")

    def forward(self, waveform: Tensor) -> Tensor:
        """Embeddings of a batch of clips: every feature map averaged over its positions.

        Args:
            waveform: `(batch, n_samples)`; shorter than `min_samples`, it is repeated up to that.

        Returns:
            `(batch, embedding_size)`, float32.
        """
        if waveform.ndim != 2 or waveform.shape[1] == 0:
            raise ValueError(f"waveform has shape {tuple(waveform.shape)}; expected (batch, n_samples), n_samples > 0")
        maps = self.feature_maps(self.represent(repeat_up_to(waveform, self.min_samples)))
        return torch.cat([mean_over_positions(layer) for layer in maps], dim=1)

    def represent(self, waveform: Tensor) -> Tensor:
        """What the network reads, computed in float32 whatever the precision of the network.

        Args:
            waveform: `(batch, n_samples)`.

        Returns:
            The representation, in the network's own precision.
        """
        device = waveform.device.type
        if torch.amp.autocast_mode.is_autocast_available(device):
            with torch.autocast(device, enabled=False):  # float16 overflows on the power of a spectrum
                x = self.representation(waveform.float())
        else:
            x = self.representation(waveform.float())
        weight = next((parameter for _, parameter in self._network_parameters()), None)
        return x if weight is None else x.to(weight.dtype)  # type: ignore[no-any-return]

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; override it for layers other than convolutions and `nn.Linear`.

        Weights are drawn from a normal distribution truncated at two standard deviations, with standard deviation
        sqrt(1.3 * 2 / fan_in), in the order in which the layers were registered; biases are zero (Pons & Serra 2018:
        the He initialiser of TensorFlow 1's contrib).

        Args:
            generator: On the CPU, seeded; draw from nothing else.
        """
        for module in self._drawn():
            weight = module.weight
            deviation = math.sqrt(1.3 * 2 / weight[0].numel())
            drawn = torch.empty(weight.shape)
            nn.init.trunc_normal_(drawn, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)
            with torch.no_grad():
                weight.copy_(drawn)
                if module.bias is not None:
                    module.bias.zero_()

    def train(self, mode: bool = True) -> "FrontEnd":
        """Stay in evaluation mode: a front-end is frozen."""
        return super().train(False)

    @functools.cached_property
    def min_samples(self) -> int:
        """Shortest waveform, in samples, that leaves no feature map empty; shorter input is repeated up to it."""
        return self._sizes[0]

    @functools.cached_property
    def embedding_size(self) -> int:
        """Number of features of an embedding."""
        return sum(self._sizes[1])

    @functools.cached_property
    def feature_names(self) -> list[str]:
        """For every column of an embedding, the layer and the map it is the mean of, as `layer0.map12`."""
        return [f"layer{layer}.map{index}" for layer, n_maps in enumerate(self._sizes[1]) for index in range(n_maps)]

    @functools.cached_property
    def _sizes(self) -> tuple[int, list[int]]:
        """The shortest length and the number of maps of each layer there."""
        try:
            return _shortest(copy.deepcopy(self).to("meta"), torch.device("meta"), _LONGEST_ON_META)
        except Exception:  # an operation without a meta kernel may raise anything; zeros then tell
            try:
                return _shortest(self, torch.device("cpu"), _LONGEST_ON_CPU)
            except AttributeError as error:  # which nn.Module would hide behind a message of its own
                raise RuntimeError(f"{type(self).__name__}.feature_maps failed: {error}") from error

    def _network_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, p) for name, p in self.named_parameters() if not name.startswith("representation.")]

    def _drawn(self) -> list[nn.Conv1d | nn.Conv2d | nn.Linear]:
        return [
            module
            for name, module in self.named_modules()
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear) and name.split(".")[0] != "representation"
        ]

    def _finalise(self) -> None:
        if not hasattr(self, "representation") and type(self).forward is FrontEnd.forward:
            self.representation = nn.Identity()
        if type(self).reset_parameters is FrontEnd.reset_parameters:
            self._refuse_what_nobody_draws()
        self.reset_parameters(torch.Generator().manual_seed(self.seed))
        self.requires_grad_(False)
        self.eval()

    def _refuse_what_nobody_draws(self) -> None:
        drawn = {id(parameter) for module in self._drawn() for parameter in module.parameters(recurse=False)}
        drawn |= {
            id(parameter)
            for module in self.modules()
            if isinstance(module, _CONSTANT_AT_START)
            for parameter in module.parameters(recurse=False)
        }
        left = [name for name, parameter in self._network_parameters() if id(parameter) not in drawn]
        if left:
            raise TypeError(
                f"{type(self).__name__}: nothing draws {', '.join(left)}, so that the seed would not decide them; "
                "override reset_parameters(generator) (an empty one keeps the weights as they are)"
            )


def repeat_up_to(waveform: Tensor, n_samples: int) -> Tensor:
    """Repeat waveforms that are shorter than a length until they have it; leave longer ones as they are.

    Args:
        waveform: `(batch, n)`.
        n_samples: The length at least wanted.

    Returns:
        `(batch, max(n, n_samples))`.
    """
    if waveform.shape[1] >= n_samples:
        return waveform
    return waveform.repeat(1, -(-n_samples // waveform.shape[1]))[:, :n_samples]


def mean_over_positions(layer: Tensor) -> Tensor:
    """Mean of every feature map, in float32.

    Args:
        layer: `(batch, n_maps, *positions)`.

    Returns:
        `(batch, n_maps)`.
    """
    positions = tuple(range(2, layer.ndim))
    return layer.mean(positions, dtype=torch.float32) if positions else layer.float()


def _finalising(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap an `__init__` so that the front-end is finalised once, when the outermost one has returned."""

    @functools.wraps(init)
    def wrapper(self: FrontEnd, *args: Any, **kwargs: Any) -> None:
        outermost = "arguments" not in self.__dict__
        if outermost:
            bound = inspect.signature(init).bind(self, *args, **kwargs)
            bound.apply_defaults()
            given = dict(list(bound.arguments.items())[1:])
            object.__setattr__(self, "arguments", given)
        init(self, *args, **kwargs)
        if outermost:
            self._finalise()

    return wrapper


def _shortest(front_end: FrontEnd, device: torch.device, longest: int) -> tuple[int, list[int]]:
    """Shortest input that works, by doubling and bisection, and the number of maps of each layer."""

    @torch.inference_mode()
    def maps_at(n_samples: int) -> Sequence[Tensor]:
        maps = front_end.feature_maps(front_end.represent(torch.zeros(1, n_samples, device=device)))
        if any(layer.numel() == 0 for layer in maps):
            raise ValueError(f"{type(front_end).__name__}: a feature map is empty for {n_samples} samples")
        return maps

    works = 1
    while True:
        try:
            maps = maps_at(works)
            break
        except Exception:  # whatever a layer raises for too short an input
            if works >= longest:
                raise
            works *= 2
    fails = works // 2
    while works - fails > 1:
        middle = (works + fails) // 2
        try:
            maps, works = maps_at(middle), middle
        except Exception:  # as above: too short
            fails = middle
    return works, [layer.shape[1] for layer in maps]


FrontEnd.__init__ = _finalising(FrontEnd.__init__)  # type: ignore[method-assign]
