"""Filters of one shape that span a few frames and (nearly) all frequencies of a spectrogram."""

from torch import Tensor

from .base import Frontend
from .convolutions import Conv2d
from .representations import LogMel
from .sizes import Size, choose


class Vertical7x96(Frontend):
    """One layer of filters of 7 frames x all 96 bands of a log-mel spectrogram (after Lee et al. 2009, NIPS).

    A filter as high as the spectrogram matches a spectral envelope at one pitch only: a transposed sound is a different
    pattern. The layer is a convolution (*valid*) and ReLU, without pooling.

    Args:
        n_filters: Number of filters, which is the number of features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 160 filters, `large`
            for 3585.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> Vertical7x96(n_filters=16).embedding_size
        16
    """

    input, filters, domain_knowledge = "spectrogram", "single", True
    reference = "Lee et al. 2009, Unsupervised feature learning for audio classification (NIPS)"
    sizes = {"small": 160, "large": 3585}
    n_bands = 96

    def __init__(self, n_filters: int | None = None, size: Size | None = None, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.conv = Conv2d(1, choose(self.sizes, size, n_filters=n_filters), (self.n_bands, 7))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the only layer, pooled over all heights at which it fits, `(batch, n_filters, 1, n_frames - 6)`."""
        heights = x.shape[1] - self.n_bands + 1
        return [self.conv(x[:, None], pool=(heights, 1), relu=True)]


class Vertical7x86(Vertical7x96):
    """One layer of filters of 7 frames x 86 of 96 bands, pooled over frequency (after Lee et al. 2009, NIPS).

    Filters that leave ten bands free fit at eleven heights, and max-pooling takes the best, so they also match a
    spectral envelope that is slightly transposed. The layer is a convolution (*valid*), ReLU and
    max-pooling of 1 frame x 11 bands.

    Args:
        n_filters: Number of filters, which is the number of features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for 160 filters, `large`
            for 3585.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> Vertical7x86(n_filters=16).embedding_size
        16
    """

    n_bands = 86
