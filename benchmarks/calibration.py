"""Calibration of the probabilities of `untrained classify`: python benchmarks/calibration.py [--seeds SEED ...].

Each row is a backend on generated embeddings, standardised and tuned by nested selection over 5 folds, as in `fit`. The
fitted backend scores 3000 clips that were used neither for the selection nor for the calibration:

- raw: the scores of the backend, after a softmax if they are not probabilities;
- votes: for `svm` only, the softmax of scikit-learn's decision values, which are close to the number of votes;
- calibrated: the probabilities that `classify` prints.

Columns are the log loss, the expected calibration error (ECE, 10 bins) of the printed label, and the share of clips
for which a class other than the label has the highest score, for raw scores and for printed probabilities. The backend
`elm 500` has 500 hidden units and no search. With 600 clips, this is close to the 480 train clips of each fold, where
least squares overfits most.

With several seeds, each row is the mean over the seeds. The calibration constants of the package were chosen with seeds
other than the default.
"""

import argparse
import itertools
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from untrained import BACKENDS
from untrained.backends.base import Backend
from untrained.backends.standardized import Standardized
from untrained.datamodules.clip import Clip
from untrained.probes.calibration import label, probabilities
from untrained.probes.selection import select

N_NEW, N_FOLDS, N_LATENT, N_FEATURES = 3000, 5, 20, 120
DISTANCES = {"hard": 0.45, "easy": 1.0}  # spread of class means, in standard deviations of a latent dimension
BACKENDS_TRIED = {
    "svm": ("svm", {}),
    "elm": ("elm", {}),
    "elm 500": ("elm", {"n_hidden": 500}),
    "linear_svm": ("linear_svm", {}),
    "logistic": ("logistic", {}),
    "knn": ("knn", {}),
}
LEAST = 1e-3  # lowest probability in the log loss, which would be infinite for the zeros of knn
HEAD = f"{'clips':>5} {'classes':>7} {'task':5} {'backend':10} {'log loss: raw':>13} {'calibrated':>10}"
HEAD += f" {'ECE: raw':>9} {'votes':>6} {'calibrated':>10} {'other label: raw':>17} {'printed':>7}"


def main() -> None:
    """Print a row for each size, task and backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore", ConvergenceWarning)
    start = time.perf_counter()
    print(HEAD)
    worse = []
    for n_clips, n_classes, task, name in itertools.product((200, 600), (5, 10), DISTANCES, BACKENDS_TRIED):
        found = np.mean([measure(n_clips, n_classes, DISTANCES[task], name, seed) for seed in seeds], axis=0)
        loss_raw, loss, error_raw, error_votes, error, other, other_printed = found
        votes = "" if np.isnan(error_votes) else f"{error_votes:.3f}"
        print(
            f"{n_clips:5} {n_classes:7} {task:5} {name:10} {loss_raw:13.3f} {loss:10.3f} {error_raw:9.3f} {votes:>6} "
            f"{error:10.3f} {100 * other:15.1f} % {100 * other_printed:5.1f} %",
            flush=True,
        )
        worse += [f"{n_clips}/{n_classes}/{task}/{name}"] if error > error_raw else []
    print(f"calibrated ECE above raw ECE: {', '.join(worse) or 'none'}; {time.perf_counter() - start:.0f} s")


def draw(n_clips: int, n_classes: int, distance: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return embeddings that resemble pooled ReLU maps, and labels: of `n_clips` clips, then of `N_NEW` new clips."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_clips + N_NEW) % n_classes
    means = distance * rng.standard_normal((n_classes, N_LATENT))
    mixing = rng.standard_normal((N_LATENT, N_FEATURES))
    latent = means[y] + rng.standard_normal((len(y), N_LATENT))
    return np.maximum(latent @ mixing + 2 * rng.standard_normal((len(y), N_FEATURES)), 0).astype(np.float32), y


def measure(n_clips: int, n_classes: int, distance: float, name: str, seed: int) -> list[float]:
    """Return the numbers of a row."""
    X, y = draw(n_clips, n_classes, distance, seed)
    new, truth = X[n_clips:], y[n_clips:]
    X, y = X[:n_clips], y[:n_clips]
    folds = np.zeros(n_clips, int)
    for fold, (_, test) in enumerate(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y)):
        folds[test] = fold
    clips = [Clip(str(index), str(y[index]), fold=int(folds[index])) for index in range(n_clips)]
    registered, arguments = BACKENDS_TRIED[name]
    chosen = select(Standardized(BACKENDS.create(registered, **arguments)), X, y, clips, "nested")
    labels, exchanged, kind = label(chosen.model, new)
    scores, _ = chosen.model.class_scores(new)
    raw = as_probabilities(scores, kind)
    found = chosen.calibration
    calibrated = probabilities(exchanged, kind, found.inverse_temperature, found.smoothing)
    error_of_votes = np.nan
    if registered == "svm":
        error_of_votes = calibration_error(as_probabilities(votes_of(chosen.model, new), ""), labels, truth)
    return [
        loss_of(raw, truth),
        loss_of(calibrated, truth),
        calibration_error(raw, labels, truth),
        error_of_votes,
        calibration_error(calibrated, labels, truth),
        float(np.mean(scores.argmax(axis=1) != labels)),
        float(np.mean(calibrated.argmax(axis=1) != labels)),
    ]


def votes_of(model: Backend, X: np.ndarray) -> np.ndarray:
    """Return the decision values of the support vector machine in a standardized backend."""
    return np.asarray(model.backend_.decision_function((X - model.mean_) / model.deviation_))


def as_probabilities(scores: np.ndarray, kind: str) -> np.ndarray:
    """Return probabilities unchanged, and the softmax of other scores."""
    return scores if kind == "probability" else probabilities(scores, kind, 1.0)


def loss_of(given: np.ndarray, truth: np.ndarray) -> float:
    """Return the log loss with probabilities of at least `LEAST`."""
    bounded = np.maximum(given, LEAST)
    return float(log_loss(truth, bounded / bounded.sum(axis=1, keepdims=True)))


def calibration_error(given: np.ndarray, labels: np.ndarray, truth: np.ndarray, n_bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy, in bins of equal width.

    Args:
        given: Probabilities, `(n_clips, n_classes)`.
        labels: Index of the predicted class of each clip, `(n_clips,)`.
        truth: Index of the true class of each clip, `(n_clips,)`.
        n_bins: Number of bins.
    """
    confidences, right = given[np.arange(len(labels)), labels], labels == truth
    bins = np.minimum((confidences * n_bins).astype(int), n_bins - 1)
    parts = (bins == index for index in range(n_bins))
    return float(sum(abs(confidences[p].mean() - right[p].mean()) * p.mean() for p in parts if p.any()))


if __name__ == "__main__":
    main()
