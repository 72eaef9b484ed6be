"""Published files: a source archive, and a wheel that is built from it."""

import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import rooms
import untrained as package

ROOT = rooms.ROOT
MADE = re.compile(r"^docs/(site|architectures|sandbox)/|__pycache__/|\.egg-info/")
DATA = [
    "py.typed",
    "configs/*/*.yaml",
    "commands/templates/**/*.template",
    "datamodules/*.csv",
    "studies/page.css",
    "studies/page.js",
]


def files_of_the_package():
    """Return the paths of modules and data files below the root."""
    data = [path for pattern in DATA for path in ROOT.glob(pattern)]
    assert len(data) > 10
    return {path.relative_to(ROOT).as_posix() for path in [*rooms.modules().values(), *data]}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Source archive and wheel of a copy of the tree, without files of earlier builds."""
    pytest.importorskip("build", reason="needs the extra dev")
    root = tmp_path_factory.mktemp("built")
    beside = {path.relative_to(ROOT).as_posix() for path in ROOT.iterdir() if path.is_file()}
    for folder in (".ci", ".github", "benchmarks", "docs", "examples", "tests"):
        inside = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        beside |= {file for file in inside if not MADE.search(file)}
    for file in files_of_the_package() | beside:
        copy = root / "tree" / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / file).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", root / "dist", root / "tree"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (source,), (wheel,) = (root / "dist").glob("*.tar.gz"), (root / "dist").glob("*.whl")
    return source, wheel


@pytest.mark.slow
@pytest.mark.dev
def test_the_wheel_holds_the_package_and_nothing_else(archives):
    with zipfile.ZipFile(archives[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {f"untrained/{file}" for file in files_of_the_package()}


@pytest.mark.slow
@pytest.mark.dev
def test_the_source_archive_can_be_tested(archives):
    with tarfile.open(archives[0]) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
    hidden = {".ci/run", ".github/workflows/ci.yml", ".pre-commit-config.yaml", ".readthedocs.yaml"}
    others = {"pyproject.toml", "setup.py", "noxfile.py", "docs/index.md", "benchmarks/startup.py"}
    assert files_of_the_package() | tests | hidden | others <= names


def test_everything_is_installed():
    installed = Path(package.__file__).parent
    assert {file for file in files_of_the_package() if not (installed / file).is_file()} == set()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for group, names in declared.items():
        found = {entry.name: entry.value for entry in importlib.metadata.entry_points(group=group)}
        assert names.items() <= found.items(), "pyproject.toml has changed; run pip install -e '.[dev]' again"
