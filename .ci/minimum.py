"""Print the requirements of pyproject.toml at their lowest versions: python .ci/minimum.py [EXTRA...]."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
requirements = project["dependencies"] + [requirement for name in sys.argv[1:] for requirement in extras[name]]
for requirement in requirements:
    if not requirement.startswith(project["name"]):  # an extra of our own
        print(re.sub(r">=([^,]+).*", r"==\1", requirement))
