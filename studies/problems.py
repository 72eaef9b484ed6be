"""Problems of a study with their locations, which are collected so that all are reported at once."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from ..errors import UntrainedError, UsageError
from ..registry import PROBE_OPTIONS

T = TypeVar("T")
_PARTS = {"--data": "data set", "--model.frontend": "frontend", "--model.backend": "backend"}


class Problem(NamedTuple):
    """A problem in a study, and its solution.

    Args:
        place: Location in the study, such as `frontends[2].n_filters`.
        text: Description of the problem and its solution.

    Example:
        >>> str(Problem("seeds", "the list is empty; add at least one entry"))
        'seeds: the list is empty; add at least one entry'
    """

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def attempt(place: str, action: Callable[..., T], *arguments: Any) -> T | Problem:
    """Call a function and return its value, or the exception that it raises as a problem.

    Args:
        place: Location in the study that the function handles.
        action: Function to call; it may raise any exception, because it may call a plug-in.
        arguments: Arguments of the function.
    """
    try:
        return action(*arguments)
    except Exception as error:
        is_message = isinstance(error, UntrainedError | ValueError | TypeError | OSError)
        text = str(error).removeprefix("--value") if is_message else f"{type(error).__name__}: {error}"
        text = in_terms_of_a_study(text)
        if named := re.match(r"(?:--|\.)([\w.]+): ", text):  # a parser names the invalid argument
            return Problem(f"{place}.{named[1]}", text[named.end() :])
        return Problem(place, text.removeprefix(": "))


def in_terms_of_a_study(text: str) -> str:
    """Return a message about the options of a single run with the equivalent options of `compare`.

    Example:
        >>> in_terms_of_a_study("skip them with --data.on_error skip, or use --model.protocol holdout")
        "skip them with 'on_error: skip' in init_args of the data set, or use --protocol holdout"
    """
    text = re.sub(r"--model\.backend (\w+)", r"--backends '[\1]'", text)
    text = re.sub(rf"--model\.({'|'.join(PROBE_OPTIONS)}) (\w+)", r"--model.\1 '[\2]'", text)
    for option, part in _PARTS.items():
        pattern = rf"{option}\.(\w+)(?:(?:=| (?=(?:\d+|skip|false|true|FILE)\b))([^\s;,]+))?"
        for found in reversed(list(re.finditer(pattern, text))):
            written = ": ".join(filter(None, found.groups()))
            text = f"{text[: found.start()]}{written!r} in init_args of the {part}{text[found.end() :]}"
    return text.replace("--model.protocol", "--protocol").replace("--model.fit_memory", "--fit_memory")


def refuse(problems: Sequence[Problem]) -> None:
    """Raise all problems as one error, with each on its own line if there are several.

    Raises:
        UsageError: There is at least one problem.
    """
    lines = list(dict.fromkeys(map(str, problems)))
    if lines:
        several = f"the study cannot run, for {len(lines)} reasons:\n  " if len(lines) > 1 else ""
        raise UsageError(several + "\n  ".join(lines))
