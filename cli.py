"""Command-line interface. A command, and with it torch and Lightning, is imported only when it runs."""

import difflib
import importlib
import platform
import shlex
import sys
from collections.abc import Callable, Sequence

from .commands import COMMANDS, STAGES, WITH_SHORT_HELP
from .errors import UntrainedError, UsageError
from .probes.record import installed_versions
from .terminal import is_child_process, print_what_an_encoding_lacks, say

RESUMED = (*STAGES, "train", "compare", "rank")  # commands that resume after an interruption


def main(argv: Sequence[str]) -> int:
    """Run a command.

    Args:
        argv: Command line without the name of the program.

    Returns:
        Exit status: 0 for success, 1 for a failure, 2 for an invalid command or invalid input, 130 for Ctrl-C.

    Example:
        >>> main(["config", "synthetic"])  # doctest: +ELLIPSIS
        # The default study: ...
        0
    """
    command, *rest = argv or ["--help"]
    print_what_an_encoding_lacks()
    if command.startswith("-") and command not in ("-h", "--help", "--version"):
        _report_error(f"error: {_options_first(argv)}")
        return UsageError.exit_status
    if command == "help" and rest:
        return main([*rest, "--help"])
    try:
        if command in ("-h", "--help", "help"):
            print(_help())
            return 0
        if command == "--version":
            print(_versions())
            return 0
        if command in WITH_SHORT_HELP and {"-h", "--help"}.intersection(rest):
            return _run_of("usage")([command])
        rest = ["--help" if word == "--help-all" else word for word in rest]
        return _run_of(command)([command, *rest] if command in (*STAGES, "train") else rest)
    except UntrainedError as error:
        text = str(error)
        if command in ("compare", "rank"):
            from .studies.problems import in_terms_of_a_study

            text = in_terms_of_a_study(text)
        _report_error(f"error: {text}")
        return error.exit_status
    except BrokenPipeError:
        raise
    except OSError as error:  # such as a full disk or a folder without write permission; its text names the file
        _report_error(f"error: {error}")
        return 1
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning ends its loops on Ctrl-C with status 1.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        kept = "; the results so far are kept, and the same command resumes from there"
        _report_error(f"interrupted{kept if command in RESUMED else ''}")
        # If a child process fails, Lightning kills the first process before it has written its rows.
        return 0 if is_child_process() else 130


def _run_of(command: str) -> Callable[[list[str]], int]:
    """Import the module of a command, or of the short help, and return its function `run`."""
    if command not in (*COMMANDS, "usage"):
        nearest = difflib.get_close_matches(command, COMMANDS, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise UsageError(f"unknown command {command!r}; {hint}commands: {', '.join(COMMANDS)}")
    module = "stages" if command in STAGES else command
    run: Callable[[list[str]], int] = importlib.import_module(f".commands.{module}", __package__).run
    return run


def _options_first(argv: Sequence[str]) -> str:
    """Return the message for a command line that begins with an option."""
    command = next((word for word in argv if word in COMMANDS), None)
    if command is None:
        example = f"untrained fit {shlex.join(argv)}"
        hint = f"options follow the command, for example: {example}"
        return f"no command given; {hint}; available commands: {', '.join(COMMANDS)}"
    rest = list(argv)
    rest.remove(command)
    return f"options follow the command: untrained {shlex.join([command, *rest])}"


def _report_error(text: str) -> None:
    if not is_child_process():  # every process of a command ends with the same error
        say(f"untrained: {text}", sys.stderr)


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
            "untrained COMMAND --help shows the options of a command.",
            "untrained --version prints the versions to include in a bug report.",
            "Exit status: 0 success, 1 failure, 2 invalid command or input, 130 interrupted by Ctrl-C.",
        ]
    )


def _versions() -> str:
    """Return the versions to include in a bug report, without importing any package."""
    untrained, python, *others = installed_versions().items()
    lines = [" ".join(untrained), f"{' '.join(python)} on {platform.platform()}"]
    return "\n".join([*lines, *map(" ".join, others)])
