"""Checks of this repository. `nox -l` lists them, `nox -s fast` runs one, `nox` runs those that a change must pass.

Sessions run in the environment of nox itself, where `pip install -e '.[dev]'` has installed the package, because
PyTorch is too large for one environment per session.
"""

import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).resolve().parent
PYTHON = sys.executable


@nox.session
def fast(session: nox.Session) -> None:
    """Run the fast tests, which take a few seconds at most and start no command; arguments after -- go to pytest."""
    session.run(PYTHON, "-m", "pytest", "-n", "auto", "-m", "not slow", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests; arguments after -- go to pytest."""
    session.run(PYTHON, "-m", "pytest", "-n", "auto", *session.posargs)


@nox.session
def dev(session: nox.Session) -> None:
    """Run the tests that need the extra dev and are skipped without it."""
    session.run(PYTHON, "-m", "pytest", "-m", "dev", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types of the package."""
    # mypy cannot follow an editable installation whose package is the root, but it follows a link named `untrained`.
    link = ROOT / ".nox" / "types" / "untrained"
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.resolve() != ROOT:
        link.unlink(missing_ok=True)  # left from before the checkout moved
        link.symlink_to(ROOT, target_is_directory=True)
    session.run(PYTHON, "-m", "mypy", "-p", "untrained", *session.posargs, env={"MYPYPATH": str(link.parent)})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the manual in docs/site. Needs the extra docs."""
    session.run(PYTHON, "-m", "sphinx", "-W", "docs", "docs/site")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests, and report the coverage of lines and branches of the package."""
    session.run(
        PYTHON, "-m", "pytest", "-n", "auto", "--cov", "--cov-report=term-missing:skip-covered", *session.posargs
    )


@nox.session
def built(session: nox.Session) -> None:
    """Build the source archive and the wheel in dist/, install the wheel elsewhere, and run a small study there."""
    for folder in ("build", "dist"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    session.run(PYTHON, "-m", "build", "--no-isolation")
    elsewhere = Path(session.create_tmp()).resolve()
    session.run(PYTHON, "-m", "venv", "--clear", str(elsewhere / "venv"))
    python = str(elsewhere / "venv" / "bin" / "python")
    site = session.run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", silent=True)
    # Use the dependencies of this environment, after the wheel on the module search path.
    found = [path for path in sys.path if Path(path).is_dir() and Path(path).resolve() != ROOT]
    (Path(str(site).strip()) / "dependencies.pth").write_text("\n".join(found))
    (wheel,) = (ROOT / "dist").glob("*.whl")
    session.run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))
    with session.chdir(elsewhere):
        session.run(python, "-m", "untrained", "--version")
        session.run(python, "-m", "untrained", "list")
        session.run(python, "-m", "untrained", "compare", "--frontends", "[mfcc]", "--backends", "[nearest_class]")
