"""Command-line parsing shared by all commands: registered names, and errors that say what to do."""

import importlib
import re
from typing import Any, NoReturn

from jsonargparse import Namespace
from pytorch_lightning.cli import LightningArgumentParser

from .errors import UsageError
from .registry import BACKENDS, DATAMODULES, FRONTENDS, Registry

KINDS: dict[str, Registry[Any]] = {"frontend": FRONTENDS, "backend": BACKENDS, "data": DATAMODULES}
_KEY = re.compile(r'[Pp]arser key "([^"]+)"')
_NO_SUCH_CLASS = re.compile(r"Expected a dot import path string: (\S+)|[Uu]nexpected import path[^:]*: (\S+)")


class Parser(LightningArgumentParser):
    """Parser whose mistakes become `UsageError`s, and which knows plug-ins by their registered names."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong in one line, with the nearest name where a plug-in is unknown."""
        text = str(message)
        key = _KEY.search(text)
        unknown = _NO_SUCH_CLASS.search(text)
        if key and unknown:
            for kind, registry in KINDS.items():
                if kind in key[1]:
                    name = next(group for group in unknown.groups() if group)
                    if name in registry.names():
                        registry.get(name)  # says why it could not be loaded
                    raise UsageError(registry.unknown(name)) from ex
        raise UsageError(_one_line(text)) from ex


def load_names() -> None:
    """Make the registered names known to parsers; a plug-in that fails says so when it is asked for."""
    for package, registry in (("frontends", FRONTENDS), ("backends", BACKENDS), ("datamodules", DATAMODULES)):
        names = importlib.import_module(f".{package}.names", __package__)
        loaded, _ = registry.load_all()
        for name in loaded:
            getattr(names, name)


def instantiate(parser: LightningArgumentParser, config: Namespace) -> Namespace:
    """Make the objects of a configuration.

    Raises:
        UsageError: A class refuses its arguments; the message is the class's own.
    """
    try:
        return parser.instantiate_classes(config)
    except (ValueError, TypeError) as error:
        raise UsageError(root_cause(error)) from error


def root_cause(error: BaseException) -> str:
    """What the first of a chain of errors says."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return "; ".join(line.strip(" -") for line in text.splitlines() if line.strip())
