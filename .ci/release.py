"""Print the notes of a release, or report what is missing: python .ci/release.py TAG."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of the changelog for a tag.

    Args:
        tag: Name of the tag, `v` and the version.
        version: Version in pyproject.toml.
        changelog: Text of CHANGELOG.md, with a heading such as `## 0.1.0 (2026-01-31)` for each release.

    Raises:
        SystemExit: The tag does not match the version, or the section is missing, undated or empty.
    """
    if tag != f"v{version}":
        raise SystemExit(f"tag {tag} is not v{version}, the version in pyproject.toml; change one of them")
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE))
    dated = [heading for heading in sections if re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", heading)]
    if len(dated) != 1 or not sections[dated[0]].strip():
        found = ", ".join(sections) or "none"
        raise SystemExit(f"CHANGELOG.md needs one section '## {version} (YEAR-MONTH-DAY)' with text; it has: {found}")
    return sections[dated[0]].strip()


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print(notes(sys.argv[1], project["version"], (ROOT / "CHANGELOG.md").read_text()))
