"""Frontends: waveform -> representation -> feature maps -> embedding, frozen and random, in pure PyTorch."""

from .base import Frontend
from .drawn_set import drawn_set
from .representations import LogMel, Waveform

__all__ = ["Frontend", "LogMel", "Waveform", "drawn_set"]
