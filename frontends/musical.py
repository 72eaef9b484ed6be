"""Musically motivated filters: vertical ones for timbre, horizontal ones for rhythm."""

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from .base import Frontend
from .convolutions import Conv2d, concatenate
from .padding import SameConv1d
from .representations import LogMel
from .sizes import Size, choose

Lengths = tuple[int, int, int, int] | Literal["urbansound8k"]
MUSIC = (165, 128, 64, 32)  # frames of 21.3 ms each
URBANSOUND8K = (64, 32, 16, 8)


class Timbral(Frontend):
    """Many vertical filters over a log-mel spectrogram, for timbre at any pitch (Pons et al. 2016, CBMI; 2017).

    Six parallel convolutions of 7, 3 and 1 frames x 86 and 38 of 96 bands (*same* over time, *valid* over frequency,
    ReLU), each max-pooled over all frequencies, so that a timbre is detected at any pitch. They have N, 2N, 4N, N, 2N
    and 4N filters; longer filters are fewer.

    Args:
        n_filters: Base number of filters, N; the embedding has 14 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for N = 8 and 112 features,
            `large` for N = 256 and 3584 features.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is less than 1, or is given together with `size`.

    Example:
        >>> Timbral(n_filters=2).embedding_size
        28
    """

    input, filters, domain_knowledge = "spectrogram", "many", True
    reference = "Pons et al. 2017, Timbre analysis of music audio signals with convolutional neural networks (EUSIPCO)"
    sizes = {"small": 8, "large": 256}

    def __init__(self, n_filters: int | None = None, size: Size | None = None, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.timbral = _vertical(choose(self.sizes, size, n_filters=n_filters))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the only layer of maps, `(batch, 14 * n_filters, n_frames)`."""
        return [concatenate(_hear_timbre(self.timbral, x))]


class Temporal(Frontend):
    """Many horizontal filters over the loudness of a log-mel spectrogram, for rhythm (Pons et al. 2016, CBMI; 2017).

    The spectrogram is averaged over frequency, which leaves loudness over time; four parallel convolutions of
    different lengths (*same*, ReLU) process it. With r = N / 4, they have N - r, 2N - r, 4N - r and 8N - r filters;
    longer filters are fewer.

    Args:
        n_filters: Base number of filters, N, divisible by 4; the embedding has 14 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for N = 8 and 112 features,
            `large` for N = 256 and 3584 features.
        lengths: Lengths of the four convolutions in frames of 21.3 ms, longest first; `urbansound8k` means (64, 32,
            16, 8), which Pons & Serra (2018) used for sounds of a few seconds.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is not divisible by 4 or is given together with `size`, or `lengths` is not four
            integers of 1 or more.

    Example:
        >>> Temporal(n_filters=4).embedding_size
        56
    """

    input, filters, domain_knowledge = "spectrogram", "many", True
    reference = "Pons et al. 2016, Experimenting with musically motivated convolutional neural networks (CBMI)"
    sizes = {"small": 8, "large": 256}

    def __init__(
        self, n_filters: int | None = None, size: Size | None = None, lengths: Lengths = MUSIC, *, seed: int = 0
    ) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.temporal = _horizontal(choose(self.sizes, size, multiple_of=4, n_filters=n_filters), lengths)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the only layer of maps, `(batch, 14 * n_filters, n_frames)`."""
        return [concatenate(_hear_rhythm(self.temporal, x))]


class TimbralTemporal(Frontend):
    """Vertical filters for timbre and horizontal ones for rhythm over the same spectrogram (Pons et al. 2016, CBMI).

    One layer holds the filters of `Timbral`, then those of `Temporal`.

    Args:
        n_filters: Base number of filters of either kind, N, divisible by 4; the embedding has 28 N features.
        size: Preset of Pons & Serra (2018), instead of `n_filters`: `small` (default) for N = 4 and 112 features,
            `large` for N = 128 and 3584 features.
        lengths: Lengths of the four horizontal convolutions in frames of 21.3 ms, longest first; `urbansound8k`
            means (64, 32, 16, 8), which Pons & Serra (2018) used for sounds of a few seconds.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is not divisible by 4 or is given together with `size`, or `lengths` is not four
            integers of 1 or more.

    Example:
        >>> TimbralTemporal(n_filters=4).embedding_size
        112
    """

    input, filters, domain_knowledge = "spectrogram", "many", True
    reference = "Pons et al. 2016, Experimenting with musically motivated convolutional neural networks (CBMI)"
    sizes = {"small": 4, "large": 128}

    def __init__(
        self, n_filters: int | None = None, size: Size | None = None, lengths: Lengths = MUSIC, *, seed: int = 0
    ) -> None:
        super().__init__(seed=seed)
        n = choose(self.sizes, size, multiple_of=4, n_filters=n_filters)
        self.representation = LogMel()
        self.timbral = _vertical(n)
        self.temporal = _horizontal(n, lengths)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the only layer of maps, `(batch, 28 * n_filters, n_frames)`, those for timbre first."""
        return [concatenate([*_hear_timbre(self.timbral, x), *_hear_rhythm(self.temporal, x)])]


def _vertical(n_filters: int) -> nn.ModuleList:
    """Return convolutions of 7, 3 and 1 frames at each of two heights, which are 0.9 and 0.4 of 96 bands."""
    shapes = [(height, frames, n) for height in (86, 38) for frames, n in ((7, 1), (3, 2), (1, 4))]
    return nn.ModuleList(
        Conv2d(1, n * n_filters, (height, frames), padding=(0, frames // 2)) for height, frames, n in shapes
    )


def _heights(convs: nn.ModuleList) -> Iterator[tuple[int, Conv2d]]:
    return ((conv.kernel_size[0], conv) for conv in convs if isinstance(conv, Conv2d))


def _hear_timbre(convs: nn.ModuleList, x: Tensor) -> list[Tensor]:
    # ReLU is monotonic, so it may follow the maximum over all heights at which a filter fits.
    x = x[:, None]
    return [conv(x, pool=(x.shape[2] - height + 1, 1), relu=True).squeeze(2) for height, conv in _heights(convs)]


def _horizontal(n_filters: int, lengths: Lengths) -> nn.ModuleList:
    frames = URBANSOUND8K if lengths == "urbansound8k" else lengths
    if not isinstance(frames, list | tuple) or len(frames) != 4 or any(type(n) is not int or n < 1 for n in frames):
        raise ValueError(f"lengths={lengths!r}; expected four numbers of frames, of 1 or more, or 'urbansound8k'")
    return nn.ModuleList(
        SameConv1d(1, n_filters * 2**index - n_filters // 4, length) for index, length in enumerate(frames)
    )


def _hear_rhythm(convs: nn.ModuleList, x: Tensor) -> list[Tensor]:
    loudness = x.mean(1, keepdim=True)
    return [conv(loudness, relu=True) for conv in convs]
