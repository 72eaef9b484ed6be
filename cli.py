"""The command line. It imports neither torch nor Lightning before it knows that a command needs them."""

import difflib
import platform
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from . import interrupts
from .commands import dispatch as commands
from .errors import UntrainedError, UsageError

COMMANDS = {
    "predict": "compute the embeddings of a data set by a frontend",
    "fit": "compute what is missing, search and fit a backend, log and save it",
    "test": "score a fitted probe on the test split",
    "compare": "run a study: frontends x backends x data sets x seeds",
    "report": "make the report of a study again, from its stored results",
    "classify": "label sounds by a fitted probe",
    "check": "decode every clip of a data set; or try whether a plug-in keeps its contract",
    "config": "print a study that comes along, to begin one of your own with",
    "new": "write a package with a frontend of your own to begin with",
    "list": "show the frontends, backends and datamodules that are registered, or the embeddings that are stored",
    "completion": "print a script that completes this command line in your shell",
}
_REPORTED = (
    "torch",
    "torchaudio",
    "pytorch-lightning",
    "jsonargparse",
    "omegaconf",
    "scikit-learn",
    "numpy",
    "soundfile",
)
_KEEPING = ("predict", "fit", "test", "compare")


def main(argv: Sequence[str]) -> int:
    """Run a command.

    Args:
        argv: The command line without the program's name.

    Returns:
        Exit status: 0 for success, 1 for a failure, 2 for a mistake in the command or its input, 130 for Ctrl-C.

    Example:
        >>> main(["config", "synthetic"])  # doctest: +ELLIPSIS
        # The default study: ...
        0
    """
    command, *rest = argv or ["--help"]
    actions: dict[str, Callable[[list[str]], int]] = {
        "compare": commands.compare,
        "report": commands.report,
        "classify": commands.classify,
        "check": commands.check,
        "config": _config,
        "new": _new,
        "list": _list,
        "completion": _completion,
    }
    actions |= dict.fromkeys(("predict", "fit", "test"), lambda rest: commands.stage([command, *rest]))
    try:
        if command == "help" and rest:
            return main([*rest, "--help"])
        if command in ("-h", "--help", "help"):
            print(_help())
            return 0
        if command == "--version":
            print(_versions())
            return 0
        if command not in actions:
            raise UsageError(_unknown_command(command))
        return actions[command](rest)
    except UntrainedError as error:
        _say(f"error: {error}")
        return error.exit_status
    except BrokenPipeError:
        raise
    except OSError as error:  # names the file: a full disk, a folder that cannot be written
        _say(f"error: {error}")
        return 1
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning ends its loops on Ctrl-C by leaving with status 1.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        kept = "; what was computed so far is kept, and the same command goes on from there"
        _say(f"interrupted{kept if command in _KEEPING else ''}")
        # Where another process fails, Lightning kills the first, before that has written what it has.
        return 0 if interrupts.was_started_by_another() else 130


def _say(text: str) -> None:
    if not interrupts.was_started_by_another():  # what ends one process ends all, with the same message
        print(f"untrained: {text}", file=sys.stderr)


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {command:<{width}}  {text}" for command, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: untrained COMMAND [OPTION ...]",
            "",
            "Compare audio CNN frontends without training them.",
            "",
            *lines,
            "",
            "untrained COMMAND --help explains a command; untrained --version tells what a report of a mistake needs.",
            "Exit status: 0 success, 1 failure, 2 a mistake in the command or its input, 130 Ctrl-C.",
        ]
    )


def _versions() -> str:
    """What matters for the report of a mistake, without importing any of it."""
    lines = [f"untrained {version('untrained')}", f"Python {platform.python_version()} on {platform.platform()}"]
    return "\n".join([*lines, *(f"{name} {version(name)}" for name in _REPORTED)])


def _unknown_command(command: str) -> str:
    nearest = difflib.get_close_matches(command, COMMANDS, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"unknown command {command!r}; {hint}there are {', '.join(COMMANDS)}"


def _list(argv: list[str]) -> int:
    from .commands.list import list_what_there_is

    return list_what_there_is(argv)


def _new(argv: list[str]) -> int:
    from .commands.new import new_frontend

    if commands.explained(
        argv, "new frontend NAME", "Write a package with a frontend of your own, which works as it is."
    ):
        return 0
    if len(argv) != 2 or argv[0] != "frontend" or argv[1].startswith("-"):
        raise UsageError("new makes a package with a frontend: untrained new frontend NAME")
    files = new_frontend(argv[1])
    folder = files[0].parent
    print("\n".join(map(str, files)))
    print(f"next: pip install -e '{folder}[test]' && untrained check frontend {argv[1]} && pytest {folder}")
    return 0


def _config(argv: list[str]) -> int:
    studies = commands.shipped_studies()
    names = ", ".join(studies)
    if commands.explained(argv, "config [NAME]", f"Print a study that comes along, of {names}; or these names."):
        return 0
    if len(argv) > 1 or (argv and argv[0] not in studies):
        raise UsageError(f"config prints a study that comes along: untrained config NAME, of {names}")
    print(studies[argv[0]].read_text("utf-8").removesuffix("\n") if argv else "\n".join(studies))
    return 0


def _completion(argv: list[str]) -> int:
    import shtab

    what = "Print a script that completes this command line, options and names of plug-ins included."
    if commands.explained(argv, f"completion {'|'.join(shtab.SUPPORTED_SHELLS)}", what):
        return 0
    if len(argv) != 1 or argv[0] not in shtab.SUPPORTED_SHELLS:
        raise UsageError(f"completion needs the name of a shell, of {', '.join(shtab.SUPPORTED_SHELLS)}")
    from .commands.completion import completion_script
    from .parsing import load_names

    load_names()
    commands.begin()
    print(completion_script(argv[0], COMMANDS, commands.shipped_studies()))
    return 0
