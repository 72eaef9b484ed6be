"""Tempo as the only feature: a control that shows how well tempo alone classifies dances."""

import torch
from torch import Tensor

from .base import Frontend
from .padding import repeat_up_to
from .representations import LogMel

SLOWEST, FASTEST = 50.0, 250.0  # beats per minute
PREFERRED, WIDTH = 120.0, 1.0  # centre and width of the prior, in beats per minute and octaves
OFF_BEATS = 0.15  # weight of the autocorrelation half-way between beats
_STEPS = 1000


class Tempo(Frontend):
    """Tempo of a clip, as the base-2 logarithm of beats per minute: a control for rhythm (after Ellis 2007).

    With the backend `nearest_class`, it shows what a score on dances is worth, since classes of dances are largely
    classes of tempo.

    Args:
        seed: Has no effect, since nothing is random; every frontend takes a seed.

    Example:
        >>> import torch
        >>> clicks = torch.zeros(1, 120_000)
        >>> clicks[:, ::6000] = 1.0  # two per second
        >>> round(float(2 ** Tempo()(clicks)))
        120
    """

    input = "spectrogram"
    reference = "Ellis 2007, Beat tracking by dynamic programming (JNMR)"
    embedding_size = 1
    feature_names = ["log2_tempo"]

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = TempoEstimate()
        self.min_samples = 5 * self.sample_rate  # length of four beats at the slowest tempo

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the tempo of each clip, `(batch, 1)`."""
        return self.represent(repeat_up_to(waveform, self.min_samples))


class TempoEstimate(LogMel):
    """Estimate of the tempo from the autocorrelation of onset strength.

    Onset strength is the rise of the log-mel spectrogram, averaged over frequency. The fit of a tempo is the mean
    autocorrelation at one, two, three and four beats, minus a share of the autocorrelation half-way between beats,
    which is equally high if the true tempo is twice as fast. The fit is weighted by a log-normal preference for tempi
    around 120 beats per minute (Ellis 2007, sec. 3.2), and the best tempo from 50 to 250 is taken.

    Shape:
        Input `(batch, n_samples)` of 5 s or more, output `(batch, 1)`, log2 of beats per minute.
    """

    tempi: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("tempi", SLOWEST * torch.logspace(0, 1, _STEPS, base=FASTEST / SLOWEST))

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the tempo of each clip of a batch."""
        onsets = super().forward(waveform).diff(dim=2).clamp(min=0).mean(1)
        onsets = onsets - onsets.mean(1, keepdim=True)
        n_frames = onsets.shape[1]
        power = torch.fft.rfft(onsets, 2 * n_frames).abs().square()
        # Longer lags overlap in fewer frames.
        correlation = torch.fft.irfft(power)[:, :n_frames] / torch.arange(n_frames, 0, -1, device=onsets.device)
        frames_per_beat = 60 * self.sample_rate / (self.hop_length * self.tempi)
        fit, off = (
            torch.stack([_between(correlation, beats * frames_per_beat) for beats in lags]).mean(0)
            for lags in ((1, 2, 3, 4), (0.5, 1.5, 2.5, 3.5))
        )
        prior = torch.exp(-0.5 * ((self.tempi / PREFERRED).log2() / WIDTH).square())
        return self.tempi[((fit - OFF_BEATS * off) * prior).argmax(1)].log2()[:, None]


def _between(values: Tensor, positions: Tensor) -> Tensor:
    """Interpolate values `(batch, n)` linearly at fractional positions `(m,)`; return `(batch, m)`."""
    below = positions.long()
    share = positions - below
    return values[:, below] * (1 - share) + values[:, below + 1] * share
