"""Registered datamodules as attributes of this module, `datamodules.names.NAME`, for the command line and YAML."""

from typing import Any

from jsonargparse.typing import class_from_function

from ..registry import DATAMODULES

_making: set[str] = set()


def __getattr__(name: str) -> Any:
    if name in _making or name not in DATAMODULES.names():
        raise AttributeError(f"no datamodule is registered as {name!r}")
    cls = DATAMODULES.get(name)
    _making.add(name)  # class_from_function looks up the name in this module, which calls this function again
    try:
        return class_from_function(
            cls, cls, name=name
        )  # sets the name in the calling module, so it must be called here
    finally:
        _making.remove(name)
