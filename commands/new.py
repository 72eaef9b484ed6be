"""`untrained new frontend NAME`: write a plug-in package that keeps its contract, as a starting point."""

import keyword
import re
from pathlib import Path
from string import Template

from ..errors import UsageError
from ..registry import FRONTENDS
from .dispatch import explained

_IMPORTED = {"Frontend", "LogMel", "Tensor"}  # names that the templates import
_TEMPLATES = Path(__file__).parent / "templates" / "frontend"


def run(argv: list[str]) -> int:
    """Write a package with a frontend to use as a starting point.

    Args:
        argv: Command line without `new`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line does not name a frontend.
    """
    what = "Write a package with a frontend to use as a starting point, which works as it is."
    if explained(argv, "new frontend NAME", what):
        return 0
    if len(argv) != 2 or argv[0] != "frontend" or argv[1].startswith("-"):
        raise UsageError("new makes a package with a frontend: untrained new frontend NAME")
    files = new_frontend(argv[1])
    folder = next(file.parent for file in files if file.name == "pyproject.toml")
    print("\n".join(map(str, files)))
    print(f"next: pip install -e '{folder}[test]' && untrained check frontend {argv[1]} && pytest {folder}")
    return 0


def new_frontend(name: str) -> list[Path]:
    """Write a package with one frontend, its entry point and its tests to the folder `untrained-NAME`.

    Args:
        name: Name of the frontend, a Python identifier.

    Returns:
        Paths of the files.

    Raises:
        UsageError: The name is not usable or is taken, or the folder exists.
    """
    cls = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*[A-Za-z0-9]", name) or keyword.iskeyword(name) or cls in _IMPORTED:
        raise UsageError(f"{name!r} cannot be the name of a package; give one as my_idea, with letters, digits and _")
    if name in FRONTENDS.names():
        raise UsageError(f"frontend {name!r} is registered by {FRONTENDS.find(name).distribution}; give another name")
    dashed = name.replace("_", "-").lower()
    folder = Path(f"untrained-{dashed}")
    if folder.exists():
        raise UsageError(f"{folder} is there already; give another name, or remove it")
    words = {"name": name, "dashed": dashed, "cls": cls}
    written = []
    for template in sorted(_TEMPLATES.rglob("*.template")):
        name_of_file = template.relative_to(_TEMPLATES).as_posix().removesuffix(".template")
        file = folder / Template(name_of_file).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text("utf-8")).substitute(words), encoding="utf-8")
        written.append(file)
    return written
