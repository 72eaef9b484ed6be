"""Datamodules: the clips of a data set with their labels, splits and folds."""

from .base import AudioDataModule
from .clip import Clip
from .loader import LoaderOptions

__all__ = ["AudioDataModule", "Clip", "LoaderOptions"]
