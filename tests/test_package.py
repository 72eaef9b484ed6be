import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import frontend_costs
import numpy as np
import pytest
import rooms
import soundfile
import torch
import untrained as package
import yaml
from untrained.commands.config import bundled_studies
from untrained.datamodules.extended_ballroom import DANCES
from untrained.datamodules.gtzan import fault_filtered

MODULES = [f"untrained.{name}".removesuffix(".__init__") for name in rooms.modules()]
TINY = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 3, folds: 3, n_samples: 8000}}]"


# Modules `names` have no examples: they hold plug-ins of other modules under their registered names.
@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith(".names")])
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_example_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(code, {"__name__": "readme"})
    frontend = package.FRONTENDS.create("dilated", n_filters=4)
    assert frontend(torch.zeros(2, 9000)).shape == (2, frontend.embedding_size) == (2, 12)


@pytest.mark.slow
def test_the_package_imports_no_torch():
    code = "import sys, untrained; assert not {'torch', 'sklearn', 'numpy'} & set(sys.modules); untrained.Frontend"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Front'"):
        package.Front  # noqa: B018


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Small copies of the three data sets of the study, in their own layouts."""
    root = tmp_path_factory.mktemp("copies")
    rng = np.random.default_rng(0)

    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.uniform(-0.1, 0.1, 3000), 22_050)

    for name in sorted(fault_filtered())[::35]:
        write(root / "gtzan" / name.partition(".")[0] / f"{name}.wav")
    for number, dance in enumerate(DANCES):
        for song in range(10):
            write(root / "extended_ballroom" / dance / f"{1000 * (number + 1) + song}.mp3")
    rows = ["slice_file_name,fold,class"]
    for number in range(20):
        write(root / "urbansound8k" / "audio" / f"fold{1 + number % 10}" / f"{number}.wav")
        rows.append(f"{number}.wav,{1 + number % 10},{('siren', 'dog_bark')[number // 10]}")
    (root / "urbansound8k" / "metadata").mkdir()
    (root / "urbansound8k" / "metadata" / "UrbanSound8K.csv").write_text("\n".join(rows))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("path", bundled_studies().values(), ids=lambda path: path.stem)
def test_bundled_studies_run(untrained, path, tmp_path, copies):
    """Each study runs, shortened to one seed, a small backend, small frontends and few or short clips."""
    study = yaml.safe_load(path.read_text())
    assert study["name"] == path.stem
    arguments = ["--seeds", "[0]", "--backends", "[{class_path: elm, init_args: {n_hidden: 100}}]"]
    if "roots" in study:
        arguments += [f"--roots.{name}={copies / name}" for name in study["roots"]]
        arguments += ["--vary.datamodules.n_samples", "[8000]", "--vary.frontends.size", "[small]"]
    else:
        arguments += ["--datamodules", TINY]
    if path.stem in ("paper", "extended_ballroom", "gtzan"):  # the other studies have the same frontends
        arguments += ["--frontends", "[mfcc, {class_path: frame_level, init_args: {collapse_deep: true}}]"]
        study["frontends"] = ["mfcc", "frame_level"]
    if path.stem == "weights":  # a network on short clips, without the pre-trained model, which is not installed
        study["frontends"] = ["temporal"]
        arguments += ["--frontends", "[temporal]", "--training.max_steps", "2"]
    status, out, _ = untrained("compare", path.stem, *arguments)
    assert status == 0
    for entry in study["frontends"]:
        name = entry if isinstance(entry, str) else entry["class_path"]
        assert re.search(rf"│ +{name}[ -]", out)
    n_frontends = len({"logmel_stats", *map(str, study["frontends"])})  # the control is in every study
    n_runs = len(study.get("roots", [1])) * n_frontends
    n_runs += 3 if path.stem == "weights" else 0  # two trained heads, and a trained network
    assert len((tmp_path / "runs" / path.stem / "results.csv").read_text().splitlines()) == 1 + n_runs


def test_table_of_costs_is_up_to_date():
    """All columns that do not depend on the machine: frontends, sizes, features, parameters and FLOP."""
    document = (Path(__file__).parents[1] / "docs/reference/frontends.md").read_text()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in _between_marks(document)[2:]]
    assert all(float(peak) < 2.5 for *_, peak in cells)  # GiB, for a clip of 30 s
    rows = [row[:5] for row in cells]
    assert [(name.strip("`"), size) for name, size, *_ in rows] == frontend_costs.cases()
    for name, size, *numbers in rows:
        frontend = package.FRONTENDS.create(name.strip("`"), **({"size": size} if size else {}))
        described = frontend.describe(frontend_costs.N_SAMPLES)
        flop = f"{described.flop / 1e9:.3f}"
        assert numbers == [f"{described.embedding_size:,}", f"{described.n_parameters:,}", flop]


def test_table_of_costs_is_inserted():
    costs = frontend_costs.measure("vgg", "")
    placed = frontend_costs.place(
        f"before\n{frontend_costs.BEGIN}\nold\n{frontend_costs.END}\nafter\n",
        frontend_costs.table({("vgg", "small"): costs, ("mfcc", ""): {**costs, "seconds": costs["seconds"] / 4}}),
    )
    assert placed.startswith("before\n")
    assert placed.endswith("\nafter\n")
    assert "old" not in placed
    vgg, mfcc = _between_marks(placed)[2:]
    assert [cell.strip() for cell in vgg.split("|")][1:6] == ["`vgg`", "small", "160", "37,312", "0.406"]
    assert [row.split("|")[7].strip() for row in (vgg, mfcc)] == ["1.00", "0.25"]
    assert costs["peak"] > 2**26  # bytes: PyTorch alone takes more


def _between_marks(document):
    inside = document.split(frontend_costs.BEGIN)[1].split(frontend_costs.END)[0]
    return [line for line in inside.splitlines() if line]
