"""`untrained list`: what is registered, and what is stored; imports neither torch nor NumPy for it."""

import argparse
import csv
import inspect
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UntrainedError, UsageError
from ..registry import BACKENDS, DATAMODULES, FRONTENDS

_PLACE = ("input", "filters", "domain_knowledge", "reference")  # what a frontend says of itself
_ORIGIN = ("origin", "licence", "citation")  # what a data set says of itself
_STORES = "embeddings"


def list_what_there_is(argv: list[str]) -> int:
    """Print plug-ins, or stored embeddings.

    Plug-ins of other packages are loaded, as nothing else tells whether they work.

    Args:
        argv: The command line without `list`.

    Returns:
        Exit status.

    Raises:
        UsageError: There is no such kind of thing to list.
    """
    registries = {"frontends": FRONTENDS, "backends": BACKENDS, "datamodules": DATAMODULES}
    parser = argparse.ArgumentParser(prog="untrained list", description="Show what is registered, or stored.")
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"{', '.join(registries)}, by default these; or {_STORES}"
    )
    parser.add_argument(
        "--embeddings", default="runs/embeddings", metavar="DIR", help="folder of all embedding stores (%(default)s)"
    )
    parser.add_argument(
        "--details", action="store_true", help="of frontends: layers with output shapes, parameters and FLOP"
    )
    options = parser.parse_args(argv)
    kinds = options.kinds
    if kinds == [_STORES]:
        return _list_stores(Path(options.embeddings))
    if _STORES in kinds:
        raise UsageError(f"{' '.join(kinds)}: {_STORES} are listed alone; give untrained list {_STORES}")
    for kind in kinds:
        if kind not in registries:
            raise UsageError(f"unknown kind {kind!r}; there are {', '.join([*registries, _STORES])}")
    if options.details and kinds and "frontends" not in kinds:
        raise UsageError(f"--details tells of frontends, and {', '.join(kinds)} are asked for; add frontends")
    for kind in kinds or registries:
        registry = registries[kind]
        print(f"{kind}:")
        width = max((len(name) for name in registry.names()), default=0)
        whose = max((len(plugin.distribution) for plugin in registry.plugins), default=0)
        for plugin in registry.plugins:
            try:
                cls = None if plugin.is_ours else registry.get(plugin.name)
                # The source of what is installed in place is not found without importing it.
                documented = "" if cls is None else cls.__doc__ or ""
                lines = [plugin.summary() or documented.strip().partition("\n")[0]]
                told = _PLACE if registry is FRONTENDS else _ORIGIN if registry is DATAMODULES else ()
                attributes = plugin.constants() if cls is None else {name: getattr(cls, name, None) for name in told}
                if registry is DATAMODULES:
                    lines += [f"{name}: {attributes[name]}" for name in _ORIGIN if attributes.get(name)]
                if registry is FRONTENDS:
                    lines += [*_place(attributes), *(_layers(plugin.name) if options.details else [])]
            except UntrainedError as error:
                lines = [f"FAILED: {error}"]
            for number, line in enumerate(lines):
                who = (
                    f"{plugin.name:<{width}}  {plugin.distribution:<{whose}}"
                    if number == 0
                    else " " * (width + 2 + whose)
                )
                print(f"  {who}  {line}".rstrip())
    return 0


def _place(attributes: Mapping[str, Any]) -> list[str]:
    """Where a frontend stands in the table of the study's talk, as far as it says."""
    read, filters, known, reference = (attributes.get(name) for name in _PLACE)
    known = {True: "domain knowledge", False: "no domain knowledge"}.get(known) if isinstance(known, bool) else None
    parts = [read, filters and f"{filters} filters", known, reference]
    place = ", ".join(str(part) for part in parts if part)
    return [place] if place else []


def _layers(name: str) -> list[str]:
    """The layers of a frontend as it is by default, for a clip of the study's length."""
    if any(
        parameter.default is parameter.empty for parameter in inspect.signature(FRONTENDS.get(name)).parameters.values()
    ):
        return ["(its layers depend on arguments that have no default)"]
    try:
        description = FRONTENDS.create(name).describe()
    except Exception as error:  # whatever a plug-in raises
        return [f"FAILED: {type(error).__name__}: {error}"]
    return ["", *str(description).splitlines(), ""]


def _list_stores(root: Path) -> int:
    """Print every store with its size and what made it."""
    if not root.is_dir():
        raise UsageError(f"no folder at {root}; give the folder of your stores with --embeddings DIR")
    lines, n_bytes = [], 0
    for folder in sorted(path.parent for path in root.glob("*/manifest.json")):
        size = sum(map(_size, folder.rglob("*")))
        n_bytes += size
        try:
            lines.append((folder.name, *_told_of_store(folder), _megabytes(size)))
        except (ValueError, KeyError, TypeError, OSError) as error:
            lines.append((folder.name, f"FAILED: {type(error).__name__}: {error}", "", "", _megabytes(size)))
    header = ("store", "clips", "features", "made", "MB")
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]
    for line in [header, *lines]:
        print("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]))
    print(f"{len(lines)} stores, {_megabytes(n_bytes)} MB in {root}")
    return 0


def _told_of_store(folder: Path) -> tuple[str, str, str]:
    """How many clips and features a store holds, and when it was written."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    written = folder / "clips.csv"
    n_clips = 0
    if written.is_file():
        with written.open(encoding="utf-8", newline="") as file:
            n_clips = max(0, sum(1 for _ in csv.reader(file)) - 1)
    changed = (written if written.is_file() else folder).stat().st_mtime
    return f"{n_clips:,}", f"{manifest['embedding_size']:,}", time.strftime("%Y-%m-%d %H:%M", time.localtime(changed))


def _size(path: Path) -> int:
    """Bytes of a file; none of one that a running extraction has removed since it was listed."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.2f}"
