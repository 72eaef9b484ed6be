"""Words of a command line: checks for options without effect, the order of options, and paths that YAML misreads."""

import os
import re
from collections.abc import Iterator, Sequence

import yaml

from ..errors import UsageError
from ..parsing import KINDS

_KEYS = {"--model.frontend": "frontend", "--model.backend": "backend", "--data": "data"}
_PATHS = ("--data.root", "--data.path", "--embeddings", "--trainer.default_root_dir")
_NO_EFFECT = {
    "predict": (
        ("--model.backend", "--model.layers", "--model.protocol", "--model.standardize", "--model.fit_memory"),
        "embeddings hold all layers, unchanged, and no backend is fitted to them yet",
    ),
    "test": (("--model.protocol", "--model.fit_memory"), "test only scores the test split"),
}


def refuse_without_effect(words: Sequence[str]) -> None:
    """Raise if the command line has an option that the stage does not use.

    A configuration may have such options, because other stages may use them.

    Args:
        words: Command line that begins with the name of the stage.

    Raises:
        UsageError: An option has no effect on the stage.

    Example:
        >>> refuse_without_effect(["predict", "--model.protocol", "nested"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        untrained.errors.UsageError: --model.protocol has no effect on predict (embeddings hold all layers, ...
    """
    unused, reason = _NO_EFFECT.get(words[0], ((), ""))
    for option in _options(words[1:]):
        name = option[0].partition("=")[0] if option else ""
        if not name.endswith(".help") and any(name == key or name.startswith(f"{key}.") for key in unused):
            raise UsageError(f"{name} has no effect on {words[0]} ({reason}); leave it out")


def names_first(words: Sequence[str]) -> list[str]:
    """Return a command line in which the arguments of a plug-in follow its name, wherever the user has put them.

    The parser knows the arguments of a plug-in only after its name. Earlier arguments are moved to directly after the
    name or, if only a configuration can hold the name, after the configuration. All other words keep their order.

    Args:
        words: Command line.

    Raises:
        UsageError: The command line has arguments of a plug-in, but neither its name nor a configuration.

    Example:
        >>> names_first(["fit", "--data.root", "sounds", "--force", "--data", "folder"])
        ['fit', '--force', '--data', 'folder', '--data.root', 'sounds']
    """
    options = list(_options(paths_as_text(words)))
    for key in _KEYS:
        options = _name_first(options, key)
    return [word for option in options for word in option]


def paths_as_text(words: Sequence[str]) -> list[str]:
    """Return a command line in which YAML reads every path of data and results as text.

    The name of a folder or file may begin with `#`, `-` or `~`, or look like a list. If it exists, it gets a `./` in
    front.

    Args:
        words: Command line.

    Raises:
        UsageError: A path would be misread, and it does not exist or `./` does not help.
    """
    found = list(words)
    for index, word in enumerate(found):
        option, sign, value = word.partition("=")
        if option not in _PATHS and not option.startswith("--roots."):
            continue
        place = index if sign else index + 1
        value = value if sign else found[place] if place < len(found) else ""
        if not value.isascii() and os.path.exists(value):
            escaped = value.encode(errors="backslashreplace").decode()  # for a name that is not UTF-8
            found[place] = f"{option}={escaped}" if sign else escaped
        if value.startswith("-") and not sign and not os.path.exists(value):
            continue  # the next option
        if problem := _misread(value):
            text = os.path.abspath(value) if value.startswith("~") else f"./{value}"
            if not os.path.exists(value) or _misread(text):
                if value in ("null", "~"):
                    continue
                raise UsageError(f"{option} {value!r} {problem}; rename it, or give a symbolic link with another name")
            found[place] = f"{option}={text}" if sign else text
    return found


def _misread(value: str) -> str:
    """Return how the parser would misread a path; empty if it is read as text."""
    if value.startswith("-"):
        return "looks like an option"
    if value.startswith("~") and os.path.expanduser(value) == value:
        return "names the home of a user who does not exist"
    if not value.isprintable():
        return ""
    if "${" in value and os.path.exists(value):
        return "is an interpolation in a configuration"
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return ""  # the parser keeps it as text
    if read is None and value.strip():
        return "is a comment or an empty value in YAML"
    return "" if isinstance(read, str) else f"is read as {read!r} in YAML" if isinstance(read, list | dict) else ""


def _options(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield each option with its values; the first list holds the words before any option."""
    option: list[str] = []
    for word in words:
        if re.match(r"--|-[A-Za-z]", word):
            yield option
            option = []
        option.append(word)
    yield option


def _name_first(options: list[list[str]], key: str) -> list[list[str]]:
    names = [option[0].partition("=")[0] if option else "" for option in options]
    configs = ("--config", "-c", *(["--model"] if key.startswith("--model.") else []))
    of_name = [index for index, name in enumerate(names) if name in (key, f"{key}.class_path")]
    of_config = [index for index, name in enumerate(names) if name in configs]
    others = (f"{key}.class_path", f"{key}.help")
    given = [index for index, name in enumerate(names) if name.startswith(f"{key}.") and name not in others]
    if not given:
        return options
    if not of_name and not of_config:
        registry = KINDS[_KEYS[key]]
        raise UsageError(
            f"{names[given[0]]} is an argument of a {registry.kind}, but no {registry.kind} is named; add {key} NAME, "
            f"one of {', '.join(registry.names())}"
        )
    place = (of_name or of_config)[0]
    early = [index for index in given if index < place]
    kept = [option for index, option in enumerate(options[: place + 1]) if index not in early]
    return [*kept, *(options[index] for index in early), *options[place + 1 :]]
