"""Structure of the repository: rooms, layers, names, and a test file for every module."""

import os
import re
from pathlib import Path

import pytest
import rooms

ROOT = rooms.ROOT
FLOOR_OF = {room: floor for floor, layer in enumerate(reversed(rooms.LAYERS)) for room in layer}
ENTRANCES = {"__init__", "__main__", "hear"}  # modules for users and tools, above all layers
# Modules whose subject is tested in the file of another module.
TESTED_BY = {
    "__init__": "tests/test_package.py",
    "__main__": "tests/test_terminal.py",
    "errors": "tests/commands/test_mistakes.py",
    "hear": "tests/integrations/test_hear.py",
    "commands.options": "tests/commands/test_usage.py",
    "parsing": "tests/commands/test_mistakes.py",
    "backends.names": "tests/test_registry.py",
    "datamodules.names": "tests/test_registry.py",
    "proxies.names": "tests/test_registry.py",
    "frontends.names": "tests/test_registry.py",
    "datamodules.clip": "tests/datamodules/test_splits.py",
    "datamodules.found": "tests/datamodules/test_search.py",
    "datamodules.options": "tests/datamodules/test_loader.py",
    "datamodules.synthesis": "tests/datamodules/test_synthetic.py",
    "datamodules.suffixes": "tests/datamodules/test_search.py",
    "datamodules.table": "tests/datamodules/test_manifest.py",
    "studies.rank_analysis.analysis": "tests/studies/rank_analysis/test_analyse.py",
    "studies.rank_analysis.statistics": "tests/studies/rank_analysis/test_analyse.py",
}


def refused_imports(root=ROOT):
    """Yield imports of a room on the same floor or above; rooms on the ground floor may import each other."""
    for module in rooms.modules(root):
        room = rooms.room_of(module)
        for name in rooms.imports_of(module, root) if module not in ENTRANCES else ():
            other = rooms.room_of(name)
            on_ground = FLOOR_OF[room] == FLOOR_OF.get(other) == 0
            if other != room and not on_ground and FLOOR_OF.get(other, 99) >= FLOOR_OF[room]:
                yield f"{module} imports {name}"


def test_rooms_import_only_from_layers_below():
    assert list(refused_imports()) == []


def test_there_are_no_circular_imports():
    chain = rooms.longest_chain()  # raises an error if imports are circular
    assert chain[0].startswith("commands.")


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("embeddings/store.py", "from ..probes.record import FORMAT", "embeddings.store imports probes.record"),
        ("frontends/vgg.py", "from ..backends import Backend", "frontends.vgg imports backends"),
        ("audio/decoding.py", "from ..datamodules import Clip", "audio.decoding imports datamodules"),
        (
            "studies/rank_analysis/ranks.py",
            "from ...commands.config import run",
            "studies.rank_analysis.ranks imports commands.config",
        ),
        ("studies/plan.py", "def f():\n    from ..commands.config import run", "studies.plan imports commands.config"),
    ],
)
def test_an_import_the_wrong_way_is_found(tmp_path, file, line, found):
    copy_package(tmp_path)
    (tmp_path / file).write_text(f"{(ROOT / file).read_text()}\n{line}\n")
    assert list(refused_imports(tmp_path)) == [found]


def test_circular_imports_are_found(tmp_path):
    copy_package(tmp_path)
    (tmp_path / "frontends/pooling.py").write_text("from .base import Frontend\n")
    with pytest.raises(ValueError, match=r"circular imports: .*frontends.pooling"):
        rooms.longest_chain(tmp_path)


def copy_package(root):
    for path in rooms.modules().values():
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())


def test_the_root_shows_the_rooms():
    files = shown_files()
    assert len([path for path in files if path.parent == Path() and path.suffix == ".py"]) <= 13
    folders = {path.parts[0] for path in rooms_of(files)}
    assert folders == {room for layer in rooms.LAYERS for room in layer if not room.endswith(".py")}


def shown_files():
    """Return the files of the repository, without hidden files, build products and runs."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        inner[:] = [name for name in inner if not (name[0] == "." or is_made(here / name))]
        found += [here / name for name in names]
    return sorted(found)


def is_made(folder):
    names = {"build", "dist", "runs", "__pycache__"}
    places = {"docs/site", "docs/architectures", "docs/sandbox"}
    return folder.name in names or folder.suffix == ".egg-info" or folder.as_posix() in places


def rooms_of(files):
    others = {*rooms.OUTSIDE, "configs"}
    return [path for path in files if len(path.parts) > 1 and path.parts[0][0] != "." and path.parts[0] not in others]


@pytest.mark.parametrize("module", rooms.modules())
def test_every_module_has_a_test_file_of_its_name_or_subject(module):
    path = rooms.modules()[module].relative_to(ROOT)
    if path.name == "__init__.py" and len(path.parts) > 1:
        return  # it only names parts of its room
    named = TESTED_BY.get(module, f"tests/{path.parent}/test_{path.stem}.py")
    assert (ROOT / named).is_file()


def test_every_file_is_short():
    """Each has at most 300 lines, tests included."""
    long = {str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > 300}
    assert long == {}


def sources():
    return [*rooms.modules().values(), *sorted((ROOT / "tests").rglob("*.py"))]


def test_one_word_for_one_thing():
    """Frontend and backend are spelled as on the command line everywhere."""
    odd = re.compile("(?i:(front|back)[-_ ]ends?\\b)|Front" + "End|Back" + "End")
    found = []
    for path in shown_files():
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".template", ".cff"} and path != Path("CHANGELOG.md"):
            text = (ROOT / path).read_text()
            found += [f"{path}: {match[0]}" for match in odd.finditer(text)]
    assert found == []


def test_the_picture_of_the_rooms_is_up_to_date():
    assert (ROOT / "docs/images/rooms.svg").read_text() == rooms.picture()
    for file, _ in rooms.WAY:
        assert (ROOT / file).is_file()
