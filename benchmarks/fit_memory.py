"""Time and peak memory of a search and a fit, in memory and by batches: python benchmarks/fit_memory.py.

Each measurement runs in a process of its own, on generated embeddings of 160 features and 10 classes. A tenth of the
rows is held out; the candidates are searched on the others, and the best one is fitted to all rows. Rows are generated
from their numbers when they are read, so that the way by batches needs no file. Peaks include about 0.2 GiB for
libraries. The last column relates the batches to the way in memory.

    python benchmarks/fit_memory.py --backends elm ridge --rows 30000 100000
    python benchmarks/fit_memory.py --backends elm --rows 1000000 --ways batches --memory 2
"""

import argparse
import json
import subprocess
import sys
import time
import warnings

import numpy as np
from made_embeddings import peak_gib
from untrained.backends.rows import Rows
from untrained.backends.standardized import Standardized
from untrained.registry import BACKENDS

N_FEATURES, N_CLASSES = 160, 10
BLOCK = 64  # rows that are drawn at a time


def main() -> None:
    """Print a line for each backend and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="+", default=["elm", "ridge", "logistic", "sgd", "nystroem_svm"])
    parser.add_argument("--rows", nargs="+", type=int, default=[30_000])
    parser.add_argument("--ways", nargs="+", choices=["array", "batches"], default=["array", "batches"])
    parser.add_argument("--memory", type=float, default=1.0, help="bound of the batches in GiB")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measured = measure(options.backends[0], options.rows[0], options.ways[0], int(options.memory * 2**30))
        print(json.dumps(measured))
        return
    for name in options.backends:
        for n_rows in options.rows:
            compare(name, n_rows, options.ways, options.memory)


def compare(name: str, n_rows: int, ways: list[str], memory: float) -> None:
    """Measure the ways in fresh processes, and print them."""
    found = {}
    for way in ways:
        words = ["--one", "--backends", name, "--rows", str(n_rows), "--ways", way, "--memory", str(memory)]
        done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
        found[way] = json.loads(done.stdout.splitlines()[-1])
        shown = "{seconds:.1f} s, peak {peak:.2f} GiB, accuracy {accuracy:.2f} %, {chosen}".format(**found[way])
        print(f"{name}, {n_rows} rows, {way}: {shown}", flush=True)
    if len(found) == 2:
        ratios = [found["batches"][key] / found["array"][key] for key in ("seconds", "peak")]
        print(f"{name}, {n_rows} rows: batches / array: seconds {ratios[0]:.2f}, peak {ratios[1]:.2f}", flush=True)


def measure(name: str, n_rows: int, way: str, memory: int) -> dict[str, object]:
    """Search and fit, and return the time in s, the peak memory in GiB, the accuracy in percent and the candidate."""
    rng = np.random.default_rng(0)
    y = rng.integers(N_CLASSES, size=n_rows)
    centres = 0.25 * rng.standard_normal((N_CLASSES, N_FEATURES))
    X: np.ndarray | Rows = Rows(lambda numbers: drawn(numbers, y, centres), np.arange(n_rows), N_FEATURES, memory)
    if way == "array":
        X = np.concatenate([drawn(part, y, centres) for part in np.array_split(np.arange(n_rows), -(-n_rows // BLOCK))])
    held_out = np.arange(n_rows) % 10 == 0
    backend = Standardized(BACKENDS.create(name))
    start = time.perf_counter()
    with warnings.catch_warnings(action="ignore"):
        result = backend.search(X, y, [(np.flatnonzero(~held_out), np.flatnonzero(held_out))])
        best = result.candidates[result.best]
        backend.with_candidate(best).fit(X, y)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": peak_gib(), "accuracy": 100 * result.best_score, "chosen": best}


def drawn(numbers: np.ndarray, y: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the embeddings with given numbers, which depend on nothing else, float32."""
    found = np.empty((len(numbers), N_FEATURES), np.float32)
    blocks = numbers // BLOCK
    for block in np.unique(blocks):
        mine = np.flatnonzero(blocks == block)
        made = np.random.default_rng([1, int(block)]).standard_normal((BLOCK, N_FEATURES), np.float32)
        found[mine] = made[numbers[mine] % BLOCK]
    found += centres[y[numbers]]
    return found


if __name__ == "__main__":
    main()
