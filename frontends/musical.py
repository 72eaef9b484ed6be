"""Filters shaped by what music is made of: vertical ones for timbre, horizontal ones for rhythm."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .base import FrontEnd
from .representations import LogMel


class Temporal(FrontEnd):
    """Many horizontal filters over the loudness of a log-mel spectrogram, for rhythm (Pons et al. 2016, CBMI; 2017).

    The spectrogram is averaged over frequency, so that only its course in time is left; four parallel convolutions of
    different length (*same*, ReLU) read it. With N filters and r = N / 4 the lengths have N - r, 2N - r, 4N - r and
    8N - r filters, long ones fewest.

    Args:
        n_filters: N, divisible by 4; the embedding has 14 N features. Pons & Serra (2018) use 8 for about 120 features
            and 256 for about 3500.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_filters` is not divisible by 4.

    Example:
        >>> Temporal(n_filters=8).embedding_size
        112
    """

    input, filters, domain_knowledge = "spectrogram", "many", True
    reference = "Pons et al. 2016, Experimenting with musically motivated convolutional neural networks (CBMI)"
    lengths = (165, 128, 64, 32)  # frames

    def __init__(self, n_filters: int = 8, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        if n_filters < 4 or n_filters % 4:
            raise ValueError(f"n_filters={n_filters}; expected a multiple of 4, as {max(4, round(n_filters / 4) * 4)}")
        self.representation = LogMel()
        self.convs = nn.ModuleList(
            nn.Conv1d(1, n_filters * 2**index - n_filters // 4, length) for index, length in enumerate(self.lengths)
        )

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """The one layer of maps, `(batch, 14 * n_filters, n_frames)`."""
        loudness = x.mean(1, keepdim=True)
        return [
            torch.cat(
                [
                    conv(pad_same(loudness, length)).relu_()
                    for conv, length in zip(self.convs, self.lengths, strict=True)
                ],
                dim=1,
            )
        ]


def pad_same(x: Tensor, length: int) -> Tensor:
    """Pad with zeros so that a convolution of stride 1 keeps the length, the smaller half on the left.

    As TensorFlow does; PyTorch's own `padding="same"` too, but it warns for each even length.

    Args:
        x: `(batch, n_maps, n_frames)`.
        length: Of the convolution that reads it, in frames.

    Returns:
        `(batch, n_maps, n_frames + length - 1)`.
    """
    return pad(x, ((length - 1) // 2, length // 2))
