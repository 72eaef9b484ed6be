"""`untrained completion`: print a script that completes commands, options and registered names in a shell."""

import argparse
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import shtab

from ..errors import UsageError
from ..parsing import KINDS, load_names
from ..registry import DATAMODULES, PROXIES, Registry
from ..studies.plan import study_parser
from ..studies.rank.parser import rank_parser
from . import COMMANDS
from .check import data_parser
from .classify import classify_parser
from .config import bundled_studies
from .dispatch import begin, explained
from .list import REGISTRIES, RUNS, STORES
from .new import PLUGINS
from .proxy import proxy_parser
from .stages import stage_parsers
from .train import train_parser

_FILES = ("config", "ckpt_path", "paths")
_FOLDERS = ("embeddings", "root", "default_root_dir")


def run(argv: list[str]) -> int:
    """Print a completion script for a shell.

    Args:
        argv: Command line without `completion`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line does not name a shell.
    """
    what = "Print a script that completes commands, options and names of plug-ins in your shell."
    if explained(argv, f"completion {'|'.join(shtab.SUPPORTED_SHELLS)}", what):
        return 0
    if len(argv) != 1 or argv[0] not in shtab.SUPPORTED_SHELLS:
        raise UsageError(f"completion needs the name of a shell: {', '.join(shtab.SUPPORTED_SHELLS)}")
    load_names()
    begin()
    print(completion_script(argv[0], COMMANDS, bundled_studies()))
    return 0


def completion_script(shell: str, commands: Mapping[str, str], studies: Iterable[str]) -> str:
    """Return a script that completes the command line of `untrained`.

    The script completes the plug-ins that are registered now. Print it again after you install another plug-in.

    Args:
        shell: Name of the shell, one of `shtab.SUPPORTED_SHELLS`.
        commands: Description of each command, by name.
        studies: Names of the bundled studies.
    """
    root = argparse.ArgumentParser(prog="untrained")
    root.add_argument("--version", action="store_true", help="print the versions to include in a bug report")
    of_command = {
        **stage_parsers(),
        "train": train_parser(),
        "proxy": proxy_parser(),
        "compare": study_parser(),
        "rank": rank_parser(),
        "classify": classify_parser(),
    }
    first: dict[str, Sequence[str]] = {
        "compare": list(studies),
        "rank": list(bundled_studies("rank")),
        "config": [*studies, *bundled_studies("rank")],
        "new": list(PLUGINS),
        "export": [STORES],
        "list": [*REGISTRIES, STORES, RUNS],
        "completion": shtab.SUPPORTED_SHELLS,
    }
    subparsers = root.add_subparsers()
    for command, help in commands.items():
        parser = subparsers.add_parser(command, help=help)
        if command in first:
            parser.add_argument("name", nargs="?", choices=first[command])
        if command == "report":
            parser.add_argument("folder").complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        if command == "export":
            parser.add_argument("--to").complete = shtab.FILE  # type: ignore[attr-defined]
            parser.add_argument("--force", action="store_true")
        if command in ("list", "export"):
            parser.add_argument("--embeddings").complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        if command == "list":
            parser.add_argument("--details", action="store_true")
        if command == "check":
            _add_checks(parser)
        if command in of_command:
            _copy(of_command[command], parser)
    return str(shtab.complete(root, shell))


def _add_checks(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers()
    _copy(data_parser(), kinds.add_parser("data", help="decode every clip"))
    for kind, registry in {**KINDS, "datamodule": DATAMODULES}.items():
        if kind != "data":
            parser = kinds.add_parser(kind, help="check the contract of a plug-in")  # shtab hides commands without help
            parser.add_argument("name", choices=registry.names())


def _copy(source: argparse.ArgumentParser, target: argparse.ArgumentParser) -> None:
    """Copy the options of a parser; jsonargparse's own completion would list every class that a trainer accepts."""
    for action in source._actions:
        registry = KINDS.get(action.dest.rpartition(".")[2])
        options = [
            name for name in action.option_strings if not name.endswith(("+", ".help")) and name not in ("-h", "--help")
        ]
        if action.option_strings and not options:
            continue
        choices = registry.names() if registry else _choices(getattr(action, "_typehint", None))
        choices = [*PROXIES.names(), "nngp"] if action.dest == "proxies" else choices
        taken: dict[str, Any] = {"action": "store_true"} if action.nargs == 0 else {"choices": choices or None}
        if not action.option_strings or action.nargs == "+":
            taken |= {"nargs": action.nargs}
        _add(target, options or [action.dest], action.dest, help=_one_line(action.help), **taken)
        if registry and options:
            _add(target, [f"{options[0]}.help"], "", choices=registry.names(), help="print the options of a plug-in")
            for name, hints in _arguments(registry).items():
                _add(target, [f"{options[0]}.{name}"], name, choices=_choices(*hints) or None)


def _add(target: argparse.ArgumentParser, names: Sequence[str], dest: str, **taken: Any) -> None:
    action = target.add_argument(*names, **taken)
    last = dest.rpartition(".")[2]
    if last in (*_FILES, *_FOLDERS):
        action.complete = shtab.FILE if last in _FILES else shtab.DIRECTORY  # type: ignore[attr-defined]


def _arguments(registry: Registry[Any]) -> dict[str, list[Any]]:
    """Return the arguments of all plug-ins of a kind that can be imported, each with its annotated types."""
    found: dict[str, list[Any]] = {}
    for cls in registry.load_all()[0].values():
        parameters = dict(inspect.signature(cls).parameters)
        parameters.pop("help", None)  # .help is an option already
        for name, parameter in parameters.items():
            found.setdefault(name, []).append(parameter.annotation)
    return found


def _choices(*hints: Any) -> list[str]:
    """Return the values that types allow, as text; empty if any text is allowed."""
    found: dict[str, None] = {}
    for hint in hints:
        if hint is bool:
            found |= {"true": None, "false": None}
        elif get_origin(hint) is Literal:
            found |= dict.fromkeys(map(str, get_args(hint)))
        else:
            found |= dict.fromkeys(_choices(*get_args(hint)))
    return list(found)


def _one_line(help: str | None) -> str:
    return " ".join((help or "").split()).partition(". ")[0].replace("%", "%%")
