"""`untrained new KIND NAME`: write a plug-in package that keeps its contract, as a starting point."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Any

from ..errors import UsageError
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES, Registry
from ..terminal import say
from .dispatch import explained

PLUGINS: dict[str, Registry[Any]] = {
    registry.kind: registry for registry in (FRONTENDS, BACKENDS, DATAMODULES, PROXIES)
}
# Names that the templates import.
_IMPORTED = {
    *("Frontend", "LogMel", "Tensor"),
    *("Any", "Backend", "ClassVar", "Self"),
    *("AudioDataModule", "Clip", "DataError", "Path"),
    *("Proxy", "Subject"),
}
_TEMPLATES = Path(__file__).parent / "templates"


def run(argv: list[str]) -> int:
    """Write a package with a plug-in to use as a starting point.

    Args:
        argv: Command line without `new`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line does not name a kind of plug-in and a plug-in.
    """
    what = "Write a package with a working plug-in to use as a starting point."
    kinds = "|".join(PLUGINS)
    if explained(argv, f"new {kinds} NAME", what):
        return 0
    if len(argv) != 2 or argv[0] not in PLUGINS or argv[1].startswith("-"):
        raise UsageError(f"new needs a kind of plug-in and a name: untrained new {kinds} NAME")
    kind, name = argv
    files = new_plugin(kind, name)
    folder = next(file.parent for file in files if file.name == "pyproject.toml")
    root = " --datamodule.root DIR" if kind == "datamodule" else ""
    say("\n".join(map(str, files)))
    say(f"next: pip install -e '{folder}[test]' && untrained check {kind} {name}{root} && pytest {folder}")
    return 0


def new_plugin(kind: str, name: str) -> list[Path]:
    """Write a package with one plug-in, its entry point and its tests to the folder `untrained-NAME`.

    Args:
        kind: Kind of the plug-in: frontend, backend, datamodule or proxy.
        name: Name of the plug-in, a Python identifier.

    Returns:
        Paths of the files.

    Raises:
        UsageError: The name is not usable or is taken, or the folder exists.
    """
    cls = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*[A-Za-z0-9]", name) or keyword.iskeyword(name) or cls in _IMPORTED:
        raise UsageError(f"{name!r} cannot be the name of a package; use letters, digits and _, for example my_idea")
    registry = PLUGINS[kind]
    if name in registry.names():
        raise UsageError(f"{kind} {name!r} is registered by {registry.find(name).distribution}; give another name")
    if (kind, name) == ("proxy", "nngp"):
        raise UsageError("proxy 'nngp' has the name of a score of untrained that is not registered; give another name")
    dashed = name.replace("_", "-").lower()
    folder = Path(f"untrained-{dashed}")
    if folder.exists():
        raise UsageError(f"{folder} exists already; give another name, or remove the folder")
    words = {"name": name, "dashed": dashed, "cls": cls}
    written = []
    for template in sorted((_TEMPLATES / kind).rglob("*.template")):
        name_of_file = template.relative_to(_TEMPLATES / kind).as_posix().removesuffix(".template")
        file = folder / Template(name_of_file).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text("utf-8")).substitute(words), encoding="utf-8")
        written.append(file)
    return written
