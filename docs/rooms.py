"""The rooms of the package: which may import which, the longest chain of imports, and a picture.

python docs/rooms.py                         # prints the size of the code and the longest chain of imports
python docs/rooms.py docs/images/rooms.svg   # also redraws the picture
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTSIDE = {"benchmarks", "build", "docs", "examples", "noxfile", "setup", "tests"}  # not in the package

LAYERS: list[dict[str, str]] = [
    {"cli.py": "selects the command; turns errors into messages"},
    {"commands": "one file for each command"},
    {"integrations": "HEAR, scikit-learn", "testing": "contract checks for plug-ins"},
    {"studies": "many runs: plan, execute, analyse, report"},
    {"proxies": "numbers of a network before training that may predict its accuracy"},
    {"training": "a frontend + a head, trained end to end"},
    {"probes": "one frontend + one backend: choose, fit, score, save, use"},
    {"embeddings": "audio -> rows on disk, once"},
    {"datamodules": "clips, labels, splits", "frontends": "waveform -> embedding", "backends": "embedding -> class"},
    {
        "parsing.py": "the command line",
        "registry.py": "plug-ins by name",
        "audio": "file -> waveform",
        "terminal.py": "bars, Ctrl-C",
        "escaping.py": "escaped text",
        "files.py": "atomic writes",
        "errors.py": "exceptions",
    },
]
"""Rooms with their contents, from the top layer down; a room imports only from layers below its own."""

WAY: list[tuple[str, str]] = [
    ("commands/stages.py", "parse; make the probe and the data set"),
    ("embeddings/extract.py", "list the clips that the store lacks"),
    ("embeddings/session.py", "lock the store, start with missing clips"),
    ("datamodules/loader.py", "read a batch of clips"),
    ("audio/decoding.py", "decode a file to a waveform"),
    ("frontends/base.py", "waveform to embedding"),
    ("embeddings/store.py", "commit rows to disk"),
    ("probes/stages.py", "read embeddings, fit, score, record"),
    ("backends/base.py", "search candidates; the probe chooses one"),
    ("probes/checkpoint.py", "save the fitted probe"),
]
"""Modules that a clip passes through, from `untrained fit` to the saved probe, and what each does."""


def room_of(module: str) -> str:
    """Return the room of a module, given by its dotted name below the package."""
    first, _, rest = module.partition(".")
    return first if rest or (ROOT / first).is_dir() else f"{first}.py"


@cache
def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return the modules of the package by their dotted names below it; a package has the name of its folder."""
    found = {}
    for path in sorted(root.glob("*.py")) + sorted(root.glob("*/*.py")) + sorted(root.glob("*/*/*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] not in OUTSIDE and not parts[0].startswith("."):
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports_of(module: str, root: Path = ROOT, *, at_import: bool = False) -> Iterator[str]:
    """Yield the modules of the package that a module imports.

    Args:
        module: Dotted name below the package.
        root: Root of the package.
        at_import: Whether to leave out imports in functions and for type checkers, which do not run when the module is
            imported.
    """
    path = modules(root)[module]
    package = module.split(".") if path.name == "__init__.py" and module != "__init__" else module.split(".")[:-1]
    for node in _statements(ast.parse(path.read_text("utf-8")), at_import=at_import):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            for alias in node.names:
                names = [".".join(filter(None, [*base, alias.name])), ".".join(filter(None, base))]
                yield from (name for name in names[: 1 + (names[0] not in modules(root))] if name in modules(root))


def _statements(tree: ast.AST, *, at_import: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not (at_import and (is_function or is_for_types)):
            yield node
            yield from _statements(node, at_import=at_import)


def longest_chain(root: Path = ROOT) -> list[str]:
    """Return the longest chain of modules in which each imports the next one at import time.

    Raises:
        ValueError: There is a circular import; the message names its modules.
    """
    known: dict[str, list[str]] = {}
    for module in modules(root):
        _chain_from(module, root, known, ())
    return max(known.values(), key=len)


def _chain_from(module: str, root: Path, known: dict[str, list[str]], path: tuple[str, ...]) -> list[str]:
    if module in path:
        raise ValueError(f"circular imports: {' -> '.join([*path[path.index(module) :], module])}")
    if module not in known:
        below = [
            _chain_from(name, root, known, (*path, module))
            for name in imports_of(module, root, at_import=True)
            if name != module
        ]
        known[module] = [module, *max(below, key=len, default=[])]
    return known[module]


def picture() -> str:
    """Return a picture of the rooms and of the path of a clip through them, as SVG."""
    width, row, gap = 640, 62, 10
    height = len(LAYERS) * (row + gap) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 400} {height}" font-family="sans-serif">',
        f'<rect width="{width + 400}" height="{height}" fill="white"/>',
        '<text x="10" y="24" font-size="15" fill="#333">Rooms: each imports only from layers below its own</text>',
        f'<text x="{width + 30}" y="24" font-size="15" fill="#333">Data flow of untrained fit</text>',
    ]
    stations: dict[str, list[int]] = {}
    for number, (file, _) in enumerate(WAY, 1):
        stations.setdefault(file if file.count("/") == 0 else file.split("/")[0], []).append(number)
    for floor, rooms in enumerate(LAYERS):
        top = 40 + floor * (row + gap)
        share = (width - 10) / len(rooms)
        for index, (room, inside) in enumerate(rooms.items()):
            left = 10 + index * share
            fill = "#e8f1fb" if (ROOT / room).is_dir() else "#f4f4f4"
            parts.append(
                f'<rect x="{left:.0f}" y="{top}" width="{share - gap:.0f}" height="{row}" rx="6" fill="{fill}" '
                'stroke="#5b7fa6"/>'
            )
            name = f"{room}/" if (ROOT / room).is_dir() else room
            large, size = (15, 12) if len(rooms) < 4 else (12, 9)
            parts.append(
                f'<text x="{left + 8:.0f}" y="{top + 22}" font-size="{large}" font-weight="bold">{name}</text>'
            )
            parts.append(
                f'<text x="{left + 8:.0f}" y="{top + 40}" font-size="{size}" fill="#555">{escape(inside)}</text>'
            )
            for place, number in enumerate(reversed(stations.get(room, []))):
                parts += _badge(left + share - gap - 14 - 22 * place, top + row - 12, number)
    for number, (file, what) in enumerate(WAY, 1):
        y = 58 + (number - 1) * 56
        parts += _badge(width + 42, y, number)
        parts.append(f'<text x="{width + 60}" y="{y}" font-size="14" font-weight="bold">{file}</text>')
        parts.append(f'<text x="{width + 60}" y="{y + 18}" font-size="13" fill="#555">{escape(what)}</text>')
        if number < len(WAY):
            parts.append(f'<path d="M{width + 42} {y + 14} v28" stroke="#c0562b" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>\n"])


def _badge(x: float, y: float, number: int) -> list[str]:
    return [
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="10" fill="#c0562b"/>',
        f'<text x="{x:.0f}" y="{y + 4:.0f}" font-size="12" fill="white" text-anchor="middle">{number}</text>',
    ]


if __name__ == "__main__":
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
    chain = longest_chain()
    n_lines = sum(len(path.read_text("utf-8").splitlines()) for path in modules().values())
    print(f"{len(modules())} modules, {n_lines} lines; {len(list(ROOT.glob('*.py')))} of them at the root")
    print(f"longest chain of imports, {len(chain)} modules: {' > '.join(chain)}")
