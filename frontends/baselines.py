"""Baseline and control frontends that a random CNN has to beat."""

import torch
import torchaudio
from torch import Tensor, nn

from .base import Frontend
from .padding import repeat_up_to
from .representations import LogMel, Representation, mel_spectrogram, power_to_db
from .sizes import Size, choose


class Cepstrum(Representation):
    """Mel-frequency cepstral coefficients with librosa's defaults at 12 kHz, and with reflect padding.

    The power in 128 mel bands, with Slaney's scale and area normalisation, is converted to dB with a floor 80 dB below
    each clip's maximum, and transformed by an orthonormal DCT-II.

    Args:
        sample_rate: Sample rate of the waveform in Hz.
        n_mfcc: Number of coefficients.
        n_fft: Length of the window and of the transform in samples.
        hop_length: Hop length in samples.

    Shape:
        Input `(batch, n_samples)` with n_samples > n_fft / 2, output `(batch, n_mfcc, 1 + n_samples // hop_length)`.
    """

    dct: Tensor

    def __init__(self, sample_rate: int = 12_000, n_mfcc: int = 20, n_fft: int = 2048, hop_length: int = 512) -> None:
        super().__init__()
        self.sample_rate, self.n_mfcc, self.n_fft, self.hop_length = sample_rate, n_mfcc, n_fft, hop_length
        self.mel_spectrogram = mel_spectrogram(sample_rate, n_fft, hop_length, n_mels=128)
        self.register_buffer("dct", torchaudio.functional.create_dct(n_mfcc, 128, norm="ortho"))

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the cepstral coefficients of a batch."""
        decibels = power_to_db(self.mel_spectrogram(waveform), top_db=80.0)
        # Only the first coefficient depends on the mean level; without it, the rounding error is a tenth as large.
        common = decibels.mean((1, 2), keepdim=True)
        values = ((decibels - common).mT @ self.dct).mT
        return torch.cat([values[:, :1] + common * self.dct[:, 0].sum(), values[:, 1:]], dim=1)

    def extra_repr(self) -> str:
        """Return the arguments as text."""
        return f"sample_rate={self.sample_rate}, n_mfcc={self.n_mfcc}, n_fft={self.n_fft}, hop_length={self.hop_length}"


class MFCC(Frontend):
    """120 MFCC statistics that summarise a clip's timbre, the baseline of Pons & Serra (2018).

    The features are the mean and standard deviation over time of 20 MFCCs, then of their first differences, then of
    their second differences; all means of a group precede its standard deviations.

    Args:
        seed: Has no effect, since nothing is random; every frontend takes a seed.

    Example:
        >>> import torch
        >>> MFCC()(torch.zeros(2, 12_000)).shape
        torch.Size([2, 120])
    """

    input = "spectrogram"
    reference = "Davis & Mermelstein 1980, Comparison of parametric representations (IEEE TASSP)"
    embedding_size = 120
    feature_names = [
        f"{statistic}.{values}.mfcc{index}"
        for values in ("value", "difference", "second_difference")
        for statistic in ("mean", "std")
        for index in range(20)
    ]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Cepstrum()
        self.min_samples = 1025  # for reflect padding by half a window, and the three frames of a second difference

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the 120 features of each clip, `(batch, 120)`."""
        values = self.represent(repeat_up_to(waveform, self.min_samples))
        series = (values, values.diff(dim=2), values.diff(n=2, dim=2))
        statistics = [(part.mean(2), part.std(2, correction=0)) for part in series]
        return torch.cat([number for pair in statistics for number in pair], dim=1)


class LogMelStats(Frontend):
    """Mean and standard deviation of the 96 log-mel bands: the input of a random CNN, without the CNN.

    A control for spectrogram frontends: only what they score beyond it is due to their filters.

    Args:
        seed: Has no effect, since nothing is random; every frontend takes a seed.

    Example:
        >>> import torch
        >>> LogMelStats()(torch.zeros(2, 12_000)).shape
        torch.Size([2, 192])
    """

    input = "spectrogram"
    embedding_size = 192
    feature_names = [f"{statistic}.band{band}" for statistic in ("mean", "std") for band in range(96)]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMelStatistics()
        self.min_samples = 257  # for reflect padding by half a window

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the 192 features of each clip, `(batch, 192)`."""
        return self.represent(repeat_up_to(waveform, self.min_samples))


class LogMelProjection(Frontend):
    """A random linear map and ReLU over the mean and standard deviation of the 96 log-mel bands.

    A control for spectrogram frontends: it has as many random features as they do, but ignores which frames and bands
    are neighbours.

    Args:
        n_features: Number of features.
        size: Preset of Pons & Serra (2018), instead of `n_features`, with as many features as `VGG` at this size:
            `small` (default) for 160, `large` for 3585.
        seed: Seed of the weights.

    Raises:
        ValueError: `n_features` is less than 1, or is given together with `size`.

    Example:
        >>> LogMelProjection(n_features=50).embedding_size
        50
    """

    input = "spectrogram"
    sizes = {"small": 160, "large": 3585}

    def __init__(self, n_features: int | None = None, size: Size | None = None, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMelStatistics()
        self.linear = nn.Linear(192, choose(self.sizes, size, n_features=n_features))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the only layer, `(batch, n_features, 1)`."""
        return [self.linear(x).relu_()[..., None]]


class LogMelStatistics(LogMel):
    """Mean and standard deviation over time of each band of a log-mel spectrogram.

    Shape:
        Input `(batch, n_samples)`, output `(batch, 2 * n_mels)`, all means first.
    """

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the means and standard deviations of a batch, in dB."""
        bands = super().forward(waveform)
        return torch.cat([bands.mean(2), bands.std(2, correction=0)], dim=1)
