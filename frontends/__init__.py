"""Front-ends: waveform -> representation -> feature maps -> embedding, frozen and random, in pure PyTorch."""

from .base import FrontEnd
from .representations import LogMel, Waveform

__all__ = ["FrontEnd", "LogMel", "Waveform"]
