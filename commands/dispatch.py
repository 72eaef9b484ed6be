"""Functions shared by all commands: set up a command, print its help, and check and pass on its command line."""

import functools
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from .. import terminal
from ..errors import UsageError
from ..escaping import for_terminal
from ..studies.problems import in_terms_of_a_study

T = TypeVar("T")
_PACKAGE = Path(__file__).parents[1]


def begin() -> None:
    """Set up a command after its imports: let Ctrl-C raise, show progress bars, and silence irrelevant warnings."""
    terminal.raise_interrupts()
    terminal.show_bars()
    # Lightning sets its level when it is imported.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for message in (
        "does not have many workers",  # embeddings are in memory, and the user sets the number for audio
        "Found .* module.s. in eval mode",  # frontends are frozen on purpose
        "isinstance.treespec, LeafSpec.",  # Lightning's own use of torch
        "The number of training batches",  # nothing is logged per batch
        "The verbose parameter is deprecated",
    ):
        warnings.filterwarnings("ignore", f".*{message}.*")
    if getattr(warnings.formatwarning, "func", None) is not _format_warning:
        warnings.formatwarning = functools.partial(_format_warning, warnings.formatwarning)


def _format_warning(
    others: Callable[..., str],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Format a warning of this package as one line without its source; `others` formats all other warnings."""
    if issubclass(category, UserWarning) and Path(filename).is_relative_to(_PACKAGE):
        text = in_terms_of_a_study(str(message)) if sys.argv[1:2] in (["compare"], ["rank"]) else str(message)
        return f"untrained: warning: {for_terminal(text, lines=True)}\n"
    return others(message, category, filename, lineno, line)


def explained(argv: Sequence[str], usage: str, what: str) -> bool:
    """Print the help of a command without a parser, if the last word of the command line asks for it.

    Args:
        argv: Command line without the command.
        usage: Usage of the command, without `untrained`.
        what: Description of the command.

    Returns:
        Whether help was printed.
    """
    asked = argv[-1:] in (["-h"], ["--help"])
    if asked:
        print(f"usage: untrained {usage}\n\n{what}")
    return asked


def refuse_several_checkpoints(argv: Sequence[str]) -> None:
    """Raise if a command line names several checkpoints, for example because a shell pattern matches several runs.

    Raises:
        UsageError: A checkpoint is given in addition to that of `--ckpt_path`.
    """
    words = [word.removeprefix("--ckpt_path=") for word in argv]
    given = [index for index, word in enumerate(argv) if word.split("=")[0] == "--ckpt_path"]
    chosen = {index if "=" in argv[index] else index + 1 for index in given}
    found = [word for index, word in enumerate(words) if index in chosen or _is_checkpoint(word)]
    if given and len(found) > 1:
        raise UsageError(
            f"{len(found)} checkpoints are given, expected one: {', '.join(found)}. Give one with --ckpt_path, for "
            "example RUN/probe.ckpt or the file `latest` next to the folders of runs; `untrained list runs` shows the "
            "scores of all runs"
        )


def _is_checkpoint(word: str) -> bool:
    """Return whether a word of a command line has the name of a checkpoint, or is the folder of a run."""
    return word.endswith(".ckpt") or all(
        os.path.isfile(os.path.join(word, name))  # false for a word that is too long for a path
        for name in ("probe.ckpt", "metrics.json")
    )


def run_with_argv(action: Callable[[], T], argv: list[str]) -> T:
    """Run an action with a command line in `sys.argv`, from which Lightning starts other processes.

    Raises:
        UsageError: An interpolation in a configuration cannot be resolved.
    """
    from omegaconf.errors import OmegaConfBaseException

    arguments, sys.argv = sys.argv, [sys.argv[0], *argv]
    try:
        return action()
    except OmegaConfBaseException as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{reason}; in a configuration, refer to other keys relatively, such as ${{.name}}") from error
    finally:
        sys.argv = arguments
