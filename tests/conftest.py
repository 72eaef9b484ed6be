"""Shared fixtures: small generated data, a small study, and functions that run commands."""

import csv
import os
import signal
from pathlib import Path

if "PYTEST_XDIST_WORKER_COUNT" in os.environ:  # share the cores among workers, before torch counts them
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cores // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

import numpy as np
import pytest
import soundfile
from forked import Started
from untrained.cli import main
from untrained.registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES

# A shell makes background jobs ignore Ctrl-C, which commands that tests interrupt would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    """Remove the plug-ins that a test registers."""
    for registry in (FRONTENDS, BACKENDS, DATAMODULES, PROXIES):
        monkeypatch.setattr(registry, "_registered", [])


def draw_nothing(monkeypatch):
    monkeypatch.setattr("matplotlib.figure.Figure.draw", lambda figure, renderer: None)


@pytest.fixture(autouse=True)
def blank_figures(request, monkeypatch):
    """Leave figures blank, because drawing takes half of the time of a study, except in tests with the mark `draws`."""
    if not request.node.get_closest_marker("draws"):
        draw_nothing(monkeypatch)


@pytest.fixture(scope="session")
def reference():
    """Function that loads reference values of the original code by name."""
    return lambda name: np.load(FIXTURES / f"{name}.npz")


def tone(pitch, seconds=0.5, rate=12_000, seed=0):
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.3 * np.sin(2 * np.pi * pitch * time) + 0.03 * noise).astype(np.float32)


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Folder of three classes that differ in pitch, in a mix of formats and sample rates."""
    root = tmp_path_factory.mktemp("sounds")
    formats = [("wav", 44_100), ("flac", 22_050), ("ogg", 16_000), ("mp3", 44_100), ("wav", 12_000), ("aiff", 8_000)]
    for label, pitch in (("high", 2000), ("low", 200), ("mid", 700)):
        (root / label).mkdir()
        for index in range(12):
            extension, rate = formats[index % len(formats)]
            mono = tone(pitch * (1 + 0.02 * index), 0.5 + 0.1 * index, rate, index)
            soundfile.write(root / label / f"{label} {index:02d}.{extension}", np.stack([mono, mono], 1), rate)
    (root / "low" / "readme.txt").write_text("no audio")
    (root / "low" / "._low 00.wav").write_bytes(b"junk of another system")
    return root


@pytest.fixture
def untrained(capsys, monkeypatch, tmp_path):
    """Function that runs a command in an empty folder and returns its exit status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return run


@pytest.fixture
def start(tmp_path):
    """Function that starts a command, or another module or script, in a new process; `end()` waits for it."""
    started = []

    def start(*arguments, what="untrained", folder=tmp_path, **environment):
        words = [str(argument) for argument in arguments]
        started.append(Started(str(what), words, folder, {**os.environ, **environment}))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def results_of():
    """Function that reads the results of a study below the folder in which it ran."""

    def read(tmp_path, name="small"):
        with (tmp_path / "runs" / name / "results.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture
def tiny():
    """Small synthetic data set, as a study configures it."""
    return "{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}"


@pytest.fixture
def little(tiny):
    """Configuration of a study of two runs."""
    return f"""
name: small
datamodules: [{tiny}]
frontends: [{{class_path: temporal, init_args: {{n_filters: 4}}}}, mfcc]
controls: []
backends: [nearest_class]
"""


STUDY = """
name: small
datamodules:
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}
  - {class_path: synthetic, init_args: {task: timbre, clips_per_class: 5, n_samples: 8000}}
frontends:
  - {class_path: temporal, init_args: {n_filters: 4}}
  - {class_path: sample_level, init_args: {n_filters: 2}}
  - mfcc
backends: [nearest_class]
seeds: [0, 1]
"""


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Folder of a finished study with folds and with a test split. It is run once, and tests change only copies."""
    root = tmp_path_factory.mktemp("study")
    (root / "study.yaml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as monkeypatch:
        draw_nothing(monkeypatch)
        assert main(["compare", str(root / "study.yaml"), "--trainer.default_root_dir", str(root / "runs")]) == 0
    return root / "runs" / "small"


EVENTS = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder of a run of several epochs, trained by the command line; tests change copies of it."""
    root = tmp_path_factory.mktemp("trained")
    words = [*EVENTS, "--data.clips_per_class", "6", *TEMPORAL, "--data.batch_size", "16", "--trainer.max_steps", "8"]
    options = ["--model.learning_rate", "0.01", "--trainer.log_every_n_steps", "1"]
    assert main(["train", *words, *options, "--trainer.default_root_dir", str(root)]) == 0
    (metrics,) = root.rglob("metrics.json")
    return metrics.parent
