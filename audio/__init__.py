"""One audio file to one waveform: decoding, headers, lengths, and formats that cannot be read."""

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
