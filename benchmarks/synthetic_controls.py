"""Accuracy of baselines without a CNN on the synthetic tasks: python benchmarks/synthetic_controls.py.

The difficulty of the tasks was tuned only with these baselines. Accuracies are means over five stratified
folds; chance is 12.5 %.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends import LogMel
from untrained.frontends.baselines import MFCC, LogMelStats

SAMPLE_RATE = 12_000
Features = Callable[[torch.Tensor], torch.Tensor]


def onset_autocorrelation(waveform: torch.Tensor) -> torch.Tensor:
    """Return the normalised autocorrelation of the onset strength up to 4 s, (batch, 187): rhythm without timbre."""
    logmel = LogMel()(waveform)
    onsets = logmel.diff(dim=2).clamp(min=0).mean(1)
    onsets = onsets - onsets.mean(1, keepdim=True)
    power = torch.fft.rfft(onsets, 2 * onsets.shape[1]).abs() ** 2
    correlation = torch.fft.irfft(power)[:, : int(4 * SAMPLE_RATE / 256)]
    return correlation[:, 1:] / correlation[:, :1]


def accuracy(X: Any, y: Any, classifier: Any = None) -> float:
    """Return the mean accuracy over five stratified folds, by default that of the best of three RBF SVMs."""
    if classifier is not None:
        return float(cross_val_score(classifier, X, y, cv=5).mean())
    return max(accuracy(X, y, make_pipeline(StandardScaler(), SVC(C=C))) for C in (1, 8, 32))


def control(task: Any, features: Features, clips_per_class: int, n_samples: int = 120_000) -> float:
    """Return the accuracy of an SVM on features of one synthetic task."""
    data = Synthetic(task, clips_per_class=clips_per_class, n_samples=n_samples)
    waveforms = torch.from_numpy(np.stack([data.read(clip, SAMPLE_RATE).waveform for clip in data.listed]))
    X = torch.cat([features(part) for part in waveforms.split(16)]).numpy()
    return accuracy(X, [clip.label for clip in data.listed])


def tempo_only(clips_per_class: int, n_samples: int = 120_000) -> float:
    """Return the accuracy on the task `rhythm` of a classifier that is given only the true tempo."""
    data = Synthetic("rhythm", clips_per_class=clips_per_class, n_samples=n_samples)
    tempi = np.log([[data.make(clip, SAMPLE_RATE)[1] or 1.0] for clip in data.listed])
    labels = [clip.label for clip in data.listed]
    return max(accuracy(tempi, labels, KNeighborsClassifier(k)) for k in (5, 15))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips_per_class", type=int, default=40)
    n = parser.parse_args().clips_per_class
    columns: dict[str, Features] = {
        "log-mel statistics": LogMelStats(),  # timbre without rhythm
        "onset autocorrelation": onset_autocorrelation,
        "mfcc": MFCC(),
    }
    print("| task | " + " | ".join(columns) + " | tempo only |\n|---|---|---|---|---|")
    for task in ("rhythm", "timbre", "events"):
        cells = [f"{100 * control(task, features, n):.1f}" for features in columns.values()]
        print(f"| {task} | " + " | ".join(cells) + f" | {f'{100 * tempo_only(n):.1f}' if task == 'rhythm' else ''} |")


if __name__ == "__main__":
    main()
