import doctest
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import untrained as package
import yaml
from untrained.cli import _STUDIES

MODULES = ["untrained", *(module.name for module in pkgutil.walk_packages(package.__path__, "untrained."))]
TINY = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 3, folds: 3, n_samples: 8000}}]"


# A names module has no examples: what it holds are the plug-ins of other modules, under their registered names.
@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith(".names")])
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_example_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(code, {"__name__": "readme"})
    front_end = package.FRONTENDS.create("dilated", n_filters=4)
    assert front_end(torch.zeros(2, 9000)).shape == (2, front_end.embedding_size) == (2, 12)


def test_the_package_imports_no_torch():
    code = "import sys, untrained; assert not {'torch', 'sklearn', 'numpy'} & set(sys.modules); untrained.FrontEnd"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_there():
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Frontend'"):
        package.Frontend  # noqa: B018


def test_everything_is_installed():
    installed = {str(path) for path in importlib.metadata.files("untrained")}
    needed = {"untrained/py.typed", "untrained/configs/studies/synthetic.yaml"}
    needed |= {f"untrained/{name.replace('.', '/').partition('/')[2]}.py" for name in MODULES if name.count(".") == 2}
    assert needed <= installed
    assert Path(package.__file__).parent.name == "untrained"  # not the checkout


@pytest.mark.parametrize("path", sorted(_STUDIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_run(untrained, path, tmp_path):
    arguments = ["--datamodules", TINY, "--seeds", "[0]", "--backends", "[svm]"]
    status, out, _ = untrained("compare", path.stem, *arguments)
    assert status == 0
    study = yaml.safe_load(path.read_text())
    assert study["name"] == path.stem
    for entry in study["frontends"]:
        assert entry["class_path"] in out
    assert len((tmp_path / "runs" / path.stem / "results.csv").read_text().splitlines()) == 1 + len(study["frontends"])
