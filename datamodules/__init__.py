"""Datamodules: the clips of a data set with their labels, splits and folds.

`AudioDataModule` and `LoaderOptions` are imported on first use, because importing Lightning and PyTorch takes seconds.
"""

from typing import TYPE_CHECKING, Any

from .clip import Clip

if TYPE_CHECKING:
    from .base import AudioDataModule
    from .options import LoaderOptions

__all__ = ["AudioDataModule", "Clip", "LoaderOptions"]


def __getattr__(name: str) -> Any:
    if name == "AudioDataModule":
        from .base import AudioDataModule

        return AudioDataModule
    if name == "LoaderOptions":
        from .options import LoaderOptions

        return LoaderOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
