"""Generated embeddings of the size of the study's data sets, for the benchmarks of backends."""

import resource
import sys

import numpy as np
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

# Number of clips, features, classes and folds. A single fold is a hold-out split of 443 train and 197 validation clips,
# as in GTZAN.
SIZES = {
    "extended_ballroom": (4180, 3584, 13, 10),
    "urbansound8k": (8732, 3585, 10, 10),
    "gtzan": (640, 3585, 10, 1),
    "clips_1200": (1200, 3000, 10, 10),
    "clips_1500": (1500, 3000, 10, 5),
    "small": (600, 160, 8, 10),
}


def make(size: str) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Return correlated, non-negative features like pooled ReLU maps, labels of overlapping classes, and folds."""
    n_clips, n_features, n_classes, n_folds = SIZES[size]
    rng = np.random.default_rng(0)
    y = np.arange(n_clips) % n_classes
    means = rng.standard_normal((n_classes, 40))
    hidden = rng.standard_normal((n_clips, 40)) + 0.5 * means[y]
    X = np.maximum(hidden @ rng.standard_normal((40, n_features)) + 0.5 * rng.standard_normal((n_clips, n_features)), 0)
    X = (X / X.std()).astype(np.float32)
    if n_folds == 1:
        splitter = StratifiedShuffleSplit(1, train_size=443 / 640, random_state=0)
    else:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    return X, y, list(splitter.split(X, y))


def peak_gib() -> float:
    """Return the peak memory of this process, including libraries, in GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 2**30
