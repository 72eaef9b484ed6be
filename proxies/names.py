"""The registered names of proxies as classes, for the command line and YAML: `proxies.names.NAME`."""

from typing import Any

from jsonargparse.typing import class_from_function

from ..registry import PROXIES

_making: set[str] = set()


def __getattr__(name: str) -> Any:
    if name in _making or name not in PROXIES.names():
        raise AttributeError(f"no proxy is registered as {name!r}")
    cls = PROXIES.get(name)
    _making.add(name)  # class_from_function looks the name up in this module, which would call this function again
    try:
        return class_from_function(cls, cls, name=name)  # sets it in the calling module, so call it here
    finally:
        _making.remove(name)
