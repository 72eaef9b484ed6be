"""Checks of this repository. `nox -l` lists them, `nox -s fast` runs one, `nox` runs those that a change must pass.

Sessions use the environment that nox itself runs in, where `pip install -e '.[dev]'` has installed the package: PyTorch
is too large for an environment per session.
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
    """Run the tests that take a few seconds at most and start no command; arguments after -- go to pytest."""
    session.run(PYTHON, "-m", "pytest", "-n", "auto", "-m", "not slow", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests; arguments after -- go to pytest."""
    session.run(PYTHON, "-m", "pytest", "-n", "auto", *session.posargs)


@nox.session
def dev(session: nox.Session) -> None:
    """Run the tests that need the extra dev, which other installations skip."""
    session.run(PYTHON, "-m", "pytest", "-m", "dev", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types of the package."""
    # mypy cannot follow an editable installation whose package is the root, but it follows a link with the right name.
    link = ROOT / ".nox" / "types" / "untrained"
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.resolve() != ROOT:
        link.unlink(missing_ok=True)  # of a checkout that has moved
        link.symlink_to(ROOT, target_is_directory=True)
    session.run(PYTHON, "-m", "mypy", "-p", "untrained", *session.posargs, env={"MYPYPATH": str(link.parent)})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the manual in docs/site, which needs the extra docs."""
    session.run(PYTHON, "-m", "sphinx", "-W", "docs", "docs/site")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests, and print which lines and branches of the package they reach."""
    session.run(
        PYTHON, "-m", "pytest", "-n", "auto", "--cov", "--cov-report=term-missing:skip-covered", *session.posargs
    )


@nox.session
def built(session: nox.Session) -> None:
    """Build source archive and wheel in dist/, install the wheel elsewhere, and run the main job there."""
    for folder in ("build", "dist"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    session.run(PYTHON, "-m", "build", "--no-isolation")
    elsewhere = Path(session.create_tmp()).resolve()
    session.run(PYTHON, "-m", "venv", "--clear", str(elsewhere / "venv"))
    python = str(elsewhere / "venv" / "bin" / "python")
    site = session.run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", silent=True)
    # Dependencies are those of this environment, behind the wheel in the search for modules.
    found = [path for path in sys.path if Path(path).is_dir() and Path(path).resolve() != ROOT]
    (Path(str(site).strip()) / "dependencies.pth").write_text("\n".join(found))
    (wheel,) = (ROOT / "dist").glob("*.whl")
    session.run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))
    with session.chdir(elsewhere):
        session.run(python, "-m", "untrained", "--version")
        session.run(python, "-m", "untrained", "list")
        session.run(python, "-m", "untrained", "compare", "--frontends", "[mfcc]", "--backends", "[nearest_class]")
