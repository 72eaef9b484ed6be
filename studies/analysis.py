"""What can be said of a study's results: means, two spreads, and which differences are more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np

from ..backends.base import Array
from ..probes.metrics import bootstrap, interval
from .published import published
from .results import Predictions, Result, predictions_file, read_predictions, units
from .significance import bootstrap_test, corrected_t_test, holm

LEVEL = 0.05
_FILTERS = ("minimal", "single", "many")
_Key = tuple[str, str, str]  # data set, frontend, backend


@dataclass(frozen=True)
class Cell:
    """All seeds of a frontend with a backend on a data set.

    Args:
        runs: One for each seed; a single one where nothing is random.
        low: Lower end of the 95 % bootstrap interval over clips, or groups of clips, of seed-averaged correctness.
        high: Its upper end.
    """

    runs: Sequence[Result]
    low: float
    high: float

    @property
    def first(self) -> Result:
        """One of the runs, for what all have in common."""
        return self.runs[0]

    @property
    def accuracy(self) -> float:
        """Mean accuracy over seeds, as a fraction."""
        return mean(run.accuracy for run in self.runs)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the accuracy over seeds; None for a single one."""
        return stdev(run.accuracy for run in self.runs) if len(self.runs) > 1 else None

    @property
    def published(self) -> float | None:
        """What Pons & Serra (2018) have published for it, as a fraction; None if nothing."""
        found = published(self.first.datamodule, self.first.frontend, self.first.backend)
        return None if found is None else found / 100

    @property
    def seconds_per_clip(self) -> float | None:
        """Of representation and network; None if it is not known."""
        known = [run.seconds_per_clip for run in self.runs if run.seconds_per_clip is not None]
        return mean(known) if known else None


@dataclass(frozen=True)
class Comparison:
    """The difference of two frontends with one backend on one data set.

    Args:
        dataset: Name of the data set.
        backend: Name of the backend.
        a: A frontend.
        b: Another.
        difference: Accuracy of `a` less that of `b`, both means over seeds, as a fraction.
        p: Two-sided.
        p_corrected: For all pairs of frontends of this data set and backend, by Holm.
        test: By which p was found.
    """

    dataset: str
    backend: str
    a: str
    b: str
    difference: float
    p: float
    p_corrected: float
    test: str

    @property
    def is_more_than_chance(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.p_corrected < LEVEL


@dataclass(frozen=True)
class Analysis:
    """What can be said of a study.

    Args:
        cells: By data set, frontend and backend, in the order of the study.
        comparisons: Of all pairs of frontends that are compared by an honest protocol.
    """

    cells: Mapping[tuple[str, str, str], Cell]
    comparisons: Sequence[Comparison]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.cells))

    def backends(self, dataset: str) -> list[str]:
        """Names of the backends that were fitted to a data set."""
        return list(dict.fromkeys(backend for name, _, backend in self.cells if name == dataset))

    def of(self, dataset: str) -> list[Cell]:
        """The cells of a data set."""
        return [cell for (name, _, _), cell in self.cells.items() if name == dataset]

    def kinds(self) -> dict[str, list[str]]:
        """Frontends by what they read, from minimal filters to many (Pons's talk); those that do not say come last."""
        seen = {cell.first.frontend: cell.first for cell in self.cells.values()}
        kinds: dict[str, list[str]] = {}
        for name, result in seen.items():
            kinds.setdefault(result.input if result.input and result.filters else "others", []).append(name)
        for names in kinds.values():
            names.sort(key=lambda name: [*_FILTERS, seen[name].filters].index(seen[name].filters))
        return {kind: kinds[kind] for kind in sorted(kinds, key="others".__eq__)}

    def frontends(self) -> list[str]:
        """Frontends in the order of `kinds`."""
        return [name for names in self.kinds().values() for name in names]


def analyse(results: Sequence[Result], folder: Path) -> Analysis:
    """Average over seeds, draw intervals, and test all differences.

    Args:
        results: Of one study.
        folder: Of the study, in which the runs and their predictions are.

    Raises:
        UsageError: Predictions are missing.
    """
    runs_of: dict[_Key, list[Result]] = {}
    for result in results:
        runs_of.setdefault((result.dataset, result.frontend, result.backend), []).append(result)
    cells: dict[_Key, Cell] = {}
    comparisons: list[Comparison] = []
    for dataset in dict.fromkeys(dataset for dataset, _, _ in runs_of):
        keys = [key for key in runs_of if key[0] == dataset]
        predictions = {key: [_predictions(folder, run) for run in runs_of[key]] for key in keys}
        # A frontend may have lost a clip that others have read.
        alike: dict[tuple[str, ...], list[_Key]] = {}
        for key in keys:
            alike.setdefault(tuple(_common(predictions[key]).ids), []).append(key)
        scored = {key: found for those in alike.values() for found in [_scored(those, predictions)] for key in those}
        for key in keys:
            low, high = interval(scored[key].draws[:, [scored[key].keys.index(key)]])
            cells[key] = Cell(runs_of[key], float(low[0]), float(high[0]))
        for backend in dict.fromkeys(backend for _, _, backend in keys):
            honest = [key for key in keys if key[2] == backend and not runs_of[key][0].selected_on_test]
            found = []
            for a, b in combinations(honest, 2):
                together = scored[a] if scored[a] is scored[b] else _scored([a, b], predictions)
                if together.clips.ids:
                    found.append(_compare(a, b, together, runs_of[a][0].protocol))
            corrected = holm([comparison.p for comparison in found])
            comparisons += [replace(one, p_corrected=p) for one, p in zip(found, corrected, strict=True)]
    return Analysis(cells, comparisons)


class _Scored(NamedTuple):
    """What was scored on the same clips: how often each was right, `(n_clips, n_keys)`, and draws of accuracies."""

    keys: Sequence[_Key]
    clips: Predictions
    correct: Array
    draws: Array


def _scored(keys: Sequence[_Key], predictions: Mapping[_Key, Sequence[Predictions]]) -> _Scored:
    clips = _common([each for key in keys for each in predictions[key]])
    correct = np.stack([_correctness(clips, predictions[key]) for key in keys], axis=1)
    draws = bootstrap(correct, clips.folds, units(clips)) if clips.ids else np.zeros((1, len(keys)))
    return _Scored(keys, clips, correct, draws)


def _compare(a: _Key, b: _Key, scored: _Scored, protocol: str) -> Comparison:
    """Two frontends with one backend on the clips that both have read; p is not corrected yet."""
    columns = [scored.keys.index(a), scored.keys.index(b)]
    names = sorted(set(scored.clips.folds))
    inside = [np.array([fold == name for fold in scored.clips.folds]) for name in names]
    differences = np.array([np.subtract(*scored.correct[rows].mean(axis=0)[columns]) for rows in inside])
    difference = float(differences.mean())
    if protocol == "holdout":
        p, test = bootstrap_test(difference, np.subtract(*scored.draws[:, columns].T)), "paired bootstrap over clips"
    else:
        p = corrected_t_test(differences, [int(rows.sum()) for rows in inside])
        test = "corrected t-test over folds"
    return Comparison(a[0], a[2], a[1], b[1], difference, p, p, test)


def _predictions(folder: Path, result: Result) -> Predictions:
    return read_predictions(folder / result.run / predictions_file(result.metric))


def _common(several: Sequence[Predictions]) -> Predictions:
    """Clips that are in all of them."""
    ids = set(several[0].ids).intersection(*(predictions.ids for predictions in several))
    rows = [row for row in zip(*several[0], strict=True) if row[0] in ids]
    return Predictions(*map(list, zip(*rows, strict=True))) if rows else Predictions([], [], [], [], [])


def _correctness(clips: Predictions, seeds: Sequence[Predictions]) -> Array:
    """How often each clip is right, over seeds, `(n_clips,)`, in the order of `clips`."""
    found = []
    for predictions in seeds:
        right = {
            clip: label == given
            for clip, label, given in zip(predictions.ids, predictions.labels, predictions.given, strict=True)
        }
        found.append([right[clip] for clip in clips.ids])
    return np.asarray(np.mean(found, axis=0))
