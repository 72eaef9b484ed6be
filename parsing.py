"""Command-line parsing shared by all commands: registered names, and errors that say what to do."""

import contextlib
import importlib
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import Namespace
from pytorch_lightning.cli import LightningArgumentParser
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from .errors import UntrainedError, UsageError
from .registry import BACKENDS, DATAMODULES, FRONTENDS, Registry

KINDS: dict[str, Registry[Any]] = {"frontend": FRONTENDS, "backend": BACKENDS, "data": DATAMODULES}
Types = list[str] | str  # as --trust TYPE, or --trust '[TYPE, TYPE]'
_KEY = re.compile(r'(?:[Pp]arser key "([^"]+)"|--([\w.]+)):?\s*')
_SHORT = 80  # characters of a value that is shown; a class with its arguments is longer
_NO_SUCH_CLASS = re.compile(r"Expected a dot import path string: (\S+)|[Uu]nexpected import path[^:]*: (\S+)")


class Parser(LightningArgumentParser):
    """Parser whose mistakes become `UsageError`s, and which knows plug-ins by their registered names."""

    def parse_args(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Namespace:  # type: ignore[override]
        """As jsonargparse, but name the file that is no UTF-8."""
        try:
            return super().parse_args(args, *more, **options)
        except UnicodeDecodeError as error:
            words = sys.argv[1:] if args is None else args
            raise UsageError(
                f"{_holding(error.object, words)} is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
            ) from error

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong in one line, with the nearest name where a plug-in is unknown."""
        text = str(message)
        key = _KEY.search(text)
        unknown = _NO_SUCH_CLASS.search(text)
        if key and unknown:
            for kind, registry in KINDS.items():
                if kind in (key[1] or key[2]):
                    name = next(group for group in unknown.groups() if group)
                    if name in registry.names():
                        registry.get(name)  # says why it could not be loaded
                    raise UsageError(registry.unknown(name)) from ex
        raise UsageError(explain(text)) from ex


def load_names() -> None:
    """Make the registered names known to parsers; a plug-in that fails says so when it is asked for."""
    for package, registry in (("frontends", FRONTENDS), ("backends", BACKENDS), ("datamodules", DATAMODULES)):
        names = importlib.import_module(f".{package}.names", __package__)
        loaded, _ = registry.load_all()
        for name in loaded:
            getattr(names, name)


def contract_parser(kind: str) -> Parser:
    """Parser of a plug-in with its arguments; `kind` is frontend, backend or datamodule."""
    registry = {"datamodule": DATAMODULES, **KINDS}[kind]
    parser = Parser(prog=f"untrained check {kind}", description="Try whether a plug-in keeps its contract.")
    parser.add_subclass_arguments(registry.contract, kind, required=True, help="The plug-in.")
    return parser


def instantiate(parser: LightningArgumentParser, config: Namespace) -> Namespace:
    """Make the objects of a configuration.

    Raises:
        UsageError: A class refuses its arguments; the message is the class's own.
    """
    try:
        made: Namespace = parser.instantiate(config)
        return made
    except (UntrainedError, OSError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise UsageError(root_cause(error)) from error


def explain(message: str) -> str:
    r"""What jsonargparse says of a mistake, as one line that starts with the argument's name.

    Example:
        >>> explain("Parser key \"data\":\n  Errors:\n    - Option 'fols' is not accepted\n  Given value: x")
        "--data: Option 'fols' is not accepted; --data.help NAME lists what is"
    """
    lines = [line.strip().removeprefix("- ") for line in message.splitlines() if line.strip()]
    if "Errors:" in lines:  # of a union, which ends with the value as Python shows it
        end = next((i for i, line in enumerate(lines) if line.startswith("Given value")), len(lines))
        errors = [line for line in lines[lines.index("Errors:") + 1 : end] if "NoneType" not in line]
        given = [line for line in lines[end:] if line.startswith("Given value:") and len(line) < _SHORT]
        lines = [lines[0], *errors, *(given if all(line.startswith("Expected") for line in errors) else [])]
    keys = []
    text = "; ".join(lines)
    while match := _KEY.match(text):  # a nested parser's message stands behind the outer one's
        keys.append(match[1] or match[2])
        text = text[match.end() :].lstrip("; ")
    key = ".".join(keys)
    text = re.sub(r"a <class '(\w+)'>", r"\1", text)
    text = re.sub(r"a typing\.Literal\[([^\]]*)\]", r"one of \1", text)
    if text.rstrip().endswith("Unexpected config:"):
        text += " the file is empty"
    text = re.sub(r"required: (?:predict|fit|test)\.", "required: --", text)
    if key and ("is not accepted" in text or "required" in text):
        text += f"; --{key}.help NAME lists what is"
    return f"--{key}: {text}" if key else text


def root_cause(error: BaseException) -> str:
    """What the first of a chain of errors says that is not the parser's own, with its type where that tells."""
    while _is_the_parser_s(error) and error.__cause__ is not None:
        error = error.__cause__
    if _is_the_parser_s(error) and isinstance(error, IndexError):  # it fails at an error without a text
        return "a plug-in raises an error without a text when it is made; make it in Python, by its class, to see where"
    text = explain(str(error))
    is_plain = isinstance(error, UntrainedError | ValueError | TypeError | OSError | MisconfigurationException)
    return text if is_plain and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def _is_the_parser_s(error: BaseException) -> bool:
    """Whether it was raised in jsonargparse."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__")).partition(".")[0] == "jsonargparse"


def _holding(content: bytes, words: Sequence[str]) -> str:
    """The file with this content, of those that a command line names."""
    for word in words:
        path = Path(word.partition("=")[2] if word.startswith("-") else word)
        with contextlib.suppress(OSError, ValueError):  # a word that can be no path
            if path.is_file() and path.read_bytes() == content:
                return str(path)
    return "a file that the configuration names"
