"""Decoding of audio files to waveforms: headers, lengths, and detection of unsupported formats."""

from .decoding import ABSENT, Decoded, FitLength, Header, Waveform, fit, header, load
from .signals import NOTED, TITLES, Remark

__all__ = [
    "ABSENT",
    "NOTED",
    "TITLES",
    "Decoded",
    "FitLength",
    "Header",
    "Remark",
    "Waveform",
    "fit",
    "header",
    "load",
]
