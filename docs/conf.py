"""Configuration of Sphinx: `sphinx-build -W docs docs/site` builds the documentation, with the extra `docs` installed.

The build draws the architectures and runs every command of a `command-output` block, so that pages show real output.
"""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.append(str(DOCS))  # for architectures and sandbox

project = "untrained"
author = "The untrained developers"
version = release = version_of("untrained")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinxcontrib.programoutput",
]
exclude_patterns = ["site", "sandbox"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["wrap.css"]
html_title = f"untrained {release}"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

default_role = "literal"  # names in docstrings are written between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# Methods that scikit-learn adds to every estimator, with docstrings that refer to its own manual.
autodoc_default_options = {"exclude-members": "set_fit_request, set_partial_fit_request, set_score_request"}
napoleon_use_ivar = True


# Commands of the pages run in sandbox/, on the CPU, with a fixed width of the terminal.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ.update(COLUMNS="110", CUDA_VISIBLE_DEVICES="", NO_COLOR="1")
programoutput_prompt_template = "$ {command}\n{output}"


def _prepare() -> None:
    from architectures import main as draw
    from sandbox import prepare

    draw(DOCS / "architectures")
    prepare(DOCS / "sandbox")


_prepare()
