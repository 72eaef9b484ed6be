"""Datamodules: which clips there are, their labels, splits and folds."""

from .base import AudioDataModule
from .clip import Clip

__all__ = ["AudioDataModule", "Clip"]
