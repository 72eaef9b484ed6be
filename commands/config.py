"""`untrained config`: print a bundled study. Also lists bundled studies and configurations for other commands."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import UsageError
from .dispatch import explained

_CONFIGS = Path(__file__).parents[1] / "configs"


def run(argv: list[str]) -> int:
    """Print a bundled study, or the names of all bundled studies.

    Args:
        argv: Command line without `config`.

    Returns:
        Exit status.

    Raises:
        UsageError: No bundled study has that name.
    """
    studies = {**bundled_studies(), **bundled_studies("rank")}
    names = ", ".join(studies)
    what = f"Print a bundled study to use as a starting point; without NAME, list the bundled studies: {names}."
    if explained(argv, "config [NAME]", what):
        return 0
    if len(argv) > 1 or (argv and argv[0] not in studies):
        raise UsageError(f"config prints one bundled study: untrained config NAME, where NAME is one of {names}")
    print(studies[argv[0]].read_text("utf-8").removesuffix("\n") if argv else "\n".join(studies))
    return 0


def bundled_studies(kind: str = "studies") -> dict[str, Path]:
    """Return the files of the bundled studies, by name.

    Args:
        kind: Their folder: `studies` for `untrained compare`, `rank` for `untrained rank`.
    """
    return {path.stem: path for path in sorted((_CONFIGS / kind).glob("*.yaml"), key=lambda path: path.stem)}


def configs_in(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the position, the prefix and the name of each configuration on a command line."""
    for index, word in enumerate(words):
        if word.startswith("--config="):
            yield index, "--config=", word.removeprefix("--config=")
        elif index and words[index - 1] == "--config":
            yield index, "", word
