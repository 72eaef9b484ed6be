"""The words of a command line, put into the order in which the parser accepts them."""

import re
from collections.abc import Iterator, Sequence

from ..errors import UsageError
from ..parsing import KINDS

_KEYS = {"--model.frontend": "frontend", "--model.backend": "backend", "--data": "data"}
_NO_EFFECT = {
    "predict": (
        ("--model.backend", "--model.layers", "--model.protocol", "--model.standardize"),
        "embeddings hold all layers, unchanged, and no backend reads them yet",
    ),
    "test": (("--model.protocol",), "the checkpoint is scored on the test split"),
}


def refuse_without_effect(words: Sequence[str]) -> None:
    """Raise if an option is typed that a stage does not use; in a configuration it may serve another stage.

    Args:
        words: Command line that begins with the name of the stage.

    Raises:
        UsageError: There is such an option.

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

    The parser knows the arguments of a plug-in only after its name. Arguments that come earlier are moved to just after
    the name or, where only a configuration can hold the name, after the configuration. Everything else keeps its place.

    Args:
        words: Command line.

    Raises:
        UsageError: There are arguments of a plug-in, but neither a name nor a configuration.

    Example:
        >>> names_first(["fit", "--data.root", "sounds", "--force", "--data", "folder"])
        ['fit', '--force', '--data', 'folder', '--data.root', 'sounds']
    """
    options = list(_options(words))
    for key in _KEYS:
        options = _name_first(options, key)
    return [word for option in options for word in option]


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
            f"{names[given[0]]} is an argument of a {registry.kind}, and none is named; add {key} NAME, one of "
            f"{', '.join(registry.names())}"
        )
    place = (of_name or of_config)[0]
    early = [index for index in given if index < place]
    kept = [option for index, option in enumerate(options[: place + 1]) if index not in early]
    return [*kept, *(options[index] for index in early), *options[place + 1 :]]
