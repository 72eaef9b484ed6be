"""Speed of the SVM's search, relative to scikit-learn: python benchmarks/svm_search.py [SIZE].

The search fits all 32 candidates on ten folds of generated embeddings of the size of Extended Ballroom. scikit-learn
fits and scores a sample of them on one fold: the widest, the narrowest and the default RBF kernel and the linear one,
each at two costs. Its total time is extrapolated from the mean of each kernel's sample, for one fit after another, as
in a grid search by default. Both must give the same predictions.

With `urbansound8k`, only the search runs, for its peak memory.
"""

import argparse
import os
import time

import numpy as np
from made_embeddings import SIZES, make, peak_gib
from sklearn.svm import SVC
from untrained.backends.svm import SVMClassifier


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", choices=SIZES, default="extended_ballroom")
    size = parser.parse_args().size
    X, y, folds = make(size)
    start = time.perf_counter()
    result = SVMClassifier(max_iter=-1).search(X, y, folds)
    seconds = time.perf_counter() - start
    print(f"{size}: {X.shape}, {len(result.candidates)} candidates x {len(folds)} folds in {seconds:.1f} s")
    print(f"best {result.candidates[result.best]} {100 * result.best_score:.2f} %, peak memory {peak_gib():.2f} GiB")
    if size == "urbansound8k":
        return
    train, test = folds[0]
    taken: dict[str, list[float]] = {"rbf": [], "linear": []}
    same = True
    for number, candidate in enumerate(result.candidates):
        is_sampled = candidate["C"] in (2.0, 32.0) and candidate.get("gamma", "auto") in (2.0**-3, 2.0**-13, "auto")
        if is_sampled:
            start = time.perf_counter()
            predicted = SVC(**candidate).fit(X[train], y[train]).predict(X[test])
            taken[candidate["kernel"]].append(time.perf_counter() - start)
            same &= bool(np.array_equal(predicted, result.predictions[number][0]))
    plain = len(folds) * (28 * np.mean(taken["rbf"]) + 4 * np.mean(taken["linear"]))
    threads = os.cpu_count() or 1
    print(
        f"scikit-learn: {plain:.0f} s for all fits one by one, extrapolated from {sum(map(len, taken.values()))} fits"
    )
    print(f"predictions of the sample are {'the same' if same else 'DIFFERENT'}")
    print(f"ratio {plain / seconds:.1f}; at least {plain / threads / seconds:.1f} with {threads} fits at a time")


if __name__ == "__main__":
    main()
