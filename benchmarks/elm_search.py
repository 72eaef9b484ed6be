"""How much faster the ELM's search is than a pseudo-inverse for each size and fold: python benchmarks/elm_search.py.

The search fits six sizes on ten folds of made embeddings of the size of Extended Ballroom. The other side computes
`scipy.linalg.pinv` of the hidden layer of every size, for some of the folds, and is scaled up to ten. Accuracies of
these folds are compared.

With `urbansound8k` it prints the peak memory alone.
"""

import argparse
import time

import numpy as np
import scipy.linalg
from made_embeddings import SIZES, make, peak_gib
from untrained.backends.elm import ELMClassifier, hidden_layer

N_FOLDS = 2  # of the other side


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", choices=SIZES, default="extended_ballroom")
    size = parser.parse_args().size
    X, y, folds = make(size)
    start = time.perf_counter()
    result = ELMClassifier().search(X, y, folds)
    seconds = time.perf_counter() - start
    print(f"{size}: {X.shape}, {len(result.candidates)} sizes x {len(folds)} folds in {seconds:.1f} s")
    print(f"best {result.candidates[result.best]} {100 * result.best_score:.2f} %, peak memory {peak_gib():.2f} GiB")
    if size == "urbansound8k":
        return
    start = time.perf_counter()
    weights, biases = hidden_layer(X.shape[1], 2500, seed=0)
    hidden = np.maximum(X @ weights + biases, 0)
    targets = np.where(np.unique(y) == y[:, None], 1.0, -1.0)
    shared = time.perf_counter() - start
    start = time.perf_counter()
    largest = 0.0
    for fold, (train, test) in enumerate(folds[:N_FOLDS]):
        for number, candidate in enumerate(result.candidates):
            units = hidden[:, : candidate["n_hidden"]]
            outputs = units[test] @ (scipy.linalg.pinv(units[train]) @ targets[train])
            accuracy = np.mean(outputs.argmax(axis=1) == y[test])
            largest = max(largest, 100 * abs(accuracy - result.scores[number, fold]))
    plain = shared + (time.perf_counter() - start) * len(folds) / N_FOLDS
    print(f"pseudo-inverse: {plain:.0f} s, from {N_FOLDS} of {len(folds)} folds")
    print(f"largest difference of an accuracy: {largest:.3f} points")
    print(f"ratio {plain / seconds:.1f}")


if __name__ == "__main__":
    main()
