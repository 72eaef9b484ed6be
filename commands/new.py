"""`untrained new frontend NAME`: a plug-in package to begin with, which keeps its contract as it is."""

import keyword
import re
from pathlib import Path
from string import Template

from ..errors import UsageError
from ..registry import FRONTENDS

_IMPORTED = {"Frontend", "LogMel", "Tensor"}  # by what is written
_FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "untrained-$dashed"
version = "0.1.0"
description = "The frontend $name for untrained"
requires-python = ">=3.11"
dependencies = ["untrained"]

[project.optional-dependencies]
test = ["pytest"]

# The name is what users write; the class is imported when it is asked for.
[project.entry-points."untrained.frontends"]
$name = "untrained_$name:$cls"

[tool.setuptools]
py-modules = ["untrained_$name"]
""",
    "README.md": """\
# untrained-$dashed

The frontend `$name` for untrained.

```sh
pip install '.[test]'
untrained check frontend $name
untrained compare --frontends '[$name, vgg, mfcc]' --name $name
pytest
```
""",
    "untrained_$name.py": '''\
"""The frontend $name."""

from torch import Tensor, nn
from untrained.frontends import Frontend, LogMel


class $cls(Frontend):
    """Three dilated convolutions over the mel bands; say here what yours is, and after whom.

    Args:
        n_filters: Of each layer.
        seed: Seed of the weights.
    """

    input, filters, domain_knowledge = "spectrogram", "minimal", False

    def __init__(self, n_filters: int = 40, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.convs = nn.ModuleList(nn.Conv2d(1 if i == 0 else n_filters, n_filters, 3, dilation=2**i) for i in range(3))

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Maps of every layer, `(batch, n_filters, n_mels, n_frames)`, of a spectrogram `(batch, n_mels, n_frames)`."""
        maps, h = [], x[:, None]
        for conv in self.convs:
            h = conv(h).relu()
            maps.append(h)
        return maps
''',
    "tests/test_$name.py": """\
from untrained.testing import parametrize_with_checks
from untrained_$name import $cls


@parametrize_with_checks($cls, $cls(n_filters=4))
def test_contract(check):
    check()


def test_size():
    assert $cls(n_filters=4).embedding_size == 12
""",
}


def new_frontend(name: str) -> list[Path]:
    """Write a package with one frontend, its entry point and its tests, to `untrained-NAME` here.

    Args:
        name: Of the frontend, a Python identifier.

    Returns:
        The files.

    Raises:
        UsageError: The name cannot be one, or is taken; or the folder is there already.
    """
    cls = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*[A-Za-z0-9]", name) or keyword.iskeyword(name) or cls in _IMPORTED:
        raise UsageError(f"{name!r} cannot be the name of a package; give one as my_idea, with letters, digits and _")
    if name in FRONTENDS.names():
        raise UsageError(f"frontend {name!r} is registered by {FRONTENDS.find(name).distribution}; give another name")
    dashed = name.replace("_", "-").lower()
    folder = Path(f"untrained-{dashed}")
    if folder.exists():
        raise UsageError(f"{folder} is there already; give another name, or remove it")
    words = {"name": name, "dashed": dashed, "cls": cls}
    written = []
    for path, text in _FILES.items():
        file = folder / Template(path).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(file)
    return written
