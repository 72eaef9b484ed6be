"""`untrained list`: show plug-ins, embedding stores and runs, without importing torch."""

import argparse
import inspect
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..embeddings import FORMAT
from ..errors import UntrainedError, UsageError
from ..escaping import for_terminal
from ..files import other_format, read_json
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES, Plugin, Registry
from ..terminal import say
from .runs import print_runs

REGISTRIES: dict[str, Registry[Any]] = {
    registry.room: registry for registry in (FRONTENDS, BACKENDS, DATAMODULES, PROXIES)
}
STORES = "embeddings"
RUNS = "runs"
_ABOUT_FRONTENDS = ("input", "filters", "domain_knowledge", "reference")  # class attributes, all optional
_ABOUT_DATA = ("origin", "licence", "citation")
_ABOUT = {"frontend": _ABOUT_FRONTENDS, "datamodule": _ABOUT_DATA, "proxy": ("needs",)}


def run(argv: list[str]) -> int:
    """Print plug-ins, runs, or stored embeddings.

    Plug-ins of other packages are imported, because only an import shows whether they can be loaded.

    Args:
        argv: Command line without `list`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line names an unknown kind, or combines incompatible kinds and options.
    """
    options = _parser().parse_args(argv)
    kinds = options.kinds
    if kinds == [STORES]:
        return _list_stores(Path(options.embeddings))
    if kinds[:1] == [RUNS]:
        if len(kinds) > 2 or options.details:
            raise UsageError(f"{RUNS} takes one folder, without other kinds or --details: untrained list runs FOLDER")
        print_runs(Path(*kinds[1:] or [RUNS]))
        return 0
    if STORES in kinds:
        problem = f"{' '.join(kinds)}: {STORES} cannot be listed with other kinds"
        raise UsageError(f"{problem}; run untrained list {STORES}")
    for kind in kinds:
        if kind not in REGISTRIES:
            raise UsageError(f"unknown kind {kind!r}; expected {', '.join([*REGISTRIES, STORES, RUNS])}")
    if options.details and kinds and "frontends" not in kinds:
        raise UsageError(f"--details applies to frontends only, not to {', '.join(kinds)}; add frontends")
    for kind in kinds or REGISTRIES:
        _list_plugins(kind, details=options.details)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="untrained list", description="Show registered plug-ins, embedding stores or runs."
    )
    kinds = f"{', '.join(REGISTRIES)} (default: all four), {STORES}, or {RUNS} with their folder (default: {RUNS})"
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=kinds)
    folder = "folder of all embedding stores (default: %(default)s)"
    parser.add_argument("--embeddings", default="runs/embeddings", metavar="DIR", help=folder)
    details = "show the layers of frontends, with output shapes, parameters and FLOP"
    parser.add_argument("--details", action="store_true", help=details)
    return parser


def _list_plugins(kind: str, *, details: bool) -> None:
    """Print the plug-ins of a kind: name, distribution and summary, with other attributes below."""
    registry = REGISTRIES[kind]
    print(f"{kind}:")
    width = max(map(len, registry.names()), default=0)
    whose = max((len(plugin.distribution) for plugin in registry.plugins), default=0)
    for plugin in registry.plugins:
        try:
            first, *more = _about(plugin, registry)
            more += _layers(plugin.name) if details and registry is FRONTENDS else []
        except UntrainedError as error:
            first, more = f"FAILED: {error}", []
        say(f"  {plugin.name:<{width}}  {plugin.distribution:<{whose}}  {first}".rstrip())
        for line in more:
            say(f"  {'':<{width}}  {'':<{whose}}  {line}".rstrip())


def _about(plugin: Plugin, registry: Registry[Any]) -> list[str]:
    """Return the summary of a plug-in, and lines with the class attributes that describe it.

    Raises:
        UntrainedError: A plug-in of another package cannot be imported.
    """
    cls = None if plugin.is_ours else registry.get(plugin.name)
    names = _ABOUT.get(registry.kind, ())
    attributes = plugin.constants() if cls is None else {name: getattr(cls, name, None) for name in names}
    # The source of an editable installation may be found only by importing it.
    summary = plugin.summary() or ((cls.__doc__ or "").strip().partition("\n")[0] if cls is not None else "")
    if registry is FRONTENDS:
        return [summary, *_design(attributes)]
    if registry is DATAMODULES:
        return [summary, *(f"{name}: {attributes[name]}" for name in names if attributes.get(name))]
    if registry is PROXIES:
        needs = attributes.get("needs")
        listed = list(map(str, needs)) if isinstance(needs, tuple | list) else []
        return [summary, f"needs {', '.join(listed if {'data', 'labels'} & {*listed} else ['no data', *listed])}"]
    return [summary]


def _design(attributes: Mapping[str, Any]) -> list[str]:
    """Return a line with input, filters, domain knowledge and reference of a frontend, as far as its class has them."""
    read, filters, known, reference = (attributes.get(name) for name in _ABOUT_FRONTENDS)
    known = {True: "domain knowledge", False: "no domain knowledge"}.get(known) if isinstance(known, bool) else None
    line = ", ".join(str(part) for part in (read, filters and f"{filters} filters", known, reference) if part)
    return [line] if line else []


def _layers(name: str) -> list[str]:
    """Return the description of a frontend with default arguments: a line for each layer."""
    parameters = inspect.signature(FRONTENDS.get(name)).parameters.values()
    if any(parameter.default is parameter.empty for parameter in parameters):
        return ["(the layers depend on arguments that have no default)"]
    try:
        description = FRONTENDS.create(name).describe()
    except Exception as error:  # a plug-in may raise anything
        return [f"FAILED: {type(error).__name__}: {error}"]
    return ["", *str(description).splitlines(), ""]


def _list_stores(root: Path) -> int:
    """Print every store with its size."""
    if not root.is_dir():
        raise UsageError(f"no folder at {root}; give the folder of your stores with --embeddings DIR")
    lines: list[tuple[str, ...]] = []
    n_bytes = 0
    for folder in sorted(path.parent for path in root.glob("*/manifest.json")):
        size = sum(map(_size, folder.rglob("*")))
        n_bytes += size
        try:
            about = _about_store(folder)
        except UntrainedError as error:
            about = (str(error), "", "")
        except (ValueError, KeyError, TypeError, OSError) as error:
            about = (f"FAILED: {type(error).__name__}: {error}", "", "")
        lines.append(tuple(map(for_terminal, (folder.name, *about, _megabytes(size)))))
    n_stores = len(lines)
    for folder in sorted(path.parent for path in root.glob("waveforms/*/manifest.json")):
        size = sum(map(_size, folder.glob("*")))
        n_bytes += size
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime))
        lines.append(tuple(map(for_terminal, (f"waveforms/{folder.name}", "", "", made, _megabytes(size)))))
    header = ("store", "clips", "features", "made", "MB")
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]
    for line in [header, *lines]:
        print("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]))
    say(f"{n_stores} stores, {_megabytes(n_bytes)} MB in {root}")
    return 0


def _about_store(folder: Path) -> tuple[str, str, str]:
    """Return the number of clips and features of a store, and when it was written."""
    manifest = read_json(folder / "manifest.json")
    if manifest["format"] != FORMAT:
        raise UntrainedError(f"{other_format(manifest['format'], FORMAT)} delete the folder")
    from ..embeddings.shard_list import FILE, read_list  # imports NumPy and pyarrow

    written = folder / FILE
    n_clips = sum(shard.n_rows for shard in read_list(folder)[0])
    changed = (written if written.is_file() else folder).stat().st_mtime
    return f"{n_clips:,}", f"{manifest['embedding_size']:,}", time.strftime("%Y-%m-%d %H:%M", time.localtime(changed))


def _size(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if a running extraction has removed it in the meantime."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.2f}"
