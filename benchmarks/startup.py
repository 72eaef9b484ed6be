"""Time of commands that have nothing to compute, relative to a bare start of Python: python benchmarks/startup.py.

Each time is the median of several runs. Commands take turns, each in its own process, on a small study and a probe that
are created first. `import torch` and `import pytorch_lightning` show how much of the time is due to these libraries.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from untrained.datamodules.synthetic import Synthetic

RUNS = 5
BARE = "python -c pass"
UNTRAINED = [sys.executable, "-m", "untrained"]
SOUNDS = ["--data", "folder", "--data.root", "sounds", "--data.n_samples", "12000"]
MADE = """
name: small
datamodules: [{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]
frontends: [temporal, mfcc]
backends: [nearest_class]
seeds: [0, 1]
"""
COMMANDS = {
    BARE: [sys.executable, "-c", "pass"],
    "import untrained": [sys.executable, "-c", "import untrained"],
    "import torch": [sys.executable, "-c", "import torch"],
    "import pytorch_lightning": [sys.executable, "-c", "import pytorch_lightning"],
    "untrained --help": [*UNTRAINED, "--help"],
    "untrained list": [*UNTRAINED, "list"],
    "untrained report, of a study": [*UNTRAINED, "report", "runs/small"],
    "untrained classify, one file": [*UNTRAINED, "classify", "--ckpt_path", "probe.ckpt", "sounds/siren/000.wav"],
    "untrained check data": [*UNTRAINED, "check", "data", *SOUNDS],
    "untrained check backend": [*UNTRAINED, "check", "backend", "nearest_class"],
    "untrained predict, all stored": [*UNTRAINED, "predict", *SOUNDS, "--model.frontend", "temporal"],
    "untrained compare, all done": [*UNTRAINED, "compare", "study.yaml"],
    "untrained fit --help": [*UNTRAINED, "fit", "--help"],
}


def prepare(folder: Path) -> None:
    """Create sounds, a fitted probe and a study."""
    Synthetic("events", clips_per_class=6, n_samples=12_000).export(folder / "sounds")
    (folder / "study.yaml").write_text(MADE)
    run([*UNTRAINED, "fit", *SOUNDS, "--model.frontend", "temporal", "--model.backend", "svm"], folder)
    run([*UNTRAINED, "compare", "study.yaml"], folder)
    (probe,) = folder.glob("runs/sounds/**/probe.ckpt")
    probe.rename(folder / "probe.ckpt")


def run(command: list[str], folder: Path) -> float:
    """Run a command, and return its time in s."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return time.perf_counter() - start


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        for command in COMMANDS.values():  # warm-up, which reads files from disk
            run(command, Path(name))
        turns = [{title: run(command, Path(name)) for title, command in COMMANDS.items()} for _ in range(RUNS)]
    medians = {title: statistics.median(turn[title] for turn in turns) for title in COMMANDS}
    for title, median in medians.items():
        print(f"{title:<30} {median:6.2f} s  {median / medians[BARE]:6.1f} x")
