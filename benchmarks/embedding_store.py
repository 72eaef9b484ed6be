"""Time and memory of a store of embeddings by its number of rows, without audio.

python benchmarks/embedding_store.py [--rows 10000 100000 1000000] [--features 160] [--flush_every 512]

For each number of rows, a fresh process adds generated rows as an extraction does, commits and compacts them; another
one opens the store, finds 10,000 random ids and reads their embeddings; a third reads all rows in their order. The
script prints the microseconds for each row and the peak memory of each process, and both as ratios to the smallest.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from untrained.datamodules.stamps import Stamps
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore

STEPS = ("write", "find", "read")
N_FOUND = 10_000
BLOCK = 8192  # rows that are read at once


def name(number: int) -> str:
    """Return the id of a clip."""
    return f"class {number // 1000:05d}/recording {number:09d}.wav"


def blocks(n_rows: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the first row and the end of each block."""
    for start in range(0, n_rows, size):
        yield start, min(start + size, n_rows)


def opened(folder: str, n_features: int) -> EmbeddingStore:
    """Open the store."""
    return EmbeddingStore(folder, {"made": "by benchmarks/embedding_store.py"}, n_features)


def write(folder: str, n_rows: int, n_features: int, flush_every: int) -> None:
    """Write all rows."""
    store, rng = opened(folder, n_features), np.random.default_rng(0)
    with store.locked():
        for start, end in blocks(n_rows, flush_every):
            rows = [
                StoredClip(name(number), 441_044, number, 5.0, f"{number:032x}", "0" * 32)
                for number in range(start, end)
            ]
            store.append(rows, rng.standard_normal((end - start, n_features), dtype=np.float32), {})
        store.compact()


def find(folder: str, n_rows: int, n_features: int, flush_every: int) -> None:
    """Find random ids, and read their embeddings."""
    numbers = np.random.default_rng(1).integers(0, n_rows, N_FOUND)
    found = opened(folder, n_features).read([name(number) for number in numbers])
    assert found.shape == (N_FOUND, n_features)


def read(folder: str, n_rows: int, n_features: int, flush_every: int) -> None:
    """Look up which clips are missing, then read all embeddings, block by block."""
    store = opened(folder, n_features)
    for start, end in blocks(n_rows, BLOCK):
        ids = [name(number) for number in range(start, end)]
        assert not len(store.missing(Stamps.of((clip_id, (441_044, int(clip_id[-13:-4]))) for clip_id in ids)))
        assert np.isfinite(store.take(store.find(ids))).all()


def measured(step: str, folder: str, n_rows: int, options: argparse.Namespace) -> dict[str, float]:
    """Run a step in a fresh process, and return its seconds and its peak memory in MB."""
    words = [step, folder, str(n_rows), str(options.features), str(options.flush_every)]
    done = subprocess.run([sys.executable, __file__, "--step", *words], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def run_step(step: str, folder: str, *numbers: str) -> None:
    """Run a step, and print its time and memory."""
    with tempfile.TemporaryDirectory() as other:  # what is imported or allocated in the first use is not measured
        for each in STEPS:
            globals()[each](str(Path(other) / "store"), N_FOUND // 10, int(numbers[1]), int(numbers[2]))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    globals()[step](folder, *map(int, numbers))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak": peak / 1024, "imports": before / 1024}))


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--step"]:
        run_step(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--features", type=int, default=160)
    parser.add_argument("--flush_every", type=int, default=512)
    options = parser.parse_args()
    found = {}
    for n_rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            found[n_rows] = {step: measured(step, str(Path(folder) / "store"), n_rows, options) for step in STEPS}
    print(f"{'rows':>12}" + "".join(f"{step + ' us/row':>16}{'ratio':>7}{'MB':>8}{'ratio':>7}" for step in STEPS))
    for n_rows, steps in found.items():
        line = f"{n_rows:>12,}"
        for step in STEPS:
            each, least = time_per_row(step, n_rows, steps), min(time_per_row(step, n, f) for n, f in found.items())
            memory = min(f[step]["peak"] for f in found.values())
            peak = steps[step]["peak"]
            line += f"{each:>16.2f}{each / least:>7.2f}{peak:>8.0f}{peak / memory:>7.2f}"
        print(line)
    before = max(f[step]["imports"] for f in found.values() for step in STEPS)
    print(f"Peak memory includes {before:.0f} MB of Python and libraries. The step find counts {N_FOUND:,} rows.")


def time_per_row(step: str, n_rows: int, steps: dict[str, dict[str, float]]) -> float:
    """Return the microseconds that a step takes for each row."""
    return 1e6 * steps[step]["seconds"] / (N_FOUND if step == "find" else n_rows)


if __name__ == "__main__":
    main()
