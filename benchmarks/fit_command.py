"""Time and peak memory of `untrained fit` to many stored rows, without audio: python benchmarks/fit_command.py.

For each number of clips, a store is made that holds a generated row for each clip of the data set `synthetic`, so that
the command computes no embedding. The command then lists the clips, finds their rows, searches the backend on folds,
fits it, and writes the run, in a process of its own.

    python benchmarks/fit_command.py [--clips 100000 1000000] [--backend elm] [--fit_memory 2] [--folds 3] [OPTION ...]

All other options are passed on to the command, such as `--model.backend.n_hidden 500`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.locate import open_store
from untrained.embeddings.shards import StoredClip
from untrained.frontends.baselines import MFCC

N_CLASSES = 8
BLOCK = 8192  # rows of a shard


def make_store(root: Path, clips_per_class: int, folds: int) -> None:
    """Write a row for each clip, whose features depend on its class and are noisy."""
    data = Synthetic("events", clips_per_class=clips_per_class, folds=folds)
    store = open_store(root, MFCC(), data, "32-true")
    rng = np.random.default_rng(0)
    centres = {name: rng.standard_normal(store.embedding_size) for name in data.class_names}
    for start in range(0, len(data.listed), BLOCK):
        clips = list(data.listed[start : start + BLOCK])
        noise = 4 * rng.standard_normal((len(clips), store.embedding_size), np.float32)
        rows = [StoredClip(clip.id, *data.stamp(clip), 1.0, audio=f"{start + n:032x}") for n, clip in enumerate(clips)]
        store.append(rows, noise + np.stack([centres[clip.label] for clip in clips]), {})
    store.compact()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--backend", default="elm")
    parser.add_argument("--fit_memory", default="2")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--make", nargs=3, help=argparse.SUPPRESS)
    options, more = parser.parse_known_args()
    if options.make:
        make_store(Path(options.make[0]), int(options.make[1]), int(options.make[2]))
        return
    for n_clips in options.clips:
        with tempfile.TemporaryDirectory() as folder:
            size = [str(n_clips // N_CLASSES), str(options.folds)]
            subprocess.run([sys.executable, __file__, "--make", f"{folder}/runs/embeddings", *size], check=True)
            command = [sys.executable, "-m", "untrained", "fit", "--data", "synthetic", "--data.task", "events"]
            command += ["--data.clips_per_class", size[0], "--data.folds", size[1], "--model.frontend", "mfcc"]
            command += ["--model.backend", options.backend, "--model.fit_memory", options.fit_memory, *more]
            start = time.perf_counter()
            done = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
            said = done.stdout.read().splitlines()
            _, status, used = os.wait4(done.pid, 0)
            seconds = time.perf_counter() - start
        peak = f"peak {used.ru_maxrss / 2**20:.2f} GiB, status {os.waitstatus_to_exitcode(status)}"
        print(f"{n_clips:,} clips, {options.backend}: {seconds:.0f} s, {peak}")
        print("\n".join(said[-3:]), flush=True)


if __name__ == "__main__":
    main()
