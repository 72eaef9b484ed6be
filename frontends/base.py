"""The contract of a frontend: a frozen, random network from waveforms to embeddings."""

import functools
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from .calibrating import calibrate, normalised
from .columns import Layers, columns_of, count_columns, name_columns
from .finalising import finalising, refuse_hidden_names
from .initialisers import Init, draw_parameters
from .lengths import Sizes, shortest
from .options import Options, applied
from .padding import repeat_up_to
from .pooling import Pooling, pooled
from .representations import in_float32
from .weights import draw_from, drawn_layers, is_deferred, refuse_undrawn

if TYPE_CHECKING:
    from .measure import Description


class Frontend(nn.Module):
    """A frozen network with random weights that turns waveforms into embeddings.

    A plug-in writes `__init__`, which sets `representation` and the layers, and `feature_maps`. As soon as the
    outermost `__init__` has returned, the weights are drawn from a separate generator and frozen, and the module
    stays in evaluation mode.

    Conventions: a spectrogram frontend takes `(batch, n_mels, n_frames)`, a waveform frontend `(batch, n_samples)`;
    convolutions are `nn.Conv1d` or `nn.Conv2d`, registered in the order of the layers; 2-D kernels are (frequency,
    time).

    Args:
        seed: Seed of the weights, 0 or more.

    Attributes:
        sample_rate: Sample rate of the input, in Hz.
        representation: Module that turns waveforms `(batch, n_samples)` into the input of the network, in float32 and
            on the device of the network.
        arguments: Arguments of `__init__` by name, defaults included.
        options: Distribution of the weights and pooling of the feature maps; `with_options` changes them.
        input_scalars: Mean and standard deviation by which `represent` normalises a spectrogram, in the units of the
            spectrogram; (0.0, 1.0) leaves it unchanged. Waveforms are never normalised.
        input: "waveform" or "spectrogram". This class attribute and the next three are optional; they show where the
            frontend belongs in the table of Pons & Serra's talk. If the arguments decide, `__init__` sets them.
        filters: Number of filter shapes in the first layer: "minimal", "single" or "many".
        domain_knowledge: Whether knowledge of audio shaped the filters.
        reference: Publication that introduced the architecture.
        imports: Names of the arguments that are modules to import; a checkpoint may set them only with `--trust`.

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
    """

    sample_rate: int = 12_000
    # Without defaults, which would hide a plug-in's layers of the same name.
    input: str
    filters: str
    domain_knowledge: bool
    reference: ClassVar[str]
    imports: ClassVar[Sequence[str]] = ()

    representation: nn.Module
    arguments: dict[str, Any]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self._options = Options()
        self._trains = False
        self.input_scalars: tuple[float, float] = (0.0, 1.0)
        if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**63:
            raise ValueError(f"seed={seed!r}; expected an integer of 0 or more, below 2**63")
        self.seed: int = int(seed)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = finalising(cls.__init__)  # type: ignore[method-assign]

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps of each layer that contributes to the embedding.

        Args:
            x: Representation of a batch, `(batch, n_mels, n_frames)` or `(batch, n_samples)`.

        Returns:
            Feature maps of each layer, `(batch, n_maps, *positions)`.
        """
        raise TypeError(f"{type(self).__name__} has no feature_maps(x); define it, or override forward(waveform)")

    def forward(self, waveform: Tensor) -> Tensor:
        """Return embeddings of a batch of clips, in which each feature map is pooled over its positions.

        Args:
            waveform: Waveforms, `(batch, n_samples)`; if they are shorter than `min_samples`, they are repeated.

        Returns:
            Embeddings, `(batch, embedding_size)`, float32.
        """
        if waveform.ndim != 2 or waveform.shape[1] == 0:
            raise ValueError(f"waveform has shape {tuple(waveform.shape)}; expected (batch, n_samples), n_samples > 0")
        maps = self.feature_maps(self.represent(repeat_up_to(waveform, self.min_samples)))
        return pooled(maps, self.options.pooling)

    def represent(self, waveform: Tensor) -> Tensor:
        """Return the input of the network, computed in float32 whatever the precision of the network.

        Args:
            waveform: Waveforms, `(batch, n_samples)`.

        Returns:
            Representation in the precision of the network.
        """
        x = normalised(self, in_float32(self.representation, waveform))
        weight = next((parameter for _, parameter in self.network_parameters()), None)
        return x if weight is None else x.to(weight.dtype)

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; override it for layers other than convolutions and `nn.Linear`.

        Weights are drawn in the order in which the layers were registered, from the distribution `options.init` (see
        `draw_parameters`), which is that of Pons & Serra (2018) by default.

        Args:
            generator: Seeded generator on the CPU, the only source of random numbers.
        """
        for module in drawn_layers(self):
            draw_parameters(module, self.options.init, generator)

    @property
    def options(self) -> Options:
        """Distribution of the weights and pooling of the feature maps."""
        return self._options

    def with_options(self, init: Init | None = None, pooling: Pooling | None = None) -> "Frontend":
        """Return a frontend with other options.

        Args:
            init: Distribution of the weights; unchanged by default.
            pooling: Pooling of the feature maps; unchanged by default.

        Returns:
            A copy, or this frontend itself if nothing differs.

        Raises:
            ValueError: The distribution or pooling is unknown, the frontend has no feature maps, or it draws its
                weights by other means.

        Example:
            >>> from untrained.frontends.vgg import VGG
            >>> VGG(n_filters=2).with_options(pooling="mean_std").feature_names[:4]
            ['layer0.map0.mean', 'layer0.map1.mean', 'layer0.map0.std', 'layer0.map1.std']
        """
        wanted = self.options.changed(init, pooling)
        return self if wanted == self.options else applied(self, wanted)

    def _refuse_without_maps(self, name: str, value: object) -> None:
        """Raise a ValueError for an option of feature maps if the frontend overrides `forward`."""
        if not self.has_maps:
            raise ValueError(
                f"{type(self).__name__} overrides forward() instead of defining feature_maps(), so {name}={value!r} "
                f"does not apply; leave out {name}"
            )

    @property
    def has_maps(self) -> bool:
        """Whether embeddings are pooled feature maps, which is not the case if a subclass overrides `forward`."""
        return type(self).forward is Frontend.forward

    def train(self, mode: bool = True) -> "Frontend":
        """Set the mode of a copy made by `trainable`; other frontends are frozen and stay in evaluation mode."""
        return super().train(mode and self._trains)

    def calibrate(self, waveforms: Iterable[Tensor]) -> None:
        """Set what the frontend learns from unlabelled clips, in place; override it to learn something else.

        By default, these are `input_scalars`, for frontends that take a spectrogram, and the statistics of each
        BatchNorm layer, which is the identity until then.

        Args:
            waveforms: Batches `(batch, n_samples)` of training clips, for example a list; they are read twice if there
                are BatchNorm layers, so an iterator does not suffice.

        Raises:
            ValueError: There are no clips, they cannot be read twice, or their statistics are unusable.
        """
        calibrate(self, waveforms)

    @functools.cached_property
    def min_samples(self) -> int:
        """Length in samples of the shortest waveform that leaves no feature map empty; shorter ones are repeated."""
        return self._sizes.min_samples

    @functools.cached_property
    def embedding_size(self) -> int:
        """Number of features of an embedding."""
        self._refuse_unstated("embedding_size")
        return count_columns(self._sizes.n_maps, self.options.pooling)

    @functools.cached_property
    def feature_names(self) -> list[str]:
        """Layer, feature map and statistic of each column of an embedding, such as `layer0.map12`."""
        self._refuse_unstated("feature_names")
        return name_columns(self._sizes.n_maps, self.options.pooling)

    def columns(self, layers: Layers) -> list[int]:
        """Return the columns of an embedding that come from some of the layers.

        Args:
            layers: Numbers of the layers, counted from 0, or `all`, or `last`.

        Returns:
            Indices into `feature_names`, in the order of the layers.

        Raises:
            ValueError: A layer does not exist or is given twice, or the frontend has no feature maps.
        """
        if layers == "all":
            return list(range(self.embedding_size))
        self._refuse_without_maps("layers", layers)
        return columns_of(layers, self._sizes.n_maps, self.options.pooling, type(self).__name__)

    @functools.cached_property
    def _sizes(self) -> Sizes:
        """Sizes that do not depend on the options; without feature maps any length works."""
        if not self.has_maps:
            return Sizes(1, [])
        return shortest(self, lambda copied, waveform: copied.feature_maps(copied.represent(waveform)))

    def describe(self, n_samples: int = 350_000) -> "Description":
        """Return output shapes, parameters and floating-point operations of each layer for clips of one length.

        Args:
            n_samples: Length of the clips in samples; the default, 29.2 s, is that of Pons & Serra (2018).

        Returns:
            A description that prints as a table.
        """
        from .measure import describe  # which needs this module

        return describe(self, n_samples)

    def network_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Return the names and parameters of the network, except those of the representation."""
        return [(name, p) for name, p in self.named_parameters() if not name.startswith("representation.")]

    def _finalise(self) -> None:
        if not hasattr(self, "representation"):
            self.representation = nn.Identity()
        if type(self).reset_parameters is Frontend.reset_parameters:
            refuse_undrawn(self)
        refuse_hidden_names(self, Frontend)
        self._draw()

    @property
    def is_random(self) -> bool:
        """Whether any weight is random, and thus depends on the seed."""
        return self._is_random

    def draw(self) -> None:
        """Draw the weights if that was deferred (see `undrawn`), including those of nested frontends."""
        for module in self.modules():
            if isinstance(module, Frontend) and module._awaits_weights:
                module._draw()

    @property
    def awaits_weights(self) -> bool:
        """Whether weights are still to be drawn."""
        return any(isinstance(module, Frontend) and module._awaits_weights for module in self.modules())

    def _draw(self) -> None:
        self._awaits_weights = is_deferred() and type(self).reset_parameters is Frontend.reset_parameters
        self._is_random = bool(drawn_layers(self)) if self._awaits_weights else draw_from(self.seed, self)
        self.requires_grad_(False)
        self.eval()

    def _refuse_unstated(self, name: str) -> None:
        if not self.has_maps:
            raise TypeError(f"{type(self).__name__} overrides forward(), so it must state {name}")


Frontend.__init__ = finalising(Frontend.__init__)  # type: ignore[method-assign]
