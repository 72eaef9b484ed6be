"""Command-line parsing shared by all commands: registered names, and error messages that say what to do.

This module imports neither torch nor Lightning, which take seconds; the classes that a command parses import them.
"""

import importlib
import os
import re
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import yaml
from jsonargparse import ArgumentParser, Namespace

from .errors import UntrainedError, UsageError
from .files import MAX_YAML, as_yaml, read_bounded, refuse_absurd_yaml
from .registry import BACKENDS, DATAMODULES, FRONTENDS, PROBE_OPTIONS, PROXIES, Registry

KINDS: dict[str, Registry[Any]] = {
    "frontend": FRONTENDS,
    "backend": BACKENDS,
    "data": DATAMODULES,
    "proxy": PROXIES,
}
Types = list[str] | str  # --trust TYPE, or --trust '[TYPE, TYPE]'
ABOUT_TRUST = (
    "Additional Python types and modules that a checkpoint may load, such as mypackage.MyScaler. Trust only files "
    "whose origin you know."
)
_KEY = re.compile(r'(?:[Pp]arser key "([^"]+)"|--([\w.]+)):?\s*')
_LISTS = {"datamodules", "frontends", "backends", "controls", "seeds", *(f"model.{option}" for option in PROBE_OPTIONS)}
MAX_VALUE_LENGTH = 80  # number of characters; a longer value, such as a class with its arguments, is not shown
_NO_SUCH_CLASS = re.compile(r"Expected a dot import path string: (\S+)|[Uu]nexpected import path[^:]*: (\S+)")


class Parser(ArgumentParser):
    """Parser that accepts registered names of plug-ins, and raises `UsageError` for user errors."""

    def parse_path(self, path: str | os.PathLike[str], *more: Any, **options: Any) -> Namespace:
        """Parse a configuration file as jsonargparse does, but report which file is not UTF-8."""
        try:
            _refuse_absurd(Path(path))
            parsed: Namespace = super().parse_path(path, *more, **options)
            return parsed
        except UnicodeDecodeError as error:
            named = str(path) if Path(path).read_bytes() == error.object else f"a file that {path} names"
            problem = f"{named} is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
            raise UsageError(problem) from error

    def parse_args(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Namespace:  # type: ignore[override]
        """Parse a command line as jsonargparse does, but raise `UsageError` if a file that it names is not UTF-8."""
        try:
            return super().parse_args(args, *more, **options)
        except UnicodeDecodeError as error:
            problem = f"a file that the command line names is not UTF-8 ({error.reason} at byte {error.start})"
            raise UsageError(f"{problem}; save it as UTF-8") from error

    def dump(self, *more: Any, **options: Any) -> str:
        """Return a configuration as jsonargparse does, but quote text that YAML may read as another type."""
        if "skip_none" in options:  # the former name, which Lightning still uses
            options["skip_unset"] = options.pop("skip_none")
        text = str(super().dump(*more, **options))
        if options.get("format", "yaml") not in ("yaml", "parser_mode") or options.get("with_comments"):
            return text
        header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
        return header + as_yaml(yaml.safe_load(text))

    def format_help(self, *more: Any, **options: Any) -> str:
        """Return the help of all options; options of a trainer come last, and the usage is then one line."""
        if any(map(_is_of_trainer, self._action_groups)):
            self.usage = f"{self.prog.replace(' [options]', '')} [OPTION ...]"
            self._action_groups = sorted(self._action_groups, key=_is_of_trainer)
        return str(super().format_help(*more, **options))

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise a one-line error, which suggests the nearest name if a plug-in is unknown."""
        # jsonargparse has no separate exception for an unknown class, so only the message identifies one.
        key, unknown = _KEY.search(message), _NO_SUCH_CLASS.search(message)
        registry = next((KINDS[kind] for kind in KINDS if key and kind in (key[1] or key[2])), None)
        if registry is not None and unknown is not None:
            name = unknown[1] or unknown[2]
            if name in registry.names():
                registry.get(name)  # raises an error with the reason why it cannot be loaded
            raise UsageError(registry.unknown(name)) from ex
        raise UsageError(explain(message)) from ex


def _refuse_absurd(path: Path) -> None:
    """Raise if a configuration file is too large to parse, see `refuse_absurd_yaml`.

    Raises:
        UsageError: The file exceeds a limit, or is not a regular file.
    """
    try:
        refuse_absurd_yaml(read_bounded(path, MAX_YAML).decode())
    except UnicodeDecodeError:  # `parse_path` reports it
        return
    except ValueError as error:
        raise UsageError(f"{path} cannot be used as a configuration: {error}") from error


def _is_of_trainer(group: Any) -> bool:
    """Return whether a group of a parser holds the options of a trainer."""
    return any(action.dest.startswith("trainer") for action in group._group_actions)


def load_names(registries: Sequence[Registry[Any]] = (FRONTENDS, BACKENDS, DATAMODULES)) -> None:
    """Make the registered names of plug-ins known to parsers, and import these plug-ins.

    A plug-in that cannot be loaded raises an error when it is used.

    Args:
        registries: Kinds of plug-ins that the command line can name.
    """
    for registry in registries:
        names = importlib.import_module(f".{registry.room}.names", __package__)
        loaded, _ = registry.load_all()
        # jsonargparse inspects the whole call stack for each name, which takes 60 ms below `python -m`; a thread has
        # a short one.
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(partial(getattr, names), loaded))


def contract_parser(kind: str) -> Parser:
    """Return a parser for a plug-in and its arguments; `kind` is frontend, backend, datamodule or proxy."""
    registry = {"datamodule": DATAMODULES, **KINDS}[kind]
    parser = Parser(prog=f"untrained check {kind}", description="Check the contract of a plug-in.")
    parser.add_subclass_arguments(registry.contract, kind, required=True, help="Plug-in to check.")
    return parser


def add_extraction_arguments(parser: ArgumentParser) -> None:
    """Add the options that set where embeddings are stored and when they are written."""
    help = "Folder of all embedding stores; by default embeddings/ in the trainer's default_root_dir."
    parser.add_argument("--embeddings", type=str | None, default=None, help=help)
    help = "Recompute stored embeddings and repeat finished runs."
    parser.add_argument("--force", action="store_true", help=help)
    help = "Number of rows to keep in memory before they are written."
    parser.add_argument("--flush_every", type=int, default=512, help=help)
    help = "Maximum time before rows are written, in s."
    parser.add_argument("--flush_seconds", type=float, default=30.0, help=help)


def trainer_defaults() -> dict[str, Any]:
    """Return the default settings of the trainer, whose root folder is `runs` and which saves nothing itself."""
    return {
        "default_root_dir": "runs",
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": sys.stderr.isatty(),
    }


def instantiate(parser: ArgumentParser, config: Namespace) -> Namespace:
    """Create the objects of a configuration.

    Raises:
        UsageError: A class rejects its arguments; the message comes from the class.
    """
    try:
        made: Namespace = parser.instantiate(config)
        return made
    except (UntrainedError, OSError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise UsageError(root_cause(error)) from error


def explain(message: str) -> str:
    r"""Return jsonargparse's error message as one line that starts with the argument's name.

    Example:
        >>> explain("Parser key \"data\":\n  Errors:\n    - Option 'fols' is not accepted\n  Given value: x")
        "--data: Option 'fols' is not accepted; --data.help NAME lists its options"
    """
    lines = [line.strip().removeprefix("- ") for line in message.splitlines() if line.strip()]
    if "Errors:" in lines:  # errors of a union type, followed by the `repr` of the value
        end = next((i for i, line in enumerate(lines) if line.startswith("Given value")), len(lines))
        errors = [line for line in lines[lines.index("Errors:") + 1 : end] if "NoneType" not in line]
        given = [line for line in lines[end:] if line.startswith("Given value:") and len(line) < MAX_VALUE_LENGTH]
        lines = [lines[0], *errors, *(given if all(line.startswith("Expected") for line in errors) else [])]
    keys = []
    text = "; ".join(lines)
    while match := _KEY.match(text):  # the message of a nested parser follows that of the outer one
        keys.append(match[1] or match[2])
        text = text[match.end() :].lstrip("; ")
    key = ".".join(keys)
    text = re.sub(r"a <class '(\w+)'>", r"\1", text)
    text = re.sub(r"a typing\.Literal\[([^\]]*)\]", r"one of \1", text)
    if text.rstrip().endswith("Unexpected config:"):
        text += " the file is empty"
    text = re.sub(r"required: (?:predict|fit|test)\.", "required: --", text)
    single = re.search(r"Expected list\W.*Got value: ([\w.,-]+)$", text)
    if single and key in _LISTS:
        text += f"; give a list: --{key} '[{', '.join(filter(None, single[1].split(',')))}]'"
    elif single and key.startswith("vary."):
        text += f"; give each argument a list of values, such as [{single[1]}]"
    if key and ("is not accepted" in text or "required" in text):
        text += f"; --{key}.help NAME lists its options"
    return f"--{key}: {text}" if key else text


def root_cause(error: BaseException) -> str:
    """Return the message of the first error in a chain that jsonargparse did not raise, with its type if uncommon."""
    while _is_raised_by_parser(error) and error.__cause__ is not None:
        error = error.__cause__
    if _is_raised_by_parser(error) and isinstance(error, IndexError):  # for an error without a message
        return "the constructor of a plug-in raises an error without a message; call it in Python to see the traceback"
    text = explain(str(error))
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "the arguments need more memory than this machine has; give smaller values, such as fewer filters"
    is_plain = isinstance(error, UntrainedError | ValueError | TypeError | OSError) or is_of_lightning(error)
    return text if is_plain and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def is_of_lightning(error: BaseException) -> bool:
    """Return whether an error is Lightning's for wrong arguments, by its name, so that Lightning is not imported."""
    return type(error).__name__ == "MisconfigurationException"


def _is_raised_by_parser(error: BaseException) -> bool:
    """Return whether jsonargparse raised an error."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__")).partition(".")[0] == "jsonargparse"
