"""Embeddings of the sizes of the study's data sets, made by a generator, for the benchmarks of backends."""

import resource
import sys

import numpy as np
from sklearn.model_selection import StratifiedKFold

# Clips, features, classes; each is searched over ten folds.
SIZES = {"extended_ballroom": (4180, 3584, 13), "urbansound8k": (8732, 3585, 10), "small": (600, 160, 8)}


def make(size: str) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Positive, correlated features as pooled ReLU maps are, with classes that overlap, and their folds."""
    n_clips, n_features, n_classes = SIZES[size]
    rng = np.random.default_rng(0)
    y = np.arange(n_clips) % n_classes
    means = rng.standard_normal((n_classes, 40))
    hidden = rng.standard_normal((n_clips, 40)) + 0.5 * means[y]
    X = np.maximum(hidden @ rng.standard_normal((40, n_features)) + 0.5 * rng.standard_normal((n_clips, n_features)), 0)
    X = (X / X.std()).astype(np.float32)
    return X, y, list(StratifiedKFold(10, shuffle=True, random_state=0).split(X, y))


def peak_gib() -> float:
    """Peak memory of this process, libraries included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 2**30
