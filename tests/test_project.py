"""Consistency of the files around the package: sessions, workflows, hooks and releases."""

import re
import runpy
import tomllib

import pytest
import rooms
import yaml
from packaging.requirements import Requirement

ROOT = rooms.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
notes = runpy.run_path(str(ROOT / ".ci/release.py"))["notes"]


def sessions_of(text):
    """Yield the names of sessions in commands such as `nox -s lint types`."""
    for names in re.findall(r"nox -s ((?:[a-z]+ ?)+)", text):
        yield from names.split()


FILES = [".ci/run", "CONTRIBUTING.md", "docs/project/releasing.md", "pyproject.toml", *WORKFLOWS]


@pytest.mark.parametrize("file", FILES)
def test_named_sessions_exist(file):
    defined = re.findall(r"^@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    assert len(defined) > 5
    assert set(sessions_of((ROOT / file).read_text())) <= set(defined)


def test_workflows_run_existing_sessions_and_install_existing_extras():
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, ROOT / ".readthedocs.yaml", ROOT / ".ci/run"])
    assert {"lint", "types", "docs", "tests", "dev", "coverage", "built"} == set(sessions_of(text))
    extras = {extra for names in re.findall(r"'?\.\[([\w,]+)\]'", text) for extra in names.split(",")}
    assert extras <= set(PROJECT["optional-dependencies"])
    for path in [*WORKFLOWS, *ROOT.glob(".*.yaml"), *ROOT.glob(".github/**/*.yml")]:
        assert isinstance(yaml.safe_load(path.read_text()), dict), path


def test_the_hook_has_a_version_that_the_extra_dev_allows():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (version,) = (repo["rev"].removeprefix("v") for repo in hooks if "ruff" in repo["repo"])
    requirements = map(Requirement, PROJECT["optional-dependencies"]["dev"])
    (ruff,) = (requirement for requirement in requirements if requirement.name == "ruff")
    assert version in ruff.specifier


def test_the_citation_has_this_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


CHANGES = "# Changelog\n\n## 0.2.0 (2026-01-31)\n\n- New.\n\n## 0.1.0 (unreleased)\n\n- Old.\n"


def test_a_release_has_the_notes_of_its_version():
    assert notes("v0.2.0", "0.2.0", CHANGES) == "- New."


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v0.2.1", "0.2.0", "tag v0.2.1 is not v0.2.0, the version in pyproject.toml"),
        ("0.2.0", "0.2.0", "tag 0.2.0 is not v0.2.0"),
        ("v0.1.0", "0.1.0", r"needs one section '## 0.1.0 \(YEAR-MONTH-DAY\)' .* it has: .*0.1.0 \(unreleased\)"),
        ("v0.3.0", "0.3.0", r"needs one section '## 0.3.0"),
    ],
)
def test_a_release_without_notes_is_refused(tag, version, message):
    with pytest.raises(SystemExit, match=message):
        notes(tag, version, CHANGES)
