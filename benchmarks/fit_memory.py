"""Time and peak memory of a search and a fit, in memory and by batches: python benchmarks/fit_memory.py.

Each measurement runs in a process of its own, on generated embeddings of 160 features and 10 classes. A tenth of the
rows is held out; the candidates are searched on the others, and the best one is fitted to all rows. Rows are generated
from their numbers when they are read, so that the way by batches needs no file. The way `store` reads the same rows
from a store in a temporary folder. Peaks include about 0.2 GiB for libraries. The last line relates the batches to the
array.

    python benchmarks/fit_memory.py --backends elm ridge --rows 30000 100000
    python benchmarks/fit_memory.py --backends elm --rows 1000000 --ways store --memory 2
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from made_embeddings import peak_gib
from untrained.backends.rows import Rows
from untrained.backends.standardized import Standardized
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore
from untrained.registry import BACKENDS

N_FEATURES, N_CLASSES = 160, 10
BLOCK = 64  # rows that are drawn at a time


def main() -> None:
    """Print a line for each backend and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="+", default=["elm", "ridge", "logistic", "sgd", "nystroem_svm"])
    parser.add_argument("--rows", nargs="+", type=int, default=[30_000])
    parser.add_argument("--ways", nargs="+", choices=["array", "batches", "store"], default=["array", "batches"])
    parser.add_argument("--memory", type=float, default=1.0, help="bound of the batches in GiB")
    parser.add_argument("--one", choices=["measure", "write"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        matrix = Matrix(options.rows[0], options.ways[0], int(options.memory * 2**30), options.folder)
        print(json.dumps(measure(options.backends[0], matrix) if options.one == "measure" else matrix.write()))
        return
    for name in options.backends:
        for n_rows in options.rows:
            compare(name, n_rows, options.ways, options.memory)


def compare(name: str, n_rows: int, ways: list[str], memory: float) -> None:
    """Measure the ways in fresh processes, and print them."""
    found = {}
    for way in ways:
        words = ["--backends", name, "--rows", str(n_rows), "--ways", way, "--memory", str(memory)]
        with tempfile.TemporaryDirectory() as folder:
            for step in ("write", "measure") if way == "store" else ("measure",):
                command = [sys.executable, __file__, "--one", step, "--folder", folder, *words]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[way] = json.loads(done.stdout.splitlines()[-1])
        shown = "{seconds:.1f} s, peak {peak:.2f} GiB, accuracy {accuracy:.2f} %, {chosen}".format(**found[way])
        print(f"{name}, {n_rows} rows, {way}: {shown}", flush=True)
    if {"array", "batches"} <= found.keys():
        ratios = [found["batches"][key] / found["array"][key] for key in ("seconds", "peak")]
        print(f"{name}, {n_rows} rows: batches / array: seconds {ratios[0]:.2f}, peak {ratios[1]:.2f}", flush=True)


class Matrix:
    """Generated embeddings with their labels.

    Args:
        n_rows: Number of rows.
        way: How they are read: `array`, `batches` or `store`.
        memory: Bound of the memory of a fit by batches, in bytes.
        folder: Folder of the store.
    """

    def __init__(self, n_rows: int, way: str, memory: int, folder: str) -> None:
        rng = np.random.default_rng(0)
        self.n_rows, self.way, self.memory, self.folder = n_rows, way, memory, folder
        self.y = rng.integers(N_CLASSES, size=n_rows)
        self.centres = 0.25 * rng.standard_normal((N_CLASSES, N_FEATURES))

    def drawn(self, numbers: np.ndarray) -> np.ndarray:
        """Return rows by their numbers."""
        return drawn(numbers, self.y, self.centres)

    def store(self) -> EmbeddingStore:
        """Open the store, whose rows are numbered in the same order."""
        return EmbeddingStore(self.folder, {"made": "by benchmarks/fit_memory.py"}, N_FEATURES)

    def write(self) -> int:
        """Write all rows to the store."""
        store = self.store()
        for start in range(0, self.n_rows, 8192):
            numbers = np.arange(start, min(start + 8192, self.n_rows))
            store.append([StoredClip(f"{number:09d}", 1, 1, 1.0) for number in numbers], self.drawn(numbers), {})
        store.compact()
        return self.n_rows

    def read(self) -> "np.ndarray | Rows":
        """Return the rows, all of them or to be read in batches."""
        numbers = np.arange(self.n_rows)
        if self.way == "array":
            return np.concatenate([self.drawn(part) for part in np.array_split(numbers, -(-self.n_rows // BLOCK))])
        return Rows(self.store().take if self.way == "store" else self.drawn, numbers, N_FEATURES, self.memory)


def measure(name: str, matrix: Matrix) -> dict[str, object]:
    """Search and fit, and return the time in s, the peak memory in GiB, the accuracy in percent and the candidate."""
    X, y, held_out = matrix.read(), matrix.y, np.arange(matrix.n_rows) % 10 == 0
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
