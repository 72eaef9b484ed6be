"""Configuration of Sphinx. With the extra docs installed, sphinx-build -W docs SITE builds the documentation."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.append(str(DOCS))  # for architectures

project = "untrained"
author = "The untrained developers"
version = release = version_of("untrained")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["site"]
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


def _draw_architectures() -> None:
    from architectures import main

    main(DOCS / "architectures")


_draw_architectures()
