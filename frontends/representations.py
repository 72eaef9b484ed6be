"""Representations: the waveform or its log-mel spectrogram, computed on the device of the network."""

from collections.abc import Callable
from typing import Any

import torch
import torchaudio
from torch import Tensor, nn

from .precision import float32_products


class Representation(nn.Module):
    """Base class of representations, whose filters stay in float32 when the network uses a lower precision."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        def move(tensor: Tensor) -> Tensor:
            return tensor.to(fn(tensor).device)

        return super()._apply(move, recurse)  # type: ignore[no-untyped-call]


def in_float32(representation: nn.Module, waveform: Tensor) -> Tensor:
    """Return the representation of waveforms, computed in float32 whatever the precision of the network.

    The power of a spectrum overflows in float16.

    Args:
        representation: Module to run.
        waveform: Waveforms, `(batch, n_samples)`.
    """
    device = waveform.device.type
    if not torch.amp.autocast_mode.is_autocast_available(device):
        return representation(waveform.float())  # type: ignore[no-any-return]
    with float32_products(), torch.autocast(device, enabled=False):
        return representation(waveform.float())  # type: ignore[no-any-return]


class Waveform(Representation):
    """The unchanged waveform.

    Shape:
        Input and output `(batch, n_samples)`.
    """

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the waveform."""
        return waveform


class LogMel(Representation):
    """Log-mel spectrogram in dB, as librosa of 2018 computes it (Pons & Serra 2018).

    Frames are centred with reflect padding and weighted by a periodic Hann window. Their power spectra are summed in
    mel bands from 0 Hz to half the sample rate, with Slaney's scale and area normalisation, and converted to dB by
    10 log10(max(1e-10, S)), floored at `top_db` below the maximum of each clip.

    Args:
        sample_rate: Sample rate of the waveform in Hz.
        n_fft: Length of the window and of the transform in samples.
        hop_length: Hop length in samples.
        n_mels: Number of mel bands.
        top_db: Depth of the floor below each clip's maximum, in dB.

    Shape:
        Input `(batch, n_samples)` with n_samples > n_fft / 2, output `(batch, n_mels, 1 + n_samples // hop_length)`.

    Example:
        >>> import torch
        >>> LogMel()(torch.zeros(2, 350_000)).shape
        torch.Size([2, 96, 1368])
    """

    def __init__(
        self,
        sample_rate: int = 12_000,
        n_fft: int = 512,
        hop_length: int = 256,
        n_mels: int = 96,
        top_db: float = 80.0,
    ) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.n_mels, self.top_db = n_mels, top_db
        self.mel_spectrogram = mel_spectrogram(sample_rate, n_fft, hop_length, n_mels)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram of a batch, in dB."""
        # On a CPU, clips are processed one by one, so that their spectra stay in the cache.
        parts = torch.split(waveform, 1 if waveform.device.type == "cpu" else max(1, len(waveform)))
        return torch.cat([power_to_db(self.mel_spectrogram(part), self.top_db) for part in parts])

    def extra_repr(self) -> str:
        """Return the arguments that determine the values."""
        return (
            f"sample_rate={self.sample_rate}, n_fft={self.n_fft}, hop_length={self.hop_length}, "
            f"n_mels={self.n_mels}, top_db={self.top_db}"
        )


def mel_spectrogram(sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> torchaudio.transforms.MelSpectrogram:
    """Return a module that computes mel power spectrograms as librosa of 2018 does.

    It uses reflect padding, and mel bands with Slaney's scale and area normalisation.

    Args:
        sample_rate: Sample rate of the waveform in Hz.
        n_fft: Length of the window and of the transform in samples.
        hop_length: Hop length in samples.
        n_mels: Number of mel bands.
    """
    module = torchaudio.transforms.MelSpectrogram(
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        n_mels=n_mels,
        pad_mode="reflect",
        norm="slaney",
        mel_scale="slaney",
    )
    # In torch's default precision, rounding of torchaudio's filters shows 30 dB below a clip's maximum.
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        filters = torchaudio.functional.melscale_fbanks(
            n_fft // 2 + 1, 0.0, sample_rate / 2, n_mels, sample_rate, norm="slaney", mel_scale="slaney"
        )
    finally:
        torch.set_default_dtype(default)
    module.mel_scale.fb = filters.float()
    return module


def power_to_db(power: Tensor, top_db: float) -> Tensor:
    """Convert a power spectrogram to decibels, floored below each clip's own maximum.

    Args:
        power: Power spectrogram, `(batch, n_bands, n_frames)`.
        top_db: Depth of the floor in dB.

    Returns:
        Spectrogram in dB, `(batch, n_bands, n_frames)`.

    Example:
        >>> import torch
        >>> power_to_db(torch.tensor([[[1.0, 0.0]], [[1e-5, 1e-20]]]), 80.0).squeeze(1)
        tensor([[   0.,  -80.],
                [ -50., -100.]])
    """
    # torchaudio's floor is relative to the maximum of each item in 4-D input, but of the whole batch in 3-D input.
    decibels: Tensor = torchaudio.functional.amplitude_to_DB(power[:, None], 10.0, 1e-10, 0.0, top_db)[:, 0]
    return decibels
