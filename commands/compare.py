"""`untrained compare`: run a study and write its report."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..parsing import load_names
from ..studies.execute import execute
from ..studies.plan import study_parser
from .config import bundled_studies, configs_in
from .dispatch import begin, run_with_argv
from .report import write_and_show

_DEFAULT_STUDY = "synthetic"


def run(argv: list[str]) -> int:
    """Run a study and write its report.

    Args:
        argv: Command line without `compare`.

    Returns:
        Exit status: 1 if any run failed.

    Raises:
        UsageError: The study does not exist, or asks for what cannot be.
    """
    load_names()
    begin()
    parser = study_parser()
    arguments = _with_study(argv)
    config = run_with_argv(lambda: parser.parse_args(arguments), ["compare", *argv])
    folder = run_with_argv(lambda: execute(parser, config), ["compare", *argv])
    return 0 if folder is None else write_and_show(folder, anew=False)


def _with_study(argv: Sequence[str]) -> list[str]:
    """Return a command line whose study, a file or the name of a bundled one, is its configuration."""
    words = list(argv)
    if words and not words[0].startswith("-"):
        words[:1] = ["--config", words[0]]
    elif not list(configs_in(words)):
        words[:0] = ["--config", _DEFAULT_STUDY]
    for index, option, study in list(configs_in(words)):
        path = bundled_studies().get(study, Path(study))
        if not path.is_file():
            raise UsageError(
                f"no study {study!r}: no such file, and none of the bundled ones ({', '.join(bundled_studies())})"
            )
        words[index] = f"{option}{path}"
    return words
