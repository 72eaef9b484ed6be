"""Datamodules: the clips of a data set with their labels, splits and folds.

`AudioDataModule` is imported on first use, because it is a `LightningDataModule` and importing Lightning takes seconds.
"""

from typing import TYPE_CHECKING, Any

from .clip import Clip
from .options import LoaderOptions

if TYPE_CHECKING:
    from .base import AudioDataModule

__all__ = ["AudioDataModule", "Clip", "LoaderOptions"]


def __getattr__(name: str) -> Any:
    if name == "AudioDataModule":
        from .base import AudioDataModule

        return AudioDataModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
