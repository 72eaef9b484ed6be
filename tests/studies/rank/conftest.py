"""A small rank study that is run once, and the functions that plan it."""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch
from untrained.cli import main
from untrained.parsing import load_names
from untrained.studies.rank import results
from untrained.studies.rank.parser import rank_parser
from untrained.studies.rank.plan import plan

STUDY = """
name: tiny
datamodules:
  - class_path: synthetic
    init_args: { task: events, sizes: [16, 8, 8, 16], n_samples: 2048 }
left_out: { rhythm: clips of this length have no rhythm }
designs: { n: 24, max_flop: 1.0e+6, max_per_family: 1 }
seeds: { random: [0], linear: [200], trained: [100] }
training: { learning_rate: [0.001, 0.003], max_steps: 20, batch_size: 8 }
jobs: 1
"""


@pytest.fixture(scope="session")
def study_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rank_study") / "tiny.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="session")
def finished(study_file, tmp_path_factory):
    """Root of the runs in which the small study is done, with what the command printed."""
    root = tmp_path_factory.mktemp("finished")
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["rank", str(study_file), "--trainer.default_root_dir", str(root)])
    assert status == 0, err.getvalue()
    return root, out.getvalue(), err.getvalue()


@pytest.fixture
def copied(finished, tmp_path):
    """Copy of the finished study, with its cache of waveforms."""
    shutil.copytree(finished[0], tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def parsed(study_file):
    """Function that parses the small study with overrides."""
    load_names()

    def parse(*words):
        return rank_parser().parse_args(["--config", str(study_file), *map(str, words)])

    return parse


@pytest.fixture(scope="session")
def planned(parsed):
    """Function that plans the small study with overrides, in a folder."""
    return lambda *words, root=Path("runs"): plan(parsed(*words), root, torch.device("cpu"))


@pytest.fixture(scope="session")
def known(finished):
    """Results of the finished study."""
    return results.read(finished[0] / "tiny", print)
