"""The smallest filters over the raw waveform."""

from torch import Tensor, nn

from .base import Frontend
from .convolutions import Conv1d
from .representations import Waveform
from .sizes import Size, choose


class SampleLevel(Frontend):
    """Seven layers of filters of three samples over the waveform, a VGG for raw audio (Lee et al. 2017, SMC).

    The minimal filter expression of the waveform: it assumes no windows and hops, and depth alone makes the filters
    long. The first layer is a convolution of length 3 and stride 3 (*valid*) and ReLU; each of the other six is a
    convolution of length 3 (*same*), ReLU and max-pooling by 3. The embedding is the mean of every map of every layer.

    Args:
        n_filters: Number of filters of each layer, N; the embedding has 7 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 23 filters and 161 features,
            `large` for 512 filters and 3584 features.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> SampleLevel(n_filters=16).embedding_size
        112
    """

    input, filters, domain_knowledge = "waveform", "minimal", False
    reference = "Lee et al. 2017, Sample-level deep convolutional neural networks for music auto-tagging (SMC)"
    sizes = {"small": 23, "large": 512}

    def __init__(self, n_filters: int | None = None, size: Size | None = None, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        n = choose(self.sizes, size, n_filters=n_filters)
        self.representation = Waveform()
        self.convs = nn.ModuleList([Conv1d(1, n, 3, stride=3), *(Conv1d(n, n, 3, padding=1) for _ in range(6))])

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the seven layers, counted from 1: `(batch, n_filters, n_samples // 3**layer)` each."""
        first, *deeper = self.convs
        maps = [first(x[:, None], relu=True)]
        for conv in deeper:
            # ReLU is monotonic, so it may follow the pooling.
            maps.append(conv(maps[-1], pool=3, relu=True))
        return maps
