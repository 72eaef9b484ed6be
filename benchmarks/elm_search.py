"""Speed of the ELM's search, relative to one pseudo-inverse per size and fold: python benchmarks/elm_search.py.

The search fits hidden layers of six sizes to all folds of generated embeddings. The reference computes
`scipy.linalg.pinv` of the hidden layer of each size for some of the folds; its time is extrapolated to all folds.
Predictions on these folds are compared.

The default size is that of Extended Ballroom, with more clips than hidden units. `few_clips` runs three searches with
at least as many hidden units as train clips. `urbansound8k` runs the search without the reference, for its peak memory.
"""

import argparse
import time

import numpy as np
import scipy.linalg
from made_embeddings import SIZES, make, peak_gib
from untrained.backends.base import SearchResult
from untrained.backends.elm import ELMClassifier, hidden_layer

FEW_CLIPS = ["gtzan", "clips_1200", "clips_1500"]
N_FOLDS = 2  # number of folds of the reference
N_SEARCHES = 3  # number of searches, of which the median time counts


def main() -> None:
    """Print the ratio for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", choices=[*SIZES, "few_clips"], default="extended_ballroom")
    chosen = parser.parse_args().size
    for size in FEW_CLIPS if chosen == "few_clips" else [chosen]:
        X, y, folds = make(size)
        result, seconds = search(X, y, folds, 1 if size == "urbansound8k" else N_SEARCHES)
        print(f"{size}: {X.shape}, {len(result.candidates)} sizes x {len(folds)} folds in {seconds:.2f} s")
        print(
            f"best {result.candidates[result.best]} {100 * result.best_score:.2f} %, peak memory {peak_gib():.2f} GiB"
        )
        if size != "urbansound8k":
            compare(X, y, folds, result, seconds)


def search(X: np.ndarray, y: np.ndarray, folds: list, n_searches: int) -> tuple[SearchResult, float]:
    """Run a search several times, and return its result and the median time in s."""
    spent = []
    for _ in range(n_searches):
        start = time.perf_counter()
        result = ELMClassifier().search(X, y, folds)
        spent.append(time.perf_counter() - start)
    return result, float(np.median(spent))


def compare(X: np.ndarray, y: np.ndarray, folds: list, result: SearchResult, seconds: float) -> None:
    """Print the time of the pseudo-inverses, its ratio to the search, and the number of different predictions."""
    start = time.perf_counter()
    weights, biases = hidden_layer(X.shape[1], 2500, seed=0)
    hidden = np.maximum(X @ weights + biases, 0)
    targets = np.where(np.unique(y) == y[:, None], 1.0, -1.0)
    shared = time.perf_counter() - start
    start = time.perf_counter()
    n_folds = min(N_FOLDS, len(folds))
    n_different = n_all = 0
    for fold, (train, test) in enumerate(folds[:n_folds]):
        for number, candidate in enumerate(result.candidates):
            units = hidden[:, : candidate["n_hidden"]]
            outputs = units[test] @ (scipy.linalg.pinv(units[train]) @ targets[train])
            n_different += np.sum(np.unique(y)[outputs.argmax(axis=1)] != result.predictions[number][fold])
            n_all += len(test)
    plain = shared + (time.perf_counter() - start) * len(folds) / n_folds
    print(f"pseudo-inverse: {plain:.1f} s, extrapolated from {n_folds} of {len(folds)} folds")
    print(f"different predictions: {n_different} of {n_all}")
    print(f"ratio {plain / seconds:.1f}")


if __name__ == "__main__":
    main()
