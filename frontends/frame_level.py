"""Filters over the waveform that are as long as a spectrogram's window, followed by deep layers."""

from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad

from .base import Frontend
from .convolutions import Conv1d, concatenate
from .padding import SameConv1d
from .representations import Waveform
from .sizes import Size, choose

STRIDE = 32  # samples


class FrameLevel(Frontend):
    """Filters of 512 samples over the waveform, as long as a window (Dieleman & Schrauwen 2014, ICASSP).

    A single shape of filter: a convolution of length 512 and stride 32 (*valid*) and ReLU takes the place of a
    spectrogram. Three layers of length 7 follow, the second and third with a residual connection, and with max-pooling
    by 2 between these two. The embedding is the mean of every map of the four layers.

    Args:
        n_filters: Number of filters of each layer, N; the embedding has 4 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 40 filters and 160 features,
            `large` for 896 filters and 3584 features.
        collapse_deep: Whether to average each deep layer over time and maps to one number, followed by N - 1 zeros. The
            code of Pons & Serra (2018) did so by mistake, and the published figures use these features; the paper
            describes a mean for every map, which is the default.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> FrameLevel(n_filters=16).embedding_size
        64
    """

    input, filters, domain_knowledge = "waveform", "single", True
    reference = "Dieleman & Schrauwen 2014, End-to-end learning for music audio (ICASSP)"
    sizes = {"small": 40, "large": 896}

    def __init__(
        self,
        n_filters: int | None = None,
        size: Size | None = None,
        collapse_deep: bool = False,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(seed=seed)
        n = choose(self.sizes, size, n_filters=n_filters)
        self.collapse_deep = collapse_deep
        self.representation = Waveform()
        self.conv = Conv1d(1, n, 512, stride=STRIDE)
        self.deep = _deep(n, n)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the four layers, `(batch, n_filters, n_frames)` each."""
        first = self.conv(x[:, None], relu=True)
        return [first, *_deep_maps(self.deep, first, self.collapse_deep)]


class FrameLevelMany(Frontend):
    """Filters of 512, 256, 128, 64 and 32 samples over the waveform, like windows of many lengths (Zhu et al. 2016).

    Many shapes of filters: five parallel convolutions of stride 32 (*same*) and ReLU take the place of a spectrogram;
    long ones resolve low frequencies, short ones resolve time. Three layers of length 7 follow, the second and third
    with a residual connection, and with max-pooling by 2 between these two. The embedding is the mean of every map of
    all eight.

    Args:
        n_filters: Number of filters of each layer, N; the embedding has 8 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 20 filters and 160 features,
            `large` for 448 filters and 3584 features.
        collapse_deep: Whether to average each deep layer over time and maps to one number, followed by N - 1 zeros. The
            code of Pons & Serra (2018) did so by mistake, and the published figures use these features; the paper
            describes a mean for every map, which is the default.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> FrameLevelMany(n_filters=16).embedding_size
        128
    """

    input, filters, domain_knowledge = "waveform", "many", True
    reference = "Zhu et al. 2016, Learning multiscale features directly from waveforms (arXiv 1603.09509)"
    sizes = {"small": 20, "large": 448}
    lengths = (512, 256, 128, 64, 32)  # samples

    def __init__(
        self,
        n_filters: int | None = None,
        size: Size | None = None,
        collapse_deep: bool = False,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(seed=seed)
        n = choose(self.sizes, size, n_filters=n_filters)
        self.collapse_deep = collapse_deep
        self.representation = Waveform()
        self.convs = nn.ModuleList(SameConv1d(1, n, length, stride=STRIDE) for length in self.lengths)
        self.deep = _deep(n * len(self.lengths), n)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the five lengths and of the three deep layers, `(batch, n_filters, n_frames)` each."""
        parallel = [conv(x[:, None], relu=True) for conv in self.convs]
        return [*parallel, *_deep_maps(self.deep, concatenate(parallel), self.collapse_deep)]


def _deep(n_channels: int, n_filters: int) -> nn.ModuleList:
    return nn.ModuleList(
        [
            Conv1d(n_channels, n_filters, 7),
            Conv1d(n_filters, n_filters, 7, padding=3),
            Conv1d(n_filters, n_filters, 7, padding=3),
        ]
    )


def _deep_maps(convs: nn.ModuleList, x: Tensor, collapse: bool) -> list[Tensor]:
    first, second, third = convs
    h = first(x, relu=True)
    residual = h + second(h, relu=True)
    pooled = max_pool1d(residual, 2)
    maps = [h, residual, pooled + third(pooled, relu=True)]
    return [_collapsed(layer) for layer in maps] if collapse else maps


def _collapsed(layer: Tensor) -> Tensor:
    """Replace the first map by the mean of all maps, and the others by zeros."""
    return pad(layer.mean(1, keepdim=True), (0, 0, 0, layer.shape[1] - 1))
