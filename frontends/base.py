"""The contract of a frontend: a frozen, random network from waveforms to embeddings."""

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from .initialisers import Init, draw_parameters
from .measure import Description, describe, shortest
from .padding import repeat_up_to
from .pooling import STATISTICS, Pooling, pool
from .weights import drawn_layers, is_put_off, refuse_what_nobody_draws

Layers = list[int] | Literal["all", "last"]


class Options(NamedTuple):
    """What every frontend lets be chosen of it, beside its own arguments.

    Args:
        init: The distribution that the weights are drawn from.
        pooling: How a feature map becomes numbers.
    """

    init: Init = "he_truncated"
    pooling: Pooling = "mean"


class Frontend(nn.Module):
    """A frozen network with random weights that turns waveforms into embeddings.

    A plug-in writes `__init__`, which sets `representation` and the layers, and `feature_maps`. As soon as the
    outermost `__init__` has returned, the weights are drawn from a generator of their own, frozen, and the module is in
    evaluation mode for good.

    Conventions: a spectrogram frontend reads `(batch, n_mels, n_frames)`, a waveform one `(batch, n_samples)`;
    convolutions are `nn.Conv1d` or `nn.Conv2d`, registered in the order of the layers; 2-D kernels are (frequency,
    time).

    Args:
        seed: Seed of the weights, 0 or more.

    Attributes:
        sample_rate: Rate of the waveforms that it reads, in Hz.
        representation: Module from a waveform `(batch, n_samples)` to what the network reads; runs on the device, in
            float32.
        arguments: The arguments that the frontend was made with, by name, defaults included.
        options: Distribution of the weights and pooling of the maps; `with_options` changes them.
        input: "waveform" or "spectrogram"; of the class, optional: where it stands in the table of Pons & Serra's talk,
            as the next three.
        filters: "minimal", "single" or "many" shapes of filters in the first layer.
        domain_knowledge: Whether knowledge of audio shaped the filters.
        reference: The publication that the architecture stands for.
        imports: Of the class: names of arguments that say which module to import; a checkpoint may give them only with
            `--trust`.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from untrained.frontends import Frontend, LogMel
        >>> class Onebyone(Frontend):
        ...     def __init__(self, n_filters: int = 16, *, seed: int = 0) -> None:
        ...         super().__init__(seed=seed)
        ...         self.representation = LogMel()
        ...         self.conv = nn.Conv2d(1, n_filters, 1)
        ...     def feature_maps(self, x):
        ...         return [self.conv(x[:, None]).relu()]
        >>> frontend = Onebyone()
        >>> frontend(torch.zeros(2, 12_000)).shape
        torch.Size([2, 16])
        >>> frontend.min_samples
        257
    """

    sample_rate: int = 12_000
    # No defaults, which would hide layers that a plug-in calls so.
    input: ClassVar[str]
    filters: ClassVar[str]
    domain_knowledge: ClassVar[bool]
    reference: ClassVar[str]
    imports: ClassVar[Sequence[str]] = ()

    representation: nn.Module
    arguments: dict[str, Any]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self._options = Options()
        if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**63:
            raise ValueError(f"seed={seed!r}; expected an integer of 0 or more, below 2**63")
        self.seed: int = int(seed)

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
        """Embeddings of a batch of clips: every feature map pooled over its positions, by default averaged.

        Args:
            waveform: `(batch, n_samples)`; shorter than `min_samples`, it is repeated up to that.

        Returns:
            `(batch, embedding_size)`, float32.
        """
        if waveform.ndim != 2 or waveform.shape[1] == 0:
            raise ValueError(f"waveform has shape {tuple(waveform.shape)}; expected (batch, n_samples), n_samples > 0")
        maps = self.feature_maps(self.represent(repeat_up_to(waveform, self.min_samples)))
        return torch.cat([pool(layer, self.options.pooling) for layer in maps], dim=1)

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
        weight = next((parameter for _, parameter in self.network_parameters()), None)
        return x if weight is None else x.to(weight.dtype)  # type: ignore[no-any-return]

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; override it for layers other than convolutions and `nn.Linear`.

        Weights are drawn in the order in which the layers were registered, by default as Pons & Serra (2018) did:
        `options.init` says from which distribution (see `draw_parameters`).

        Args:
            generator: On the CPU, seeded; draw from nothing else.
        """
        for module in drawn_layers(self):
            draw_parameters(module, self.options.init, generator)

    @property
    def options(self) -> Options:
        """Distribution of the weights and pooling of the maps."""
        return self._options

    def with_options(self, init: Init | None = None, pooling: Pooling | None = None) -> "Frontend":
        """This frontend with its weights drawn or its maps pooled in another way.

        Args:
            init: The distribution that the weights are drawn from; by default they stay as they are.
            pooling: How a feature map becomes numbers; by default as it is.

        Returns:
            A copy, or this very frontend where nothing differs.

        Raises:
            ValueError: There is no such distribution or pooling; or the frontend computes its embeddings without maps,
                or draws its weights in a way of its own.

        Example:
            >>> from untrained.frontends.vgg import VGG
            >>> VGG(n_filters=2).with_options(pooling="mean_std").feature_names[:4]
            ['layer0.map0.mean', 'layer0.map1.mean', 'layer0.map0.std', 'layer0.map1.std']
        """
        wanted = Options(init or self.options.init, pooling or self.options.pooling)
        if wanted == self.options:
            return self
        for name, value, own, choices in zip(
            Options._fields, wanted, self.options, (get_args(Init), get_args(Pooling)), strict=True
        ):
            if value not in choices:
                raise ValueError(f"{name}={value!r}; expected one of {', '.join(choices)}")
            if value != own:
                self._refuse_without_maps(name, value)
        changed = copy.deepcopy(self)
        changed._options = wanted
        for name in ("embedding_size", "feature_names"):
            changed.__dict__.pop(name, None)
            if getattr(type(self), name) is not getattr(Frontend, name):  # stated for another pooling
                changed.__dict__[name] = getattr(Frontend, name).func(changed)
        if wanted.init != self.options.init:
            device = next(iter(self.parameters()), torch.empty(0)).device
            changed.to("cpu")._draw()
            changed.to(device)
            same = map(torch.equal, changed.parameters(), self.parameters())
            if not changed.awaits_weights and all(same):
                raise ValueError(
                    f"{type(self).__name__} draws no weights that init={init!r} could change; leave out init"
                )
        return changed

    def _refuse_without_maps(self, name: str, value: object) -> None:
        """Refuse an option that is about feature maps where there are none.

        Raises:
            ValueError: The frontend overrides `forward`.
        """
        if not self.has_maps:
            raise ValueError(
                f"{type(self).__name__} overrides forward() instead of giving feature maps, so that {name}={value!r} "
                f"does not apply to it; leave out {name}"
            )

    @property
    def has_maps(self) -> bool:
        """Whether embeddings are pooled by the contract's own `forward`, rather than computed by another."""
        return type(self).forward is Frontend.forward

    def train(self, mode: bool = True) -> "Frontend":
        """Stay in evaluation mode: a frontend is frozen."""
        return super().train(False)

    @functools.cached_property
    def min_samples(self) -> int:
        """Shortest waveform, in samples, that leaves no feature map empty; shorter input is repeated up to it."""
        return self._sizes[0]

    @functools.cached_property
    def embedding_size(self) -> int:
        """Number of features of an embedding."""
        self._refuse_unstated("embedding_size")
        return sum(self._sizes[1]) * len(STATISTICS[self.options.pooling])

    @functools.cached_property
    def feature_names(self) -> list[str]:
        """For every column of an embedding, the layer and the map it is of, as `layer0.map12`."""
        self._refuse_unstated("feature_names")
        return [
            f"layer{layer}.map{index}{statistic}"
            for layer, n_maps in enumerate(self._sizes[1])
            for statistic in STATISTICS[self.options.pooling]
            for index in range(n_maps)
        ]

    def columns(self, layers: Layers) -> list[int]:
        """Which columns of an embedding come from some of the layers.

        Args:
            layers: Their numbers, counted from 0, or `all`, or `last`.

        Returns:
            Indices into `feature_names`, in the order of the layers.

        Raises:
            ValueError: There is no such layer, or it is named twice; or there are no maps at all.

        Example:
            >>> from untrained.frontends.vgg import VGG
            >>> VGG(n_filters=2).columns([4, 0])
            [8, 9, 0, 1]
        """
        if layers == "all":
            return list(range(self.embedding_size))
        self._refuse_without_maps("layers", layers)
        n_layers = len(self._sizes[1])
        chosen = [n_layers - 1] if layers == "last" else layers
        is_list = isinstance(chosen, Sequence) and all(type(layer) is int for layer in chosen)
        if not is_list or not chosen or len(chosen) > len(set(chosen)) or not set(chosen) <= set(range(n_layers)):
            raise ValueError(
                f"layers={layers!r}; expected 'all', 'last' or a list of different numbers from 0 to {n_layers - 1}, "
                f"as {type(self).__name__} has {n_layers} layers"
            )
        widths = [n_maps * len(STATISTICS[self.options.pooling]) for n_maps in self._sizes[1]]
        return [sum(widths[:layer]) + index for layer in chosen for index in range(widths[layer])]

    @functools.cached_property
    def _sizes(self) -> tuple[int, list[int]]:
        """The shortest length and the number of maps of each layer there; without maps, any length and none."""
        return shortest(self) if self.has_maps else (1, [])

    def describe(self, n_samples: int = 350_000) -> Description:
        """Its layers for a clip of a length: output shapes, parameters and floating-point operations.

        Args:
            n_samples: Length of the clip; 350,000 are the 29.2 s of the study.

        Returns:
            A table to print, whose numbers are attributes.

        Example:
            >>> from untrained.frontends.sample_level import SampleLevel
            >>> SampleLevel(n_filters=2).describe(2187).layers[0]
            Layer(name='representation', kind='Waveform', shape=(2187,), n_parameters=0, flop=0)
            >>> SampleLevel(n_filters=2).describe(2187).flop
            34956
        """
        return describe(self, n_samples)

    def network_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters of the network, without those of the representation."""
        return [(name, p) for name, p in self.named_parameters() if not name.startswith("representation.")]

    def _finalise(self) -> None:
        if not hasattr(self, "representation"):
            self.representation = nn.Identity()
        if type(self).reset_parameters is Frontend.reset_parameters:
            refuse_what_nobody_draws(self)
        self._refuse_hidden_names()
        self._draw()

    @property
    def is_random(self) -> bool:
        """Whether anything of it was drawn, so that its seed matters."""
        return self._is_random

    def draw(self) -> None:
        """Draw the weights, where that was put off (see `undrawn`), those of frontends within this one too."""
        for module in self.modules():
            if isinstance(module, Frontend) and module._awaits_weights:
                module._draw()

    @property
    def awaits_weights(self) -> bool:
        """Whether weights are still to be drawn."""
        return any(isinstance(module, Frontend) and module._awaits_weights for module in self.modules())

    def _draw(self) -> None:
        self._awaits_weights = is_put_off() and type(self).reset_parameters is Frontend.reset_parameters
        if self._awaits_weights:
            self._is_random = bool(drawn_layers(self))
        else:
            self._draw_now()
        self.requires_grad_(False)
        self.eval()

    def _draw_now(self) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        before = generator.get_state()
        self.reset_parameters(generator)
        self._is_random = not torch.equal(before, generator.get_state())

    def _refuse_hidden_names(self) -> None:
        """Refuse attributes that hide the contract's own; what a class states instead of the contract is meant."""
        methods = {name for name, part in vars(Frontend).items() if isinstance(part, Callable | property)}  # type: ignore[arg-type]
        own = {*vars(self), *self._modules, *self._parameters, *self._buffers}
        hidden = sorted(name for name in methods & own if name[0] != "_")
        if hidden:
            raise TypeError(
                f"{type(self).__name__}: its attribute {hidden[0]!r} hides Frontend.{hidden[0]}, which the framework "
                "calls; rename it"
            )

    def _refuse_unstated(self, name: str) -> None:
        if not self.has_maps:
            raise TypeError(f"{type(self).__name__} overrides forward(), so it must state {name}")


def _finalising(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap an `__init__` so that the frontend is finalised once, when the outermost one has returned."""

    @functools.wraps(init)
    def wrapper(self: Frontend, *args: Any, **kwargs: Any) -> None:
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


Frontend.__init__ = _finalising(Frontend.__init__)  # type: ignore[method-assign]
