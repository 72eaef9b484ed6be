"""Small rectangular filters that assume nothing about audio."""

from torch import Tensor, nn
from torch.nn.functional import elu

from .base import Frontend
from .convolutions import Conv2d
from .representations import LogMel
from .sizes import Size, choose


class VGG(Frontend):
    """Five layers of 3 x 3 filters over a log-mel spectrogram, from computer vision (VGG; Choi et al. 2016, ISMIR).

    The minimal filter expression: a stack of the smallest rectangles, which covers larger shapes by depth alone. Each
    layer is a convolution (*same*), ELU and max-pooling; the embedding is the mean of every pooled map.

    Args:
        n_filters: Number of filters of each layer, N; the embedding has 5 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 32 filters and 160 features,
            `large` for 717 filters and 3585 features.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> VGG(n_filters=16).embedding_size
        80
    """

    input, filters, domain_knowledge = "spectrogram", "minimal", False
    reference = "Choi et al. 2016, Automatic tagging using deep convolutional neural networks (ISMIR)"
    sizes = {"small": 32, "large": 717}
    pools = ((2, 4), (3, 4), (2, 5), (2, 4), (4, 4))  # (frequency, time)

    def __init__(self, n_filters: int | None = None, size: Size | None = None, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        n = choose(self.sizes, size, n_filters=n_filters)
        self.representation = LogMel()
        self.convs = nn.ModuleList(Conv2d(1 if layer == 0 else n, n, 3, padding=1) for layer in range(len(self.pools)))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the pooled maps of the five layers, `(batch, n_filters, n_bands, n_frames)` each."""
        maps, h = [], x[:, None]
        for conv, pool in zip(self.convs, self.pools, strict=True):
            # ELU is monotonic, so it may follow the pooling, where at most an eighth of the values is left.
            h = elu(conv(h, pool), inplace=True)
            maps.append(h)
        return maps
